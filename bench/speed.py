"""How near the speed that is foretold comes to what is measured: the starter model, and models of random weights in the
shapes of published ones.

The computer is measured before each case and after it (as `abierto doctor --measure` does, with the types of weights
that the case has), and what is foretold is the mean of both: a computer that is shared runs at another speed from one
minute to the next. Where the two differ by more than `UNSTEADY`, the case is measured once more, three times at most.
Nothing that was measured here is learned from. The formula was made with the models of `LOOKED_AT`; nobody had looked
at the first five of `HELD_BACK` then, nor at the others before 2026-12-01, when it had long been as it is.
"""

import random
import tempfile
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter

from abierto import machine
from abierto.config import folders
from abierto.engines.session import LoadOptions, Session
from abierto.errors import LoadFailed
from abierto.formats.gguf import read_parts
from abierto.recipes import codec_choice, measurement
from abierto.recipes.yardstick import Shape, make
from abierto.runtime import child, rates
from abierto.runtime.rates import Rates, Work
from abierto.runtime.resolve import resolve
from abierto.runtime.speed import Speed
from abierto.tasks.chat import Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Text, Usage
from bench.engines import MODEL

GOAL = 0.20
UNSTEADY = 0.15
LONGEST = 120.0  # seconds of a measurement, which need not be short here
PROMPT, ANSWER, TRIES = 512, 32, 3  # tokens; of three the middle one counts
# What each is like -> its shape and the type of its weights.
LOOKED_AT = {
    "Qwen2.5 0.5B": (Shape(24, 896, 4864, 14, 2, 150_000), "Q8_0"),
    "TinyLlama 1.1B": (Shape(22, 2048, 5632, 32, 4, 32_000), "Q4_K"),
    "GPT-2 124M": (Shape(12, 768, 3072, 12, 12, 50_257), "F16"),
}
HELD_BACK = {
    "Llama 3.2 1B": (Shape(16, 2048, 8192, 32, 8, 128_256), "Q4_K"),
    "SmolLM2 360M": (Shape(32, 960, 2560, 15, 5, 49_152), "Q8_0"),
    "Qwen3 0.6B": (Shape(28, 1024, 3072, 16, 8, 151_936), "Q4_0"),
    "Gemma 3 270M": (Shape(18, 640, 2048, 4, 1, 262_144), "F16"),
    "Falcon3 1B": (Shape(18, 2048, 8192, 8, 4, 131_072), "Q4_1"),
    "Qwen2.5 1.5B": (Shape(28, 1536, 8960, 12, 2, 151_936), "Q4_K"),
    "SmolLM2 1.7B": (Shape(24, 2048, 8192, 32, 32, 49_152), "Q6_K"),
    "EuroLLM 1.7B": (Shape(24, 2048, 5632, 16, 8, 128_000), "Q8_0"),
    "Salamandra 2B": (Shape(24, 2048, 5440, 16, 16, 256_000), "Q4_1"),
}


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    codec = codec_choice.find()
    columns = ["case", "model", "weights", "engine", "foretold writing, token/s", "measured", "away"]
    columns += ["foretold reading, token/s", "measured", "away", "within 20 %", "before against after", "tries"]
    yield f"| {' | '.join(columns)} |"
    yield "|---" * len(columns) + "|"
    starter = resolve(MODEL, folders().models).files[0]
    for engine in measurement.BUDGETS:
        yield _row("looked at", MODEL, "Q4_1", engine, starter)
    with tempfile.TemporaryDirectory() as folder:
        for kind, cases in (("held back", HELD_BACK), ("looked at", LOOKED_AT)):
            for name, (shape, dtype) in cases.items():
                path = make(Path(folder) / "model.gguf", shape, dtype, codec)
                for engine in measurement.BUDGETS:
                    yield _row(kind, name, dtype, engine, str(path))


