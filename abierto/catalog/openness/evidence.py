"""The components of a model, and what was found of each.

The seventeen components are those of the Model Openness Framework, with the names, numbers, kinds of content and
classes that its tool uses: https://github.com/lfai/model_openness_tool (web/modules/mof/config/install). It judges
nothing.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from abierto.catalog.licensing.conflicts import Remark

Kind = Literal["code", "data", "document"]
Status = Literal["present", "absent", "not_shown"]


@dataclass(frozen=True, slots=True)
class Component:
    """One of the seventeen. id, name: as the framework's tool has them. key: ours. level: the class, 3 to 1, that asks
    for it first; not required: welcome in it, and never counted."""

    id: int
    key: str
    name: str
    kind: Kind
    level: int
    required: bool = True


COMPONENTS = (
    Component(9, "architecture", "Model architecture", "code", 3),
    Component(10, "weights", "Model parameters (Final)", "data", 3),
    Component(11, "technical_report", "Technical report", "document", 3),
    Component(12, "evaluation_results", "Evaluation results", "document", 3),
    Component(13, "model_card", "Model card", "document", 3),
    Component(14, "data_card", "Data card", "document", 3),
    Component(20, "sample_outputs", "Sample model outputs", "document", 3, required=False),
    Component(7, "training_code", "Training code", "code", 2),
    Component(8, "inference_code", "Inference code", "code", 2),
    Component(18, "evaluation_code", "Evaluation code", "code", 2),
    Component(19, "evaluation_data", "Evaluation data", "data", 2),
    Component(22, "libraries", "Supporting libraries and tools", "code", 2, required=False),
    Component(15, "datasets", "Datasets", "data", 1),
    Component(16, "preprocessing_code", "Data preprocessing code", "code", 1),
    Component(21, "paper", "Research paper", "document", 1),
    Component(24, "checkpoints", "Model parameters (Intermediate)", "data", 1),
    Component(17, "metadata", "Model metadata", "data", 1, required=False),
)
BY_KEY: Mapping[str, Component] = {component.key: component for component in COMPONENTS}
BY_NAME: Mapping[str, Component] = {component.name: component for component in COMPONENTS}
MOST_PLACES = 5  # for each component; a reader follows no more
# The rules of what the makers of a model declare themselves: a place in its folder, an address.
DECLARED_FILE, DECLARED_LINK = "declared_file", "declared_link"


@dataclass(frozen=True, slots=True)
class Where:
    """Where something was read. place: a file's path in the model's folder, or an address. lines: the first and the
    last, from 1. section: the headings above it. quote: the words themselves, cut after 200 characters."""

    place: str
    lines: tuple[int, int] | None = None
    section: str = ""
    quote: str = ""


@dataclass(frozen=True, slots=True)
class Said:
    """A fact, and where it was read."""

    value: str
    where: Where


@dataclass(frozen=True, slots=True)
class Seen:
    """One thing that speaks for or against a component. rule: the name of what found it. file: it lies here itself.

    license: the component's own, as it is written where it was found; None where none is stated.
    """

    key: str
    where: Where
    rule: str
    status: Status = "present"
    license: str | None = None
    file: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """What is known of one component. where: the best evidence first; none where nothing was found."""

    component: Component
    status: Status = "not_shown"
    where: tuple[Where, ...] = ()
    rule: str = ""
    license: str | None = None

    @property
    def present(self) -> bool:
        """Whether there is a file, or a link to it."""
        return self.status == "present"


@dataclass(frozen=True, slots=True)
class Statement:
    """A licence that somebody states for the model. license: as it is written. rule: what found it."""

    license: str
    where: Where
    rule: str


@dataclass(frozen=True, slots=True)
class Refused:
    """What the makers declare and what shows nothing. code: why. component: its name, as it is written there. place:
    where it is declared. location: what it leads to."""

    code: str
    component: str
    place: str
    location: str


@dataclass(frozen=True, slots=True)
class Inventory:
    """All that was found of a model.

    findings: one for each component, in the order of COMPONENTS. licenses: what is stated for the model itself. notes:
    by aspect, where something is told that is no component (limitations, hardware, ...). base_models: as the card names
    them. gated: whether who wants it must ask; None where that is not shown. conflicts: where the places that speak of
    the licence disagree, or leave a question open. identity: by the keys of `openness.identity`. refused: declarations
    of the makers that the folder does not bear out. documents: of reports and data cards that lie here as text, by the
    component's key, the aspects that they have a part about.
    """

    name: str
    findings: tuple[Finding, ...]
    licenses: tuple[Statement, ...] = ()
    notes: Mapping[str, Where] = field(default_factory=dict)
    task: str = ""
    base_models: tuple[str, ...] = ()
    gated: bool | None = None
    links: Mapping[str, str] = field(default_factory=dict)
    conflicts: tuple[Remark, ...] = ()
    identity: Mapping[str, Said] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    documents: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def __getitem__(self, key: str) -> Finding:
        return next(finding for finding in self.findings if finding.component.key == key)


def merged(seen: Iterable[Seen]) -> tuple[Finding, ...]:
    """One finding for each component. A file counts before a statement that there is none, and that before a link."""
    known: dict[str, list[Seen]] = {component.key: [] for component in COMPONENTS}
    for one in seen:
        known[one.key].append(one)
    return tuple(_finding(component, known[component.key]) for component in COMPONENTS)


def _finding(component: Component, seen: list[Seen]) -> Finding:
    if not seen:
        return Finding(component)
    best = min(seen, key=lambda one: (not one.file, one.status == "present", not _is_declared(one)))
    same = [one for one in seen if one.status == best.status]
    alike = [one for one in same if one.file == best.file]
    # Files and links may differ in their licences; what covers only some of them is not the component's own. Which of
    # them are the component, its makers can declare: what else is like it and states no licence takes nothing away.
    alike = [one for one in alike if one.license or _is_declared(one) or not _is_declared(best)]
    stated = {one.license for one in alike}
    license_ = stated.pop() if len(stated) == 1 else _joined(stated)
    best_first = [best, *(one for one in same if one is not best)]
    places = tuple(dict.fromkeys(one.where for one in best_first))[:MOST_PLACES]
    return Finding(component, best.status, places, best.rule, license_)


def _is_declared(one: Seen) -> bool:
    return one.rule in (DECLARED_FILE, DECLARED_LINK)


def _joined(stated: set[str | None]) -> str | None:
    """All of several licences apply; None where one of the things has none."""
    known = sorted(license_ for license_ in stated if license_)
    return " AND ".join(known) if len(known) == len(stated) else None
