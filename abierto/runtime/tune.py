"""Measures what the engines of this computer do with one model, in about a minute, and writes it down for `choice`.

Every engine runs in a process of its own, so that one that dies costs a row of the table. Prompts differ from the first
word, so that nothing is known from before. Where something else may have taken the processor, the better of two counts;
in the time that is left, what looks best is measured once more, for a disturbance lasts longer than an answer.
"""

from collections.abc import Generator, Iterable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from importlib import metadata
from itertools import count
from threading import Thread
from time import perf_counter
from typing import Any, Literal

from abierto import config, engines, machine
from abierto.config import Settings
from abierto.engines.session import LoadOptions, Session
from abierto.errors import AbiertoError, MissingFeature
from abierto.runtime import child, choice, sight
from abierto.runtime.choice import Measured, Speeds, Variant
from abierto.runtime.fit import plan
from abierto.runtime.resolve import Target, resolve
from abierto.store import locks
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Reasoning, Text, Usage

BUDGET = 55.0  # seconds
TOGETHER = 16
# Tokens: of a long prompt, of an answer, of each of the answers together; and what all of them need to fit.
PROMPT, ANSWER, EACH = 512, 128, 16
CONTEXT, SHORT_CONTEXT = 1024, 256
# A slow computer, or a large model, measures with shares of these.
SCALES = (1.0, 0.5, 0.25, 0.125)
# Another number of threads has to be so much faster to be measured whole.
WORTH = 1.05
# What takes up to so many times as long as the fastest may be the fastest, if it was disturbed.
DOUBT = 1.5
Stage = Literal["start", "together", "prompt", "generation", "repeating", "threads"]

_PROBE = "Say in one sentence what number {0} is to you, and why people would remember it, forget it, or write it down."
_STORY = (
    "{0} travellers cross a river at night. Tell the whole story, with many characters, in at least a thousand words."
)
_LINE = "{0}. The store in the {1} street keeps {2} boxes of oranges, and each of the boxes weighs twelve kilograms.\n"
_READ = "List {0} is long. Read it, and tell in many words what it is about.\n\n"
_REPEAT = "List {0} follows. Write it once more, word for word, from the first line to the last:\n\n"
_STREETS = ("long", "old", "high", "new", "low", "quiet", "wide")


@dataclass(frozen=True, slots=True)
class Step:
    """What is being measured now. done: of `total` variants that are planned so far."""

    variant: Variant
    stage: Stage
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Row:
    """One variant's result: its speeds, or the error that kept it from having any. A later one takes its place."""

    variant: Variant
    measured: Measured | None = None
    error: AbiertoError | None = None


def newest(rows: Iterable[Row]) -> list[Row]:
    """Of each variant the last row."""
    found = {(row.variant.engine, row.variant.threads, *sorted(row.variant.settings.items())): row for row in rows}
    return list(found.values())


def tune(name: str = "", engine: str = "", budget: float = BUDGET) -> Iterator[Step | Row]:
    """Measure step by step. After the last one the result is kept; closing the iterator before keeps the old one.

    name, engine: as `model.load` takes them. budget: seconds; what comes first is measured in any case.
    Raises what `resolve`, `plan` and `candidates` raise, MissingFeature for a model on another computer, and OSError
    when the result cannot be written.
    """
    settings, models = config.settings(), config.folders().models
    with ExitStack() as held:
        target = resolve(name or settings.model, models)
        if target.remote:
            raise MissingFeature("remote", "tune")  # it would measure the network, and cost money
        if target.record:
            held.enter_context(locks.use(models, target.record))
        target = sight.with_projector(target, "", models)
        trained = plan(target, 0, settings).trained or CONTEXT
        plan(target, min(CONTEXT, trained), settings)
        rows: list[Row] = []
        for told in _Tuning(target, settings, budget, min(CONTEXT, trained)).run(engine or choice.AUTO):
            if isinstance(told, Row):
                rows.append(told)
            yield told
        rows = newest(rows)
        choice.keep(target, [row.measured for row in rows if row.measured])
        _record(target.name, rows, settings)


@dataclass
class _Answered:
    """What one request took. Seconds from its start, and tokens."""

    first: float
    whole: float
    prompt: int
    made: int

    @property
    def prompt_speed(self) -> float:
        return self.prompt / max(self.first, 1e-6)

    @property
    def speed(self) -> float:
        """Tokens per second after the first one; of a single one, with the reading of the prompt."""
        return (self.made - 1) / max(self.whole - self.first, 1e-6) if self.made > 1 else 1 / max(self.whole, 1e-6)


