"""The words of a report, in the language of who reads it: sections of lines, for every face that shows it."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from abierto.catalog.licensing.tags import title_of
from abierto.catalog.licensing.words import named, sentence
from abierto.catalog.openness.difference import Change
from abierto.catalog.openness.evidence import BY_KEY, BY_NAME, Finding, Refused, Where
from abierto.catalog.openness.identity import KEYS
from abierto.catalog.openness.mof import MOFVerdict
from abierto.catalog.openness.report import Report
from abierto.catalog.openness.verdict import Check, Reason
from abierto.locale import text
from abierto.locale.numbers import count, decimal

MOST_PLACES = 2  # in a line; JSON has all of them


@dataclass(frozen=True, slots=True)
class Line:
    """One line. label: what it is about. outcome: a code, for colours; said: its words. why, where: empty or words."""

    label: str
    said: str = ""
    outcome: str = ""
    why: str = ""
    where: str = ""

    def __str__(self) -> str:
        told = f"{self.label}: {self.said}" if self.said else self.label
        return told + (f" · {self.why}" if self.why else "") + (f" ({self.where})" if self.where else "")


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the report. key: its name in JSON. version: of the rules behind it, empty where there are none."""

    key: str
    title: str
    lines: tuple[Line, ...]
    version: str = ""


def sections(found: Report) -> Iterator[Section]:
    """The report from the components to what could be published next; a section without lines is left out."""
    for key, lines, version in _all(found):
        if lines:
            yield Section(key, text(f"openness.section.{key}"), tuple(lines), version)


def thing(key: str) -> str:
    """What a component or an aspect of a model is called."""
    return text(f"openness.component.{key}") if key in BY_KEY else text(f"openness.aspect.{key}")


def change(one: Change) -> str:
    """What differs between two reports, in one line."""
    first, second = (_valued(one, value) for value in (one.first, one.second))
    return f"{_subject(one)}: {first} → {second}"


def _subject(one: Change) -> str:
    key, _, rest = one.key.partition(".")
    if one.section == "freedoms":
        return f"{thing(key)}, {text(f'openness.freedom.{rest}')}"
    if one.section == "mof":
        return ", ".join([text(f"openness.mof.{key}"), *([text(f"openness.class.{rest}")] if rest else [])])
    if one.section == "identity":
        return text(f"openness.identity.{key}")
    if key in ("whole", "stated", "base_models"):
        return text(f"openness.{key}")
    if one.section in ("osi", "european", "ai_act"):
        return text(f"openness.{one.section}.{key}")
    return text("openness.ai_act.marking") if one.section == "marking" else thing(key)


def _valued(one: Change, value: str) -> str:
    if not value:
        return text("openness.nothing")
    return value if one.kind == "words" else text(f"openness.{one.kind}.{value}")


def _all(found: Report) -> Iterator[tuple[str, Sequence[Line], str]]:
    known = found.inventory.identity
    yield (
        "identity",
        [
            Line(text(f"openness.identity.{key}"), known[key].value, where=_places((known[key].where,)))
            for key in KEYS
            if key in known
        ],
        "",
    )
    yield "components", [*map(_component, found.inventory.findings), *map(_refused, found.inventory.refused)], ""
    stated = [Line(named(said.license), where=_places((said.where,), said.rule)) for said in found.inventory.licenses]
    disputed = [
        Line(sentence(conflict), outcome="fail" if conflict.conflict else "review")
        for conflict in found.inventory.conflicts
    ]
    yield "licenses", [*(stated or [Line(text("openness.no_statement"))]), *disputed], ""
    yield "mof", [*_mof("strict", found.mof_strict), *_mof("published", found.mof_as_published)], ""
    for name, rubric in (("osi", found.osi), ("european", found.european), ("ai_act", found.ai_act)):
        lines = [_check(text(f"openness.{name}.{check.key}"), check) for check in rubric.checks]
        if rubric.outcome:
            lines.append(Line(text("openness.whole"), text(f"openness.outcome.{rubric.outcome}"), rubric.outcome))
        yield name, lines, rubric.version
    dates = Line(text("openness.marking_dates"))
    yield "marking", [_check(text("openness.ai_act.marking"), found.marking), dates], ""
    yield "freedoms", [_freedoms(key, checks) for key, checks in found.freedoms.items()], ""
    yield "to_run", [_check(thing(check.key), check) for check in found.to_run], ""
    yield "to_rebuild", [_check(thing(check.key), check) for check in found.to_rebuild], ""
    yield "next", list(_steps(found)), ""


