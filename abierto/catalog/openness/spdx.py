"""A report as an SPDX 3.0.1 document in JSON-LD: the model, its parts, its data and its licences, in SPDX's words.

What is not known is left out, or is `noAssertion` where the form asks for a value. The profiles AI, Dataset and Simple
Licensing ask for what no file of a model tells, such as the time of its release and a concluded licence; so the
document uses their classes and does not claim to conform to them. https://spdx.github.io/spdx-spec/v3.0.1/model/AI/AI/
"""

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from abierto.catalog.licensing.tags import title_of
from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Where
from abierto.catalog.openness.report import Report

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"
_PROFILES = ["core", "software"]
# Kind of content -> what an SPDX file is there for.
_PURPOSES = {"code": "source", "data": "data", "document": "documentation"}
_ENDS = {"model_card": "hasDocumentation", "paper": "hasDocumentation", "technical_report": "hasDocumentation"}
_NAMES_NO_LIST = re.compile(r"[^A-Za-z0-9.-]+")


def body(report: Report, now: datetime, version: str) -> dict[str, Any]:
    """The document as plain values. now: when it is made, in UTC; version: of Abierto. The same gives the same."""
    return {"@context": CONTEXT, "@graph": list(_Document(report, now, version).graph())}


class _Document:
    def __init__(self, report: Report, now: datetime, version: str) -> None:
        self._version = version
        self._inventory, self._report, self._now = report.inventory, report, f"{now:%Y-%m-%dT%H:%M:%SZ}"
        self._space = f"urn:uuid:{uuid5(NAMESPACE_URL, f'abierto:{self._inventory.name}:{self._now}')}#"
        self._elements: list[dict[str, Any]] = []
        self._licenses: dict[str, str] = {}

    def graph(self) -> Iterator[dict[str, Any]]:
        """All nodes: how they came about, the document, then its elements."""
        self._add("SoftwareAgent", "abierto", name="Abierto")
        self._add("Tool", "tool", name=f"Abierto {self._version}")
        model = self._add("ai_AIPackage", "model", **self._model())
        for statement in self._inventory.licenses:
            self._license_of(model, statement.license, "hasDeclaredLicense", statement.where)
        for name in self._inventory.base_models:
            self._relate(model, "descendantOf", self._add("ai_AIPackage", _id("base", name), name=name))
        for finding in self._inventory.findings:
            if finding.present and finding.component.key not in ("weights", "metadata"):
                self._part(model, finding)
        self._remarks(model)
        yield {
            "type": "CreationInfo",
            "@id": _CREATION,
            "specVersion": "3.0.1",
            "created": self._now,
            "createdBy": [self._space + "abierto"],
            "createdUsing": [self._space + "tool"],
        }
        yield {
            "type": "SpdxDocument",
            "spdxId": self._space + "document",
            "creationInfo": _CREATION,
            "name": self._inventory.name,
            "profileConformance": _PROFILES,
            "rootElement": [model],
            "element": [element["spdxId"] for element in self._elements],
        }
        yield from self._elements

    def _model(self) -> dict[str, Any]:
        notes, links = self._inventory.notes, self._inventory.links
        known: dict[str, Any] = {"name": self._inventory.name, "software_primaryPurpose": "model"}
        if hub := links.get("huggingface"):
            known["software_downloadLocation"] = hub
            owner = hub.removeprefix("https://huggingface.co/").partition("/")[0]
            known["suppliedBy"] = self._add("Organization", "supplier", name=owner)
        if home := links.get("repository"):
            known["software_homePage"] = home
        if self._inventory.task:
            known["ai_domain"] = [self._inventory.task]
        for aspect, place in (
            ("limitations", "ai_limitation"),
            ("training", "ai_informationAboutTraining"),
            ("instructions", "ai_informationAboutApplication"),
        ):
            if aspect in notes:
                known[place] = _told(notes[aspect])
        if "architecture" in notes and notes["architecture"].quote:
            known["ai_typeOfModel"] = [notes["architecture"].quote]
        return {**known, "ai_useSensitivePersonalInformation": "noAssertion", "ai_autonomyType": "noAssertion"}

    def _part(self, model: str, finding: Finding) -> None:
        """A component that is there, with its own licence where it has one."""
        key = finding.component.key
        for number, where in enumerate(finding.where):
            name = _id(key, str(number))
            if key in ("datasets", "evaluation_data"):
                part = self._add("dataset_DatasetPackage", name, name=where.place, dataset_datasetType=["noAssertion"])
                self._relate(model, "trainedOn" if key == "datasets" else "testedOn", part)
            else:
                purpose = _PURPOSES[finding.component.kind]
                part = self._add("software_File", name, name=where.place, software_primaryPurpose=purpose)
                self._relate(model, _ENDS.get(key, "contains"), part)
            if finding.license:
                self._license_of(part, finding.license, "hasDeclaredLicense", where)

    def _license_of(self, element: str, stated: str, kind: str, where: Where) -> None:
        expression = _expression(stated)
        known = self._licenses.get(expression)
        if known is None:
            fields: dict[str, Any] = {"simplelicensing_licenseExpression": expression}
            own = [part for part in re.split(r" (?:AND|OR) ", expression) if part.startswith("LicenseRef-")]
            if own:
                fields["simplelicensing_customIdToUri"] = [self._named(part, stated) for part in own]
            known = self._add("simplelicensing_LicenseExpression", _id("license", expression), **fields)
            self._licenses[expression] = known
        self._relate(element, kind, known, _told(where))

    def _named(self, reference: str, stated: str) -> dict[str, str]:
        """What a reference of ours stands for: the title of a licence, or the words that were found."""
        title = title_of(reference)
        words = stated if title == reference else title
        name = "simplelicensing_SimpleLicensingText"
        text = self._add(name, reference, name=words, simplelicensing_licenseText=words)
        return {"type": "DictionaryEntry", "key": reference, "value": text}

    def _remarks(self, model: str) -> None:
        """What has no field of its own: how each component stands, and the verdicts."""
        strict, published = self._report.mof_strict, self._report.mof_as_published
        said = [f"{item.component.name}: {item.status}" for item in self._inventory.findings]
        said.append(f"Model Openness Framework class, by evidence: {strict.level or 'none'} ({strict.version})")
        said.append(f"Model Openness Framework class, as published: {published.level or 'none'} ({published.version})")
        said += [f"{rubric.version}: {rubric.outcome}" for rubric in (self._report.osi, self._report.ai_act)]
        for number, words in enumerate(said):
            self._add("Annotation", f"remark-{number}", annotationType="review", subject=model, statement=words)

    def _relate(self, source: str, kind: str, target: str, comment: str = "") -> None:
        fields: dict[str, Any] = {"from": source, "relationshipType": kind, "to": [target]}
        self._add("Relationship", f"relationship-{len(self._elements)}", **fields, **_given("comment", comment))

    def _add(self, kind: str, id_: str, /, **fields: Any) -> str:
        known = self._space + id_
        if all(element["spdxId"] != known for element in self._elements):
            self._elements.append({"type": kind, "spdxId": known, "creationInfo": _CREATION, **fields})
        return known


def _expression(stated: str) -> str:
    """As an SPDX expression. What is on no list of SPDX becomes a reference of this document."""
    parts = re.split(r"\s+(AND|OR)\s+", stated)
    return " ".join(part if part in ("AND", "OR") else _single(part) for part in parts)


def _single(stated: str) -> str:
    name = terms.identifier(stated)
    if terms.is_listed(name) or re.fullmatch(r"LicenseRef-[A-Za-z0-9.-]+", name):
        return name
    return f"LicenseRef-{_NAMES_NO_LIST.sub('-', stated).strip('-') or 'unnamed'}"


def _id(*parts: str) -> str:
    return _NAMES_NO_LIST.sub("-", "-".join(parts))


def _told(where: Where) -> str:
    return ", ".join(filter(None, (where.place, where.section, where.quote)))


def _given(name: str, value: str) -> dict[str, str]:
    return {name: value} if value else {}
