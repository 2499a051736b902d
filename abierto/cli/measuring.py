"""`abierto doctor --measure`: how fast each engine reads and multiplies weights on this computer, in a table."""

import sys
from collections.abc import Mapping
from time import monotonic

from abierto import config
from abierto.cli import out
from abierto.errors import FolderNotWritable
from abierto.locale import text
from abierto.locale.numbers import decimal, duration
from abierto.recipes import measurement
from abierto.recipes.measurement import Stage
from abierto.runtime.rates import Rates, facts

BILLION = 1e9


def show(as_json: bool) -> None:
    """Measure with progress, and show."""
    try:
        found = _measured()
    except OSError as error:
        raise FolderNotWritable(str(config.folders().data)) from error
    if as_json:
        out.as_json({name: facts(rates) for name, rates in found.items()})
        return
    if not found:
        out.say(text("measuring.nothing"))
        return
    headings = [text(f"measuring.{column}") for column in ("engine", "type", "read", "multiplied")]
    out.table(headings, [row for name, rates in found.items() for row in _rows(name, rates)])


def _rows(name: str, rates: Rates) -> list[list[str]]:
    def per_second(seconds: float) -> str:
        return decimal(1 / seconds / BILLION, 1) if seconds else "-"

    return [[name, dtype, per_second(rates.byte[dtype]), per_second(rates.weight[dtype])] for dtype in rates.byte]


def _measured() -> Mapping[str, Rates]:
    drawn, began, engine = out.is_terminal(sys.stderr) and config.wants_colour(), monotonic(), ""
    steps = measurement.measure()
    try:
        while True:
            stage = next(steps)
            if drawn:
                sys.stderr.write(f"\r\x1b[K{out.shortened(_line(stage, monotonic() - began))}")
                sys.stderr.flush()
            elif stage.engine != engine:
                out.note(stage.engine)
            engine = stage.engine
    except StopIteration as end:
        found: Mapping[str, Rates] = end.value
        return found
    finally:
        steps.close()
        if drawn:
            sys.stderr.write("\r\x1b[K")


def _line(stage: Stage, passed: float) -> str:
    whole = sum(measurement.BUDGETS.values())
    told = text("measuring.stage", engine=stage.engine, type=stage.dtype)
    return f"{told}  {text('progress.left', time=duration(max(whole - passed, 1.0)))}"