class _Tuning:
    """One model's measurement."""

    def __init__(self, target: Target, settings: Settings, budget: float, context: int) -> None:
        self._target, self._settings, self._context = target, settings, context
        self._deadline = perf_counter() + budget
        self._numbers = count(11)
        self._baseline = 0.0
        self._done, self._total = 0, 1
        self._scales: dict[tuple[str, str], float] = {}

    def run(self, engine: str) -> Iterator[Step | Row]:
        """The engines, and while there is time what can be set about them, the best ones again, other threads."""
        plain = choice.installed(self._target, engine, self._settings)
        self._baseline = _start_of_nothing()
        self._total = len(plain) + sum(len(engines.OPTIONS.get(variant.engine, ())) for variant in plain)
        rows: list[Measured] = []
        for variant in plain:
            rows += yield from self._row(variant)
        # The engine that repeats fastest first, in case that the time does not last.
        for row in sorted(rows, key=lambda row: -row.speeds.repeating):
            for options in engines.OPTIONS.get(row.variant.engine, ()):
                if perf_counter() < self._deadline:
                    settings = {**row.variant.settings, **options}
                    rows += yield from self._row(replace(row.variant, settings=settings))
        for row in _doubtful(rows):
            if perf_counter() < self._deadline:
                self._total += 1
                rows.remove(row)
                rows += (yield from self._row(row.variant, row)) or [row]
        if rows and not self._settings.threads:
            yield from self._other_threads(choice.best(rows, "one_user")[0])

    def _row(self, variant: Variant, before: Measured | None = None) -> Generator[Step | Row, None, list[Measured]]:
        """before: what was measured of it, to be measured once more but for the speed of many."""
        try:
            speeds, features = yield from self._measure(variant, before)
        except AbiertoError as error:
            if not before:
                yield Row(variant, error=error)
            return []
        finally:
            self._done += 1
        row = Measured(variant, speeds, features)
        yield Row(variant, row)
        return [row]

    def _measure(
        self, variant: Variant, before: Measured | None
    ) -> Generator[Step, None, tuple[Speeds, tuple[str, ...]]]:
        # Guesses of sixteen are more than a processor checks in passing: measured, they halve the speed of all.
        guesses = "speculation" in variant.settings
        together = 0.0 if guesses or before else (yield from self._with_many(variant))
        scale = self._scales[_program(variant)]
        yield self._step(variant, "start")
        began = perf_counter()
        with closing(self._load(variant, 1, self._context)) as one:
            start = max(perf_counter() - began - self._baseline, 1e-3)
            yield self._step(variant, "prompt")
            lines = self._lines(one, round(PROMPT * scale))
            prompt = max(self._ask(one, _READ + lines, 1).prompt_speed for _ in range(2))
            yield self._step(variant, "generation")
            answer = max(8, round(ANSWER * scale))
            generation = max(self._ask(one, _STORY, answer).speed for _ in range(2))
            yield self._step(variant, "repeating")
            repeating = self._ask(one, _REPEAT + lines, answer).speed
            speeds = Speeds(start, prompt, generation, repeating, together)
            return _better(speeds, before.speeds) if before else speeds, tuple(sorted(one.features))

    def _with_many(self, variant: Variant) -> Generator[Step, None, float]:
        """The speed of sixteen together; from then on it is known how much of a measurement the engine has time for."""
        yield self._step(variant, "together")
        began = perf_counter()
        with closing(self._load(variant, TOGETHER, min(SHORT_CONTEXT, self._context))) as many:
            loading = perf_counter() - began
            scale = self._scale(loading, self._ask(many, _PROBE, 8))
            self._scales[_program(variant)] = scale
            return self._together(many, max(4, round(EACH * scale)))

    def _other_threads(self, found: Measured) -> Iterator[Step | Row]:
        cores = machine.cores()
        usual = choice.threads(found.variant, self._settings)
        for threads in sorted({cores.logical, cores.physical, max(1, cores.physical // 2)} - {usual}, reverse=True):
            if perf_counter() > self._deadline:
                return
            variant = replace(found.variant, threads=threads)
            self._total += 1
            yield self._step(variant, "threads")
            try:
                with closing(self._load(variant, 1, self._context)) as session:
                    self._ask(session, _PROBE, 8)
                    speed = self._ask(session, _STORY, ANSWER // 4).speed
            except AbiertoError:
                speed = 0.0
            if speed > found.speeds.generation * WORTH:
                yield from self._row(variant)
            else:
                self._done += 1

    def _load(self, variant: Variant, together: int, context: int) -> Session:
        options = LoadOptions(
            context=context,
            threads=choice.threads(variant, self._settings),
            max_concurrent=together,
            projector=self._target.projector,
            settings=choice.engine_settings(variant, self._settings),
        )
        return child.load(variant.engine, list(self._target.files), options)

    def _scale(self, loading: float, probe: _Answered) -> float:
        share = max(self._deadline - perf_counter(), 0.0) / max(self._total - self._done, 1)
        reading = (3 * PROMPT + TOGETHER * 40) / probe.prompt_speed
        writing = (3 * ANSWER + TOGETHER * EACH / 2) / probe.speed
        fitting = [
            scale
            for scale in SCALES
            if 2 * loading + scale * (reading + writing) <= share and scale <= self._context / CONTEXT
        ]
        return fitting[0] if fitting else SCALES[-1]

    def _lines(self, session: Session, tokens: int) -> str:
        """A text of about so many tokens in lines that are much alike; two lines at least."""
        lines = [_LINE.format(number, _STREETS[number % len(_STREETS)], 7 * number % 50) for number in range(1, 65)]
        few, more = (session.count_tokens(_request("".join(lines[:number]), 1)) for number in (2, 6))
        return "".join(lines[: max(2, 4 * tokens // max(more - few, 1))])

    def _ask(self, session: Session, prompt: str, tokens: int) -> _Answered:
        request = _request(prompt.replace("{0}", str(next(self._numbers)), 1), tokens)
        began, first, usage = perf_counter(), 0.0, Usage(0, 0)
        for event in session.chat(request):
            if isinstance(event, Text | Reasoning):
                first = first or perf_counter() - began
            elif isinstance(event, Usage):
                usage = event
        whole = perf_counter() - began
        # The beginning that all prompts share, the template's, may be known from before.
        return _Answered(first or whole, whole, usage.prompt_tokens - usage.cached_tokens, usage.completion_tokens)

    def _together(self, session: Session, tokens: int) -> float:
        """Tokens per second of all answers."""
        found: list[_Answered] = []
        failed: list[AbiertoError] = []

        def work() -> None:
            try:
                found.append(self._ask(session, _STORY, tokens))
            except AbiertoError as error:
                failed.append(error)

        threads = [Thread(target=work, daemon=True) for _ in range(min(TOGETHER, session.max_concurrent))]
        began = perf_counter()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        if failed:
            raise failed[0]
        return max(1, sum(answer.made for answer in found)) / max(perf_counter() - began, 1e-6)

    def _step(self, variant: Variant, stage: Stage) -> Step:
        return Step(variant, stage, self._done, self._total)


def _doubtful(rows: list[Measured]) -> list[Measured]:
    """Those that may be the best for one person, the likeliest first; none where only one may."""
    found = []
    for use in ("one_user", "one_shot"):
        best = choice.best(rows, use)
        near = [row for row in best if _takes(row, use) <= DOUBT * _takes(best[0], use)]
        found += [row for row in near if len(near) > 1 and row not in found]
    return found


def _takes(row: Measured, use: str) -> float:
    return choice.seconds(row.speeds, use)


def _better(one: Speeds, other: Speeds) -> Speeds:
    return Speeds(
        start=min(one.start, other.start),
        prompt=max(one.prompt, other.prompt),
        generation=max(one.generation, other.generation),
        repeating=max(one.repeating, other.repeating),
        together=max(one.together, other.together),
    )


def _request(prompt: str, tokens: int) -> ChatRequest:
    return ChatRequest((Message("user", prompt),), Sampling(max_tokens=tokens, temperature=0))


def _program(variant: Variant) -> tuple[str, str]:
    return variant.engine, variant.settings.get("llama_server", "")


def _start_of_nothing() -> float:
    """The seconds of a new process that loads no model: what every engine here pays, and a running server does not."""
    began = perf_counter()
    child.load("echo", [], LoadOptions()).close()
    return perf_counter() - began


def _record(model: str, rows: list[Row], settings: Settings) -> None:
    from abierto.journal import Journal

    journal = Journal.at(config.folders().data, settings.journal)
    for row in rows:
        speeds = row.measured.speeds if row.measured else None
        facts: dict[str, Any] = (
            {}
            if speeds is None
            else {
                "start_seconds": speeds.start,
                "prompt_speed": speeds.prompt,
                "generation_speed": speeds.generation,
                "repeating_speed": speeds.repeating,
                "together_speed": speeds.together or None,
            }
        )
        journal.add_tuning(
            model=model,
            engine=row.variant.engine,
            engine_version=_version(row.variant),
            threads=choice.threads(row.variant, settings),
            settings=dict(row.variant.settings),
            outcome=row.error.code if row.error else "done",
            **facts,
        )
    journal.close()


def _version(variant: Variant) -> str | None:
    package = engines.PACKAGES.get(variant.engine)
    return metadata.version(package) if package and "llama_server" not in variant.settings else None
