"""Measures this computer with each installed engine, in about 20 seconds, and writes the rates into the journal.

Four models tell what a block, a word of the vocabulary and a token cost; then one for each type of weights tells how
fast weights of that type are read and multiplied. They have 75 to 200 MB, so that no cache of a processor holds them.
Of several tries the fastest counts, for other programs only ever slow one down. What the time does not suffice for is
measured first the next time.
"""

import random
import string
from collections.abc import Collection, Generator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter

from abierto import config, engines
from abierto.engines.session import LoadOptions, Session
from abierto.errors import AbiertoError, LoadFailed
from abierto.formats.gguf import read_parts
from abierto.recipes import codec_choice
from abierto.recipes.codec import Codec
from abierto.recipes.yardstick import CONTEXT, Shape, make
from abierto.runtime import child, choice, rates
from abierto.runtime.rates import Rates, Work
from abierto.runtime.resolve import Target
from abierto.tasks.chat import Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Text, Usage

BUDGETS: Mapping[str, float] = {"llamacpp": 10.0, "openvino": 12.0}  # seconds
PROMPT, ANSWER, LONG_ANSWER = 512, 24, 192  # tokens
# A shorter one tells what a type takes where tokens are computed in pieces anyway, of 128 as the engine is started.
PROMPTS = {"llamacpp": 128, "openvino": PROMPT}
LEAST_ANSWER = 8  # an answer that ended earlier says nothing
TRIES = 4
USUAL = {"llamacpp": "Q8_0", "openvino": "Q4_0"}  # the type of the first four
LARGE, DEEP = Shape(2, 2048, 5632, 32, 8, 512), Shape(32, 512, 1536, 8, 8, 512)
TINY, WORDY = Shape(2, 128, 256, 4, 4, 512), Shape(2, 128, 256, 4, 4, 1 << 16)
# Types in the order of how many files have them; of OpenVINO those that its reader of GGUF files keeps as they are.
TYPES = {
    "llamacpp": ("Q4_K", "Q6_K", "Q4_1", "Q4_0", "F16", "Q5_K", "Q5_0", "BF16", "IQ4_XS", "IQ4_NL", "Q3_K", "Q2_K"),
    "openvino": ("Q4_1", "Q8_0", "Q6_K", "F16"),
}
SAME: Mapping[str, Mapping[str, tuple[str, ...]]] = {"openvino": {"Q4_1": ("Q4_K",), "F16": ("BF16",)}}


@dataclass(frozen=True, slots=True)
class Stage:
    """What is being measured. dtype: the type of weights; share: of the whole time that has passed, 0 to 1."""

    engine: str
    dtype: str
    share: float


@dataclass(frozen=True, slots=True)
class Taken:
    """Seconds of a token that is written, and of one of a prompt of so many tokens; and what was done in them."""

    writing: float
    reading: float
    work: Work
    prompt: int = PROMPT


def measure(
    budgets: Mapping[str, float] = BUDGETS, types: Mapping[str, Collection[str]] = TYPES
) -> Generator[Stage, None, dict[str, Rates]]:
    """Measure, keep, and return the rates of each engine that could be measured. budgets: seconds, by engine, after
    which no further type is begun. types: what is asked for besides the usual one, by engine.

    Raises PackageMissing where no package here can make files, OSError, and JournalUnavailable.
    """
    codec = codec_choice.find()
    names = [name for name in budgets if _installed(name)]
    found: dict[str, Rates] = {}
    before = rates.measured()
    cache = config.folders().cache
    cache.mkdir(mode=0o700, parents=True, exist_ok=True)
    with TemporaryDirectory(dir=cache, prefix="measurement-") as folder:
        for index, name in enumerate(names):
            one = _Engine(name, Path(folder), codec, budgets[name], types[name])
            for stage in one.run(before[name].byte if name in before else ()):
                yield replace(stage, share=(index + stage.share) / len(names))
            if one.rates:
                found[name] = one.rates
    _keep(found)
    return found


