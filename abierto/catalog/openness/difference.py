"""Where two reports differ: two models, or two revisions of one. Codes here, sentences at the faces."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from abierto.catalog.openness.identity import KEYS
from abierto.catalog.openness.mof import MOFVerdict
from abierto.catalog.openness.report import Report
from abierto.catalog.openness.verdict import Check


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that differs. section: of the report. key: which line of it; `component.freedom` for a freedom.

    kind: whether first and second are outcomes, classes of the framework, or words as they were found; empty words for
    what one of the two does not have.
    """

    section: str
    key: str
    kind: Literal["outcome", "class", "words"]
    first: str
    second: str


def between(first: Report, second: Report) -> tuple[Change, ...]:
    """All that differs, in the order of the report."""
    return tuple(change for change in _pairs(first, second) if change.first != change.second)


def _pairs(first: Report, second: Report) -> Iterator[Change]:
    for key in KEYS:
        stated = (report.inventory.identity.get(key) for report in (first, second))
        yield Change("identity", key, "words", *(said.value if said else "" for said in stated))
    for one, other in zip(first.inventory.findings, second.inventory.findings, strict=True):
        yield Change("components", one.component.key, "outcome", one.status, other.status)
        yield Change("licenses", one.component.key, "words", one.license or "", other.license or "")
    yield Change("licenses", "stated", "words", _stated(first), _stated(second))
    yield Change("lineage", "base_models", "words", *(", ".join(r.inventory.base_models) for r in (first, second)))
    yield from _classes("strict", first.mof_strict, second.mof_strict)
    yield from _classes("published", first.mof_as_published, second.mof_as_published)
    for name, one_, other_ in (
        ("osi", first.osi, second.osi),
        ("european", first.european, second.european),
        ("ai_act", first.ai_act, second.ai_act),
    ):
        yield from _checks(name, one_.checks, other_.checks)
        yield Change(name, "whole", "outcome", one_.outcome, other_.outcome)
    yield Change("marking", "marking", "outcome", first.marking.outcome, second.marking.outcome)
    yield from _freedoms(first, second)
    yield from _checks("to_run", first.to_run, second.to_run)
    yield from _checks("to_rebuild", first.to_rebuild, second.to_rebuild)


def _stated(report: Report) -> str:
    return ", ".join(sorted({said.license for said in report.inventory.licenses}))


def _classes(way: str, one: MOFVerdict, other: MOFVerdict) -> Iterator[Change]:
    yield Change("mof", way, "class", str(one.level), str(other.level))
    for level, result in one.classes.items():
        reached = [f"{len(verdict.included)}/{verdict.required}" for verdict in (result, other.classes[level])]
        yield Change("mof", f"{way}.{level}", "words", *reached)


def _checks(section: str, one: tuple[Check, ...], other: tuple[Check, ...]) -> Iterator[Change]:
    known = {check.key: check.outcome for check in other}
    for check in one:
        yield Change(section, check.key, "outcome", check.outcome, known.pop(check.key, ""))
    for key, outcome in known.items():
        yield Change(section, key, "outcome", "", outcome)


def _freedoms(first: Report, second: Report) -> Iterator[Change]:
    for key in dict.fromkeys([*first.freedoms, *second.freedoms]):
        granted = [{check.key: check.outcome for check in report.freedoms.get(key, ())} for report in (first, second)]
        for freedom in dict.fromkeys([*granted[0], *granted[1]]):
            one, other = (each.get(freedom, "") for each in granted)
            yield Change("freedoms", f"{key}.{freedom}", "outcome", one, other)