def _component(finding: Finding) -> Line:
    license_ = _expression(finding.license) if finding.license else text("openness.without_license")
    return Line(
        thing(finding.component.key),
        text(f"openness.outcome.{finding.status}"),
        finding.status,
        license_ if finding.present else "",
        _places(finding.where, finding.rule),
    )


def _refused(one: Refused) -> Line:
    known = BY_NAME.get(one.component)
    named = thing(known.key) if known else one.component
    return Line(
        text(f"openness.declared.{one.code}", component=named, location=one.location), "", "fail", "", one.place
    )


def _places(places: Sequence[Where], rule: str = "") -> str:
    shown = "; ".join(map(_place, places[:MOST_PLACES]))
    return f"{shown} [{rule}]" if rule and shown else shown


def _place(where: Where) -> str:
    lines = text("openness.lines", first=where.lines[0], last=where.lines[1]) if where.lines else ""
    quote = f"“{where.quote}”" if where.quote else ""
    return ", ".join(filter(None, (where.place, lines, where.section, quote)))


def _mof(way: str, verdict: MOFVerdict) -> Iterator[Line]:
    label = text("openness.ruled", way=text(f"openness.mof.{way}"), version=verdict.version)
    outcome = "met" if verdict.level else "not_met"
    yield Line(label, text(f"openness.class.{verdict.level}"), outcome)
    for level, result in verdict.classes.items():
        groups = [
            f"{text(f'openness.group.{group}')}: {', '.join(_named(getattr(result, group)))}"
            for group in ("missing", "unlicensed", "invalid")
            if getattr(result, group)
        ]
        progress = text(
            "openness.progress",
            percent=decimal(result.progress, 0),
            included=len(result.included),
            required=result.required,
        )
        outcome = "met" if result.progress >= 100 else "partial" if result.progress else "not_met"
        yield Line(text(f"openness.class.{level}"), progress, outcome, "; ".join(groups))


def _named(numbers: Sequence[int]) -> list[str]:
    known = {component.id: key for key, component in BY_KEY.items()}
    return [thing(known[number]) for number in numbers]


def _check(label: str, check: Check) -> Line:
    said = text(f"openness.outcome.{check.outcome}")
    reasons = [_reason(reason, check.key) for reason in check.reasons]
    why = "; ".join(reason for reason in reasons if reason != said)
    return Line(label, said, check.outcome, why, _places(check.where))


def _reason(reason: Reason, about: str) -> str:
    """about: what the line is about already, and need not be named again."""
    facts = dict(reason.facts)
    if "aspect" in facts:
        facts["aspect"] = text(f"openness.aspect.{facts['aspect']}")
    if "license" in facts:
        facts["license"] = _expression(facts["license"], title_of)
    if "above" in facts:
        facts["above"] = count(int(facts["above"]))
    for fact in ("measure", "then", "outputs", "models"):
        if fact in facts:
            facts[fact] = text(f"openness.{fact}.{facts[fact]}")
    if "limits" in facts:
        facts["limits"] = ", ".join(text(f"openness.limit.{limit}") for limit in facts["limits"].split(","))
    key = facts.pop("component", "")
    said = text(f"openness.reason.{reason.code}", **facts)
    return said if key in ("", about) else f"{thing(key)}: {said}"


def _expression(license_: str, called: Callable[[str], str] = named) -> str:
    """With the names of what has no identifier that people know."""
    parts = re.split("( AND | OR )", license_)
    return "".join(called(part) if part.startswith("LicenseRef-") else part for part in parts)


def _freedoms(key: str, checks: Sequence[Check]) -> Line:
    each = (f"{text(f'openness.freedom.{check.key}')} {text(f'openness.outcome.{check.outcome}')}" for check in checks)
    reasons = dict.fromkeys(_reason(reason, key) for check in checks for reason in check.reasons)
    outcomes = {check.outcome for check in checks}
    outcome = next((one for one in ("limited", "unclear", "not_shown") if one in outcomes), "granted")
    return Line(thing(key), ", ".join(each), outcome, "; ".join(reasons))


def _steps(found: Report) -> Iterator[Line]:
    if not found.next_class:
        yield Line(text("openness.next_none"))
        return
    yield Line(text("openness.next_class", level=text(f"openness.class.{found.next_class}")))
    for check in found.next_steps:
        yield _check(thing(check.key), check)
