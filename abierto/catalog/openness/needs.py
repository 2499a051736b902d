"""What is needed to run a model on one's own computer, and what to rebuild it; and what of that is there.

A statement in the card that tells of a thing is `told`: it helps, and is not the thing. What it would cost in time and
machines is not known here.
"""

from abierto.catalog.openness.evidence import Inventory
from abierto.catalog.openness.verdict import Check, Reason, about

_REBUILD = (
    "datasets",
    "preprocessing_code",
    "training_code",
    "architecture",
    "metadata",
    "libraries",
    "evaluation_code",
    "evaluation_data",
    "checkpoints",
)
# Where a thing itself is not there, the part of the card that tells of it.
_TELLS = {"datasets": "data", "training_code": "training", "architecture": "architecture"}


def to_run(inventory: Inventory, engine: str = "") -> tuple[Check, ...]:
    """The minimum. engine: the program here that runs files of this format, which then stands for the code."""
    code = _thing(inventory, "inference_code")
    if engine and code.outcome != "there":
        code = Check("inference_code", "there", (Reason("engine_here", {"engine": engine}),))
    return (
        code,
        _thing(inventory, "architecture"),
        _thing(inventory, "weights"),
        _aspect(inventory, "instructions"),
        _thing(inventory, "model_card"),
    )


def to_rebuild(inventory: Inventory) -> tuple[Check, ...]:
    """What a rebuild starts from, and the machines that it took."""
    return (*(_thing(inventory, key) for key in _REBUILD), _aspect(inventory, "hardware"))


def _thing(inventory: Inventory, key: str) -> Check:
    finding = inventory[key]
    if finding.present:
        return Check(key, "there", (about(finding),), finding.where[:1])
    aspect = _TELLS.get(key, "")
    if aspect in inventory.notes:
        return Check(key, "told", (about(finding), Reason("told", {"aspect": aspect})), (inventory.notes[aspect],))
    return Check(key, finding.status, (about(finding),), finding.where[:1])


def _aspect(inventory: Inventory, aspect: str) -> Check:
    where = inventory.notes.get(aspect)
    outcome, code = ("there", "told") if where else ("not_shown", "not_told")
    return Check(aspect, outcome, (Reason(code, {"aspect": aspect}),), (where,) if where else ())
