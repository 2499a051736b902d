"""The four freedoms of each component that is there: use, study, modify and share, and the clauses that limit them.

Where no licence is stated, the law leaves next to none of them; that is `not_shown`, since a licence may exist.
"""

from abierto.catalog.openness import clauses, terms
from abierto.catalog.openness.evidence import Finding, Inventory
from abierto.catalog.openness.verdict import Check, about

FREEDOMS = ("use", "study", "modify", "share")


def of(inventory: Inventory) -> dict[str, tuple[Check, ...]]:
    """For each component that is present, by its key, one check for each freedom: `granted`, `limited`, `unclear` (no
    clause was read that limits it, and the licence is on no list of open ones) or `not_shown`."""
    present = [finding for finding in inventory.findings if finding.present]
    return {finding.component.key: tuple(_check(name, finding) for name in FREEDOMS) for finding in present}


def _check(freedom: str, finding: Finding) -> Check:
    if not finding.license:
        return Check(freedom, "not_shown", (about(finding),))
    if terms.is_open(finding.license, finding.component.kind) or terms.is_open(finding.license, "data"):
        return Check(freedom, "granted", (about(finding),))
    limits = tuple(reason for reason in clauses.of(finding.license) if freedom in clauses.LIMITED[reason.code])
    if limits:
        return Check(freedom, "limited", limits)
    # To look into what is there needs no more than having it.
    return Check(freedom, "granted" if terms.limits(finding.license) else "unclear", (about(finding),))
