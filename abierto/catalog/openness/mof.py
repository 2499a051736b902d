"""The classes of the Model Openness Framework, in two ways.

`strict`: a component counts when there is evidence of it and its own licence is open for its kind of content.
`as_published`: the way of the framework's own tool (ModelEvaluator.php), in which the licence of a release flows to
every component without one, and a licence is open when it is on one of three lists. Its verdict is reproduced, not
recommended. Neither looks at what a link leads to.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from abierto.catalog.licensing.flags import is_open_as_published
from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import BY_KEY, BY_NAME, COMPONENTS, Component, Inventory
from abierto.catalog.openness.terms import UNLICENSED

VERSION = "MOF 1.0 (2024-12-15)"
PUBLISHED_VERSION = "MOT 2026-05-11 (8b5d30e), MOF 1.0"
REPORT, PAPER = BY_KEY["technical_report"].id, BY_KEY["paper"].id

Standing = Literal["included", "invalid", "unlicensed"]

_CODE = "0BSD AFL-1.1 AFL-1.2 AFL-2.0 AFL-2.1 AFL-3.0 Apache-1.0 Apache-1.1 Apache-2.0 ECL-1.0 ECL-2.0 ISC MIT MIT-0"
# As the tool's own list has them after it was read: where a licence stands in it twice, the last row counts.
_APPROPRIATE: Mapping[str, frozenset[str]] = {
    "code": frozenset([*_CODE.split(), "MulanPSL-1.0", "MulanPSL-2.0", "NCSA", "UPL-1.0", "OpenMDW-1.0"]),
    "data": frozenset(["CDLA-Permissive-1.0", "CDLA-Permissive-2.0", "C-UDA-1.0", "PDDL-1.0", "OpenMDW-1.0"]),
    "document": frozenset(
        ["Apache-2.0", "CC-BY-4.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "FreeBSD-DOC", "CC-PDDC", "CC0-1.0", "OpenMDW-1.0"]
    ),
}


@dataclass(frozen=True, slots=True)
class ClassResult:
    """One class: the numbers of the components by how they stand, and the progress in per cent.

    progress: 0 where a class below is not complete, whatever is there. required: how many count in it.
    """

    level: int
    progress: float
    required: int
    included: tuple[int, ...]
    missing: tuple[int, ...]
    invalid: tuple[int, ...]
    unlicensed: tuple[int, ...]
    optional: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class MOFVerdict:
    """The class, 1 the most open to 3, or 0 for none; each class by its number; components whose licence is open, but
    made for another kind of content."""

    level: int
    classes: Mapping[int, ClassResult]
    not_type_appropriate: tuple[int, ...]
    version: str


def strict(inventory: Inventory) -> MOFVerdict:
    """By what was found: nothing inherits a licence."""
    listed = {item.component.id: item.license for item in inventory.findings if item.present}
    return _verdict(listed, lambda component, license_: terms.is_open(license_, component.kind), VERSION)


def as_published(inventory: Inventory) -> MOFVerdict:
    """The same findings in the way of the published tool: the licence stated for the model flows to all the rest."""
    stated = next((terms.identifier(said.license) for said in inventory.licenses), None)
    listed = {
        item.component.id: terms.identifier(item.license) if item.license else stated
        for item in inventory.findings
        if item.present
    }
    return _verdict(listed, _open_as_published, PUBLISHED_VERSION)


def of_release(release: Mapping[str, Any]) -> MOFVerdict:
    """What the published tool says of a release as its YAML files describe them.

    Raises KeyError for the name of a component that the framework does not have. (The tool takes it for another.)
    """
    shared: Mapping[str, Any] = release.get("license") or {}
    listed: dict[int, str | None] = {}
    for item in release["components"]:
        component = BY_NAME[item["name"]]
        listed[component.id] = _effective(item, component, shared)
    return _verdict(listed, _open_as_published, PUBLISHED_VERSION)


def _effective(item: Mapping[str, Any], component: Component, shared: Mapping[str, Any]) -> str | None:
    """A component's own licence; else that of the release for its kind of content; else that of the release."""
    own = item.get("license")
    if own is not None:
        return own if own != UNLICENSED else None
    names = ((shared.get(scope) or {}).get("name") for scope in (component.kind, "distribution"))
    return next((name for name in names if name), None)


def _open_as_published(_: Component, license_: str) -> bool:
    return is_open_as_published(license_)


def _verdict(listed: Mapping[int, str | None], opens: Callable[[Component, str], bool], version: str) -> MOFVerdict:
    sorted_ = {level: _sorted(level, listed, opens) for level in (3, 2, 1)}
    _waive_the_report(sorted_)
    classes: dict[int, ClassResult] = {}
    complete = True
    for level, groups in sorted_.items():
        required = sum(component.required and component.level >= level for component in COMPONENTS)
        if level == 1 and REPORT not in groups["included"] and PAPER in groups["included"]:
            required -= 1
        progress = min(len(groups["included"]) / required * 100, 100.0) if complete else 0.0
        complete = complete and progress == 100
        classes[level] = ClassResult(
            level, progress, required, **{name: tuple(numbers) for name, numbers in groups.items()}
        )
    reached = min((level for level, result in classes.items() if result.progress == 100), default=0)
    odd = tuple(component.id for component in COMPONENTS if _is_odd(component, listed, opens))
    return MOFVerdict(reached, classes, odd, version)


def _sorted(
    level: int, listed: Mapping[int, str | None], opens: Callable[[Component, str], bool]
) -> dict[str, list[int]]:
    groups: dict[str, list[int]] = {name: [] for name in ("included", "missing", "invalid", "unlicensed", "optional")}
    for component in (component for component in COMPONENTS if component.level >= level):
        if component.id not in listed:
            if component.required:
                groups["missing"].append(component.id)
            continue
        standing = _standing(component, listed[component.id], opens)
        groups["optional" if standing == "included" and not component.required else standing].append(component.id)
    return groups


def _standing(component: Component, license_: str | None, opens: Callable[[Component, str], bool]) -> Standing:
    if not license_:
        return "unlicensed"
    return "included" if opens(component, license_) else "invalid"


def _waive_the_report(sorted_: Mapping[int, Mapping[str, list[int]]]) -> None:
    """A research paper may stand for the technical report: it then counts in the classes that ask for the report."""
    standing = next((name for name in ("included", "invalid", "unlicensed") if PAPER in sorted_[1][name]), None)
    if REPORT in sorted_[3]["included"] or standing is None:
        return
    for level, groups in sorted_.items():
        if REPORT in groups["missing"]:
            groups["missing"].remove(REPORT)
        if level > 1:
            groups[standing].append(PAPER)


def _is_odd(component: Component, listed: Mapping[int, str | None], opens: Callable[[Component, str], bool]) -> bool:
    license_ = listed.get(component.id)
    return bool(license_) and opens(component, license_ or "") and license_ not in _APPROPRIATE[component.kind]


def names(numbers: Sequence[int]) -> list[str]:
    """The names of components by their numbers."""
    known = {component.id: component.name for component in COMPONENTS}
    return [known[number] for number in numbers]
