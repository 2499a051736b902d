"""How fast a model was on this computer: by what `tune` measured of its file, else by the answers in the journal.

It measures nothing itself, and guesses nothing: of a model that never ran here it knows no speed, `rates` may.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any, Literal

from abierto import config
from abierto.errors import JournalUnavailable
from abierto.runtime import choice
from abierto.runtime.resolve import Target

# Answers of the journal that count, the newest first; and the tokens from which on a time says something of the speed.
RUNS, LEAST_TOKENS = 100, 16


@dataclass(frozen=True, slots=True)
class Speed:
    """Tokens per second. prompt: 0 where unknown, as it is by `runs` of the journal, which do not tell how much of a
    prompt was known from before. by: what tells it; `computer`: it is foretold by what was measured of the computer.
    answers: how many answers it is the median of."""

    prompt: float
    generation: float
    by: Literal["tune", "runs", "computer"]
    answers: int = 0


def of_engine(target: Target, engine: str) -> Speed | None:
    """The speed with an engine, or None where nothing is known. An unreadable journal knows nothing."""
    rows = [row for row in choice.measured(target) if row.variant.engine == engine]
    if rows:
        best = choice.best(rows, "one_user")[0].speeds
        return Speed(best.prompt, best.generation, "tune")
    return _of_runs(row for row in _runs(target.name) if row["engine"] == engine)


def _of_runs(rows: Iterable[Mapping[str, Any]]) -> Speed | None:
    speeds = [
        row["completion_tokens"] / row["generation_seconds"]
        for row in rows
        if (row["completion_tokens"] or 0) >= LEAST_TOKENS and row["generation_seconds"]
    ]
    return Speed(0.0, median(speeds), "runs", len(speeds)) if speeds else None


def _runs(model: str) -> list[Mapping[str, Any]]:
    from abierto.journal import RUNS as TABLE
    from abierto.journal import Journal

    folder = config.folders().data
    settings = config.settings()
    if not settings.journal and not (folder / "journal.db").exists():
        return []
    try:
        journal = Journal.at(folder, settings.journal)
        try:
            return journal.recent(TABLE, model, RUNS)
        finally:
            journal.close()
    except JournalUnavailable:
        return []
