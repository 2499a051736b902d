"""What `tune` measured, as plain values: for `--json` and for the server."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from abierto import config
from abierto.runtime import choice
from abierto.runtime.choice import Measured
from abierto.runtime.tune import Row


def facts(row: Row) -> dict[str, Any]:
    """A row: engine, threads, settings, and its speeds (see `choice.Speeds`) or the code of its error."""
    threads = choice.threads(row.variant, config.settings())
    told = {"engine": row.variant.engine, "threads": threads, "settings": dict(row.variant.settings)}
    if row.measured:
        return {**told, "speeds": asdict(row.measured.speeds), "features": list(row.measured.features)}
    return {**told, "error": row.error.code if row.error else None}


def choices(measured: Sequence[Measured]) -> dict[str, Any]:
    """For each use the row that `auto` takes; None where nothing was measured."""
    return {use: _best(measured, use) for use in choice.USES}


def _best(measured: Sequence[Measured], use: str) -> dict[str, Any] | None:
    found = choice.best(measured, use)[:1]
    return facts(Row(found[0].variant, found[0])) if found else None
