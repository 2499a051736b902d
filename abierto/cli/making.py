"""What the commands that make models share: the progress, the journal, the words at the end."""

from collections.abc import Generator
from contextlib import closing
from time import perf_counter
from typing import Any

from abierto import config
from abierto.cli import out
from abierto.cli.progress import ProgressLine
from abierto.cli.pull import journal_pull
from abierto.errors import AbiertoError
from abierto.locale import text
from abierto.locale.numbers import size
from abierto.recipes.destination import SCHEME
from abierto.recipes.steps import Step
from abierto.runtime.wanted import make_private
from abierto.store.records import Record


def make(name: str, kind: str, base: str, steps: Generator[Step, None, Record]) -> None:
    """Let a model be made, show how far it is, and write it into the journal."""
    make_private(config.folders().data)
    started = perf_counter()
    facts: dict[str, Any] = {"model": name, "source": f"{SCHEME}{base}#{kind}"}
    try:
        record = _shown(name, steps)
    except (AbiertoError, KeyboardInterrupt) as error:
        journal_pull(**facts, outcome=getattr(error, "code", "cancelled"), seconds=perf_counter() - started)
        raise
    facts |= {"source": record.source, "sha256": record.files[0].sha256, "bytes": record.size}
    journal_pull(**facts, outcome="done", seconds=perf_counter() - started)
    out.note(text("quantize.done", name=name, size=size(record.size), path=record.files[0].path))
    out.note(text("quantize.next", name=name))


def _shown(name: str, steps: Generator[Step, None, Record]) -> Record:
    with closing(steps), ProgressLine(name) as line:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                record: Record = end.value
                return record
            line.update(text(f"stage.{step.stage}"), step.done, step.total)
