"""All that is to say about the openness of a model, side by side. There is no number for all of it."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from abierto.catalog.openness import ai_act, european, freedoms, mof, needs, next, osi  # noqa: A004 - a module of ours
from abierto.catalog.openness.evidence import Inventory
from abierto.catalog.openness.mof import MOFVerdict
from abierto.catalog.openness.verdict import Check, Rubric

VERSION = 1


@dataclass(frozen=True, slots=True)
class Report:
    """What was found, and every verdict on it, each with the version of its rules."""

    inventory: Inventory
    mof_strict: MOFVerdict
    mof_as_published: MOFVerdict
    osi: Rubric
    european: Rubric
    ai_act: Rubric
    marking: Check
    freedoms: Mapping[str, tuple[Check, ...]]
    to_run: tuple[Check, ...]
    to_rebuild: tuple[Check, ...]
    next_class: int
    next_steps: tuple[Check, ...]


def of(inventory: Inventory, engine: str = "") -> Report:
    """The report. engine: the program here that runs the model's files, empty where none does."""
    next_class, steps = next.steps(inventory)
    return Report(
        inventory,
        mof.strict(inventory),
        mof.as_published(inventory),
        osi.judge(inventory),
        european.judge(inventory),
        ai_act.exemption(inventory),
        ai_act.marking(inventory),
        freedoms.of(inventory),
        needs.to_run(inventory, engine),
        needs.to_rebuild(inventory),
        next_class,
        steps,
    )


def as_json(report: Report) -> dict[str, Any]:
    """The report as plain values: what JSON holds, with `version` for its form."""
    return {"version": VERSION, **asdict(report)}
