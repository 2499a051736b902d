"""`abierto tune`: what each engine here does with a model, in a table, and which one `auto` takes for what."""

import sys
from contextlib import closing
from time import monotonic

from abierto import config
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import FolderNotWritable
from abierto.locale import text
from abierto.locale.numbers import count, decimal, duration
from abierto.runtime import choice, tuned
from abierto.runtime import tune as tuning
from abierto.runtime.choice import Variant

COLUMNS = ("start", "prompt", "generation", "repeating", "together")


@command("tune")
@argument("model", required=False, default="")
@option("-e", "--engine", default="", metavar="NAME")
@option("--json", "as_json", is_flag=True)
def tune(model: str, engine: str, as_json: bool) -> None:
    """Measure, show, and keep."""
    rows: list[tuning.Row] = []
    try:
        with closing(tuning.tune(model, engine)) as steps, _Line() as line:  # type: ignore[type-var]
            for told in steps:
                if isinstance(told, tuning.Row):
                    rows.append(told)
                else:
                    line.update(told)
    except OSError as error:
        raise FolderNotWritable(str(config.folders().data)) from error
    rows = tuning.newest(rows)
    measured = [row.measured for row in rows if row.measured]
    if as_json:
        out.as_json({"rows": [tuned.facts(row) for row in rows], "choice": tuned.choices(measured)})
        return
    headings = [text(f"tune.{column}") for column in ("engine", "threads", *COLUMNS)]
    out.table(headings, [_cells(row) for row in rows])
    for row in rows:
        if row.error:
            out.warn(row.error)
    for use in choice.USES if measured else ():
        out.say(text(f"tune.use.{use}", engine=_name(choice.best(measured, use)[0].variant)))


class _Line:
    """What is being measured, in one line that is drawn anew; elsewhere a line for each engine."""

    def __init__(self) -> None:
        self._drawn = out.is_terminal(sys.stderr) and config.wants_colour()
        self._began = monotonic()
        self._last: Variant | None = None

    def __enter__(self) -> "_Line":
        return self

    def __exit__(self, *_: object) -> None:
        if self._drawn:
            sys.stderr.write("\r\x1b[K")

    def update(self, step: tuning.Step) -> None:
        name, of = _name(step.variant), text("tune.of", number=count(step.done + 1), total=count(step.total))
        if not self._drawn:
            if step.variant != self._last:
                out.note(f"{of}: {name}")
        else:
            passed = monotonic() - self._began
            left = max(tuning.BUDGET - passed, 0.0) if not step.done else passed / step.done * (step.total - step.done)
            what = text(f"tune.stage.{step.stage}")
            parts = [of, name, what, text("progress.left", time=duration(left))]
            sys.stderr.write(f"\r\x1b[K{out.shortened('  '.join(parts))}")
            sys.stderr.flush()
        self._last = step.variant


def _name(variant: Variant) -> str:
    parts = [variant.engine]
    if "llama_server" in variant.settings:
        parts.append("llama-server")
    if "speculation" in variant.settings:
        parts.append(text("tune.speculation"))
    if variant.threads:
        parts.append(text("tune.with_threads", threads=count(variant.threads)))
    return f"{parts[0]} ({', '.join(parts[1:])})" if parts[1:] else parts[0]


def _cells(row: tuning.Row) -> list[str]:
    threads = count(choice.threads(row.variant, config.settings()))
    if not row.measured:
        return [_name(row.variant), threads, *(["-"] * len(COLUMNS))]
    speeds = row.measured.speeds
    return [
        _name(row.variant),
        threads,
        f"{decimal(speeds.start, 2)} s",
        *(decimal(speed, 1) if (speed := getattr(speeds, column)) else "-" for column in COLUMNS[1:]),
    ]