def _row(kind: str, name: str, dtype: str, engine: str, path: str) -> str:
    began, tries = f"| {kind} | {name} | {dtype} | {engine} |", 0
    while True:
        tries += 1
        try:
            seen = _seen(engine, path)
        except LoadFailed as error:
            return f"{began} does not load: {error.detail} | | | | | | | | |"
        if not seen:
            return f"{began} unknown | | | | | | | | |"
        if seen.steady or tries == TRIES:
            return f"{began} {seen.cells()} | {tries} |"


@dataclass(frozen=True, slots=True)
class _Seen:
    """A case: what was foretold before and after it, and the tokens per second that were written and read."""

    before: Speed
    after: Speed
    writing: float
    reading: float

    @property
    def changes(self) -> tuple[float, float]:
        """By what the computer was faster before it than after it."""
        return self.before.generation / self.after.generation - 1, self.before.prompt / self.after.prompt - 1

    @property
    def steady(self) -> bool:
        """Whether the computer stayed as it was."""
        return max(map(abs, self.changes)) <= UNSTEADY

    def cells(self) -> str:
        """Of its row in the table."""
        told = (self.before.generation + self.after.generation) / 2, (self.before.prompt + self.after.prompt) / 2
        away = told[0] / self.writing - 1, told[1] / self.reading - 1
        cells = [f"{told[0]:.1f}", f"{self.writing:.1f}", f"{away[0]:+.0%}"]
        cells += [f"{told[1]:.0f}", f"{self.reading:.0f}", f"{away[1]:+.0%}"]
        cells += [
            "yes" if max(map(abs, away)) <= GOAL else "no",
            ", ".join(f"{change:+.0%}" for change in self.changes),
        ]
        return " | ".join(cells)


def _seen(engine: str, path: str) -> _Seen | None:
    work = rates.work_of(read_parts([path]), engine)
    before = _foretold(work, engine)
    writing, reading = _measured(engine, path)
    after = _foretold(work, engine)
    return _Seen(before, after, writing, reading) if before and after else None


def _foretold(work: Work, engine: str) -> Speed | None:
    """What a measurement of the computer, made now, says of a model."""
    same = measurement.SAME.get(engine, {})
    asked = {next((one for one, others in same.items() if dtype in others), dtype) for dtype in work.read}
    asked -= {measurement.USUAL[engine]}
    steps = measurement.measure({engine: LONGEST}, {engine: sorted(asked & set(measurement.TYPES[engine]))})
    while True:
        try:
            next(steps)
        except StopIteration as end:
            known: Rates | None = end.value.get(engine)
            return rates.foretell(work, known) if known else None


def _measured(engine: str, path: str) -> tuple[float, float]:
    """Tokens per second that are written and read."""
    with tempfile.TemporaryDirectory() as cache:
        options = LoadOptions(context=1024, threads=machine.cores().physical, settings={"cache": cache})
        with closing(child.load(engine, [path], options)) as session:
            _ask(session, 16, 4)
            writing = median(_writing(session) for _ in range(TRIES))
            reading = median(_reading(session) for _ in range(TRIES))
    return writing, reading


def _writing(session: Session) -> float:
    first, last, _, made = _ask(session, 8, ANSWER)
    return (made - 1) / (last - first)


def _reading(session: Session) -> float:
    first, _, read, _ = _ask(session, PROMPT, 1)
    return read / first


def _ask(session: Session, letters: int, most: int) -> tuple[float, float, int, int]:
    """Seconds until the first and the last piece; tokens of the prompt that were read, and of the answer."""
    prompt = "".join(random.choices("abcdefghijklmnop", k=letters))
    began, first, last, usage = perf_counter(), 0.0, 0.0, Usage(0, 0)
    for event in session.complete(CompleteRequest(prompt, Sampling(max_tokens=most, temperature=0))):
        last = perf_counter() - began
        if isinstance(event, Text):
            first = first or last
        elif isinstance(event, Usage):
            usage = event
    return first or last, last, usage.prompt_tokens - usage.cached_tokens, usage.completion_tokens