class _Engine:
    """One engine's measurement."""

    def __init__(self, name: str, folder: Path, codec: Codec, seconds: float, types: Collection[str]) -> None:
        self.rates: Rates | None = None
        self._name, self._folder, self._codec, self._types = name, folder, codec, types
        self._began, self._seconds = perf_counter(), seconds
        self._letters = random.Random(0)  # noqa: S311 - no secret

    def run(self, before: Collection[str] = ()) -> Generator[Stage, None, None]:
        """Measure in stages. before: types that were measured before. An engine that cannot be measured has no
        rates."""
        taken: list[Taken] = []
        usual = USUAL[self._name]
        try:
            for shape in (LARGE, DEEP, TINY, WORDY):
                yield self._stage(usual)
                taken.append(self._taken(shape, usual))
        except AbiertoError:
            return
        self.rates = solve(usual, *taken)
        for dtype in sorted(self._types, key=lambda dtype: dtype in before):
            if perf_counter() - self._began > self._seconds:
                break
            yield self._stage(dtype)
            try:
                more = self._taken(
                    replace(LARGE, blocks=2 if dtype in ("F16", "BF16") else 3), dtype, PROMPTS[self._name]
                )
            except AbiertoError:
                continue
            self.rates = add(self.rates, more, dtype)
        self.rates = _shared(self.rates, SAME.get(self._name, {}))

    def _stage(self, dtype: str) -> Stage:
        return Stage(self._name, dtype, min((perf_counter() - self._began) / max(self._seconds, 1e-6), 1.0))

    def _taken(self, shape: Shape, dtype: str, prompt: int = PROMPT) -> Taken:
        path = make(self._folder / f"{dtype}.gguf", shape, dtype, self._codec)
        try:
            work = rates.work_of(read_parts([str(path)]), self._name)
            with closing(self._load(path)) as session:
                self._ask(session, 16, 4)  # the first one warms it
                answer = LONG_ANSWER if shape in (TINY, WORDY) else ANSWER
                writing = [self._writing(session, answer) for _ in range(3)]
                reading = [self._reading(session, prompt) for _ in range(2)]
        finally:
            path.unlink()
        return Taken(min(writing), min(reading), work, prompt)

    def _load(self, path: Path) -> Session:
        variant, settings = choice.Variant(self._name), config.settings()
        options = LoadOptions(
            context=CONTEXT, threads=choice.threads(variant, settings), settings={"cache": str(self._folder)}
        )
        return child.load(self._name, [str(path)], options)

    def _writing(self, session: Session, tokens: int = ANSWER) -> float:
        """Seconds for each token after the first."""
        for _ in range(TRIES):
            first, last, made = self._ask(session, 8, tokens)
            if made >= LEAST_ANSWER:
                return (last - first) / (made - 1)
        raise LoadFailed(self._name, "yardstick", "no answer")

    def _reading(self, session: Session, tokens: int) -> float:
        return self._ask(session, tokens, 1)[0] / tokens

    def _ask(self, session: Session, tokens: int, most: int) -> tuple[float, float, int]:
        """Seconds until the first and the last piece, and how many tokens came."""
        prompt = "".join(self._letters.choices(string.ascii_letters, k=tokens))
        began, first, last, usage = perf_counter(), 0.0, 0.0, Usage(0, 0)
        for event in session.complete(CompleteRequest(prompt, Sampling(max_tokens=most, temperature=0))):
            last = perf_counter() - began
            if isinstance(event, Text):
                first = first or last
            elif isinstance(event, Usage):
                usage = event
        return first or last, last, usage.completion_tokens


def solve(dtype: str, large: Taken, deep: Taken, tiny: Taken, wordy: Taken) -> Rates:
    """The rates that explain what four models of one type took. `tiny` is so small that only the token counts, and
    `wordy` differs from it by its vocabulary alone."""
    token = tiny.writing
    byte, block = _two_unknowns(
        (_read(large), large.work.blocks, large.writing - token), (_read(deep), deep.work.blocks, deep.writing - token)
    )
    word = (wordy.writing - token - byte * (_read(wordy) - _read(tiny))) / (wordy.work.words - tiny.work.words)
    weight, attention = _two_unknowns(
        (_multiplied(large), large.work.attention, large.reading),
        (_multiplied(deep), deep.work.attention, deep.reading),
    )
    return Rates(token, block, max(word, 0.0), attention, {dtype: byte}, {dtype: weight})


def _two_unknowns(first: tuple[float, float, float], second: tuple[float, float, float]) -> tuple[float, float]:
    """x and y of: a x + b y = c, twice; neither is negative, since a disturbed measurement may have made it so."""
    (a1, b1, c1), (a2, b2, c2) = first, second
    determinant = a1 * b2 - a2 * b1
    x, y = (c1 * b2 - c2 * b1) / determinant, (a1 * c2 - a2 * c1) / determinant
    if x < 0 or y < 0:
        return (max(c1, 0.0) / a1, 0.0) if y < 0 else (0.0, max(c2, 0.0) / b2)
    return x, y


def _read(taken: Taken) -> int:
    return sum(taken.work.read.values())


def _multiplied(taken: Taken) -> int:
    return sum(taken.work.multiplied.values())


def add(known: Rates, taken: Taken, dtype: str) -> Rates:
    """The rates with those of one more type, from what a model of it took."""
    besides = known.token + taken.work.blocks * known.block + taken.work.words * known.word
    byte = max(taken.writing - besides, 0.0) / _read(taken)
    # Attention looks back at half of the prompt on average.
    attention = taken.work.attention * known.attention * taken.prompt / PROMPT
    weight = max(taken.reading - attention, 0.0) / _multiplied(taken)
    return replace(known, byte={**known.byte, dtype: byte}, weight={**known.weight, dtype: weight})


def _shared(known: Rates, same: Mapping[str, tuple[str, ...]]) -> Rates:
    """The rates with those of types that the engine turns into others that were measured."""
    byte, weight = dict(known.byte), dict(known.weight)
    for dtype, others in same.items():
        for other in others if dtype in byte else ():
            byte.setdefault(other, byte[dtype])
            weight.setdefault(other, weight[dtype])
    return replace(known, byte=byte, weight=weight)


def _installed(name: str) -> bool:
    target = Target(name="yardstick", format="gguf", files=())
    return any(variant.engine == name for variant in choice.installed(target, choice.AUTO, config.settings()))


def _keep(found: dict[str, Rates]) -> None:
    from abierto.journal import Journal

    settings = config.settings()
    journal = Journal.at(config.folders().data, settings.journal)
    for name, one in found.items():
        package = engines.PACKAGES.get(name)
        threads = choice.threads(choice.Variant(name), settings)
        version = metadata.version(package) if package else None
        journal.add_measurement(engine=name, engine_version=version, threads=threads, rates=rates.facts(one))
    journal.close()
