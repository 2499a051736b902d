"""How far `auto` is behind the best installed choice: over models of 0.1 to 1.5 billion parameters, and every use.

`abierto tune` measures once, and `auto` chooses by that. Then everything is measured twice more, and in those later
measurements the choice is compared with what turned out to be the best.
"""

import tempfile
from collections.abc import Iterator
from pathlib import Path

from abierto.config import folders
from abierto.runtime import choice
from abierto.runtime.choice import Measured, Variant
from abierto.runtime.resolve import resolve
from abierto.runtime.tune import Row, newest, tune
from bench import random_model
from bench.engines import MODEL, told
from bench.measure import median

GOAL = 1.05
EXAMS = 2


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    yield "| model | use | auto takes | best | time, against the best | goal | reached |"
    yield "|---|---|---|---|---|---|---|"
    words = resolve(MODEL, folders().models).files[0]
    yield from _of_model(MODEL, MODEL)
    with tempfile.TemporaryDirectory() as folder:
        for name, shape in random_model.SHAPES.items():
            path = random_model.write(Path(folder) / f"random-{name}.gguf", shape, words)
            yield from _of_model(f"random weights, {name}", str(path))
            path.unlink()


def _of_model(title: str, name: str) -> Iterator[str]:
    first = _tuned(name)
    exams = [_tuned(name) for _ in range(EXAMS)]
    for use in choice.USES:
        taken = choice.best(first, use)[0].variant
        # What was measured every time: other numbers of threads are only measured whole where they look better.
        common = [row.variant for row in first if all(_of(row.variant, exam) for exam in exams)]
        if taken not in common:
            common.append(taken)
        times = {_key(variant): _time(variant, exams, use) for variant in common}
        best = min(common, key=lambda variant: times[_key(variant)])
        behind = times[_key(taken)] / times[_key(best)]
        reached = "yes" if behind <= GOAL else "no"
        yield f"| {title} | {use} | {told(taken)} | {told(best)} | {behind:.2f} | at most {GOAL} | {reached} |"


def _tuned(name: str) -> list[Measured]:
    rows = newest(told for told in tune(name) if isinstance(told, Row))
    found = [row.measured for row in rows if row.measured]
    assert found, f"no engine measured {name}"
    return found


def _of(variant: Variant, rows: list[Measured]) -> Measured | None:
    return next((row for row in rows if row.variant == variant), None)


def _time(variant: Variant, exams: list[list[Measured]], use: str) -> float:
    found = [row for exam in exams if (row := _of(variant, exam))]
    return median([choice.seconds(row.speeds, use) for row in found]) if found else float("inf")


def _key(variant: Variant) -> str:
    return repr(variant)
