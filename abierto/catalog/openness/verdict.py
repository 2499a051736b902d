"""The form of a verdict: checks with an outcome and reasons. Codes here, sentences at the faces."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Where


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an outcome is as it is. facts: `component` by its key, `license` as it is written, `aspect`."""

    code: str
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Check:
    """One question of a rule book with its answer. where: what the answer rests on; none where nothing was found."""

    key: str
    outcome: str
    reasons: tuple[Reason, ...] = ()
    where: tuple[Where, ...] = ()


@dataclass(frozen=True, slots=True)
class Rubric:
    """A rule book's questions. version: of the rules. outcome: of all together; empty where they give none."""

    version: str
    checks: tuple[Check, ...]
    outcome: str = ""


def about(finding: Finding) -> Reason:
    """What there is to say of one component: whether it is there, and under what."""
    facts = {"component": finding.component.key, "license": finding.license or ""}
    if not finding.present:
        return Reason(finding.status, facts)
    if not finding.license:
        return Reason("no_license", facts)
    return Reason("open" if terms.is_open(finding.license, finding.component.kind) else "not_open", facts)
