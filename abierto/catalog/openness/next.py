"""What the makers of a model could publish to reach the next class of the Model Openness Framework."""

from abierto.catalog.openness import mof
from abierto.catalog.openness.evidence import COMPONENTS, Inventory
from abierto.catalog.openness.mof import PAPER, REPORT
from abierto.catalog.openness.verdict import Check, Reason

# Licences that the framework prefers for each kind of content.
PREFERRED = {"code": "Apache-2.0", "data": "CDLA-Permissive-2.0", "document": "CC-BY-4.0"}
# How a component stands -> what would change that.
_STEPS = {"missing": "publish", "unlicensed": "state_license", "invalid": "change_license"}


def steps(inventory: Inventory) -> tuple[int, tuple[Check, ...]]:
    """The class that is next, 0 where the highest is reached; and one check for each component that stands in the way,
    with `publish`, `state_license` or `change_license` as its outcome."""
    verdict = mof.strict(inventory)
    target = verdict.level - 1 if verdict.level else 3
    if not target:
        return 0, ()
    result = verdict.classes[target]
    stands = {number: how for how in _STEPS for number in getattr(result, how)}
    if REPORT in result.included or PAPER in result.included:
        # One of the two is enough below class I.
        stands.pop(REPORT, None)
        stands = {number: how for number, how in stands.items() if number != PAPER or target == 1}
    return target, tuple(
        Check(
            component.key, _STEPS[stands[component.id]], (Reason("preferred", {"license": PREFERRED[component.kind]}),)
        )
        for component in COMPONENTS
        if component.id in stands and component.required
    )
