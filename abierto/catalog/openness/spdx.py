"""A report as an SPDX 3.0.1 document in JSON-LD: the model, its parts, its data and its licences, in SPDX's words.

What is not known is left out, or is `noAssertion` where the form allows that. The AI profile asks for who supplied a
model, its version, where it is fetched and the time of its release, and knows no word for an unknown time: the document
claims to conform to that profile where all of them are known, and says otherwise which of them are not. What the
Dataset profile asks for (when and by whom a data set was built) is never known, so that it is not claimed.
https://spdx.github.io/spdx-spec/v3.0.1/model/AI/AI/
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from abierto.catalog.licensing.tags import title_of
from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Where
from abierto.catalog.openness.report import Report

CONTEXT = "https://spdx.org/rdf/3.0.1/spdx-context.jsonld"
_CREATION = "_:creation"
_PROFILES = ["core", "software", "simpleLicensing"]
_NO_LICENSE = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"
# What the AI profile asks for of a package.
_ASKED = ("suppliedBy", "software_packageVersion", "releaseTime", "software_downloadLocation")
# Kind of content -> what an SPDX file is there for.
_PURPOSES = {"code": "source", "data": "data", "document": "documentation"}
_ENDS = {"model_card": "hasDocumentation", "paper": "hasDocumentation", "technical_report": "hasDocumentation"}
_AND_OR = re.compile(r"(\s+(?:AND|OR)\s+)")
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
        known = self._model()
        lacking = [name.removeprefix("software_") for name in _ASKED if name not in known]
        model = self._add("ai_AIPackage", "model", **known)
        self._licenses_of(model)
        for name in self._inventory.base_models:
            # Too little is known of it for a package of the AI profile.
            base = self._add("software_Package", _id("base", name), name=name, software_primaryPurpose="model")
            self._relate(model, "descendantOf", base)
        for finding in self._inventory.findings:
            if finding.present and finding.component.key not in ("weights", "metadata"):
                self._part(model, finding)
        self._remarks(model, lacking)
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
            "profileConformance": _PROFILES if lacking else [*_PROFILES, "ai"],
            "rootElement": [model],
            "element": [element["spdxId"] for element in self._elements],
        }
        yield from self._elements

    def _model(self) -> dict[str, Any]:
        notes, links = self._inventory.notes, self._inventory.links
        known: dict[str, Any] = {"name": self._inventory.name, "software_primaryPurpose": "model"}
        said = {key: fact.value for key, fact in self._inventory.identity.items()}
        if location := said.get("location") or links.get("huggingface"):
            known["software_downloadLocation"] = location
        for place, key in (("suppliedBy", "supplier"), ("originatedBy", "publisher")):
            if key in said:
                agent = self._add("Organization", _id("organization", said[key]), name=said[key])
                known[place] = [agent] if place == "originatedBy" else agent
        if "version" in said:
            known["software_packageVersion"] = said["version"]
        if "released" in said:
            day, _, time = said["released"].partition("T")
            known["releaseTime"] = f"{day}T{time or '00:00:00Z'}"
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

    def _licenses_of(self, model: str) -> None:
        """One licence that is declared and one that is concluded, as the AI profile has it.

        Where places state several, all of them together are declared; it is concluded only what nothing contradicts.
        """
        stated = {said.license: said.where for said in self._inventory.licenses}
        parts = [f"({one})" if " OR " in one and len(stated) > 1 else one for one in stated]
        if parts:
            self._license_of(model, " AND ".join(parts), "hasDeclaredLicense", *stated.values())
        else:
            self._relate(model, "hasDeclaredLicense", _NO_LICENSE)
        if len(parts) == 1 and not self._inventory.conflicts:
            self._license_of(model, parts[0], "hasConcludedLicense", *stated.values())
        else:
            self._relate(model, "hasConcludedLicense", _NO_LICENSE)

    def _license_of(self, element: str, stated: str, kind: str, *where: Where) -> None:
        expression = _expression(stated)
        known = self._licenses.get(expression)
        if known is None:
            fields: dict[str, Any] = {"simplelicensing_licenseExpression": expression}
            named = {_single(words): words for words in map(_bare, _AND_OR.split(stated)[::2])}
            if own := {name: words for name, words in named.items() if name.startswith("LicenseRef-")}:
                fields["simplelicensing_customIdToUri"] = [self._named(name, words) for name, words in own.items()]
            known = self._add("simplelicensing_LicenseExpression", _id("license", expression), **fields)
            self._licenses[expression] = known
        self._relate(element, kind, known, "; ".join(map(_told, where)))

    def _named(self, reference: str, stated: str) -> dict[str, str]:
        """What a reference of ours stands for: the title of a licence, or the words that were found."""
        title = title_of(reference)
        words = stated if title == reference else title
        name = "simplelicensing_SimpleLicensingText"
        text = self._add(name, reference, name=words, simplelicensing_licenseText=words)
        return {"type": "DictionaryEntry", "key": reference, "value": text}

    def _remarks(self, model: str, lacking: Sequence[str]) -> None:
        """What has no field of its own: how each component stands, the verdicts, and what keeps a profile away."""
        strict, published = self._report.mof_strict, self._report.mof_as_published
        said = [f"{item.component.name}: {item.status}" for item in self._inventory.findings]
        said.append(f"Model Openness Framework class, by evidence: {strict.level or 'none'} ({strict.version})")
        said.append(f"Model Openness Framework class, as published: {published.level or 'none'} ({published.version})")
        said += [f"{rubric.version}: {rubric.outcome}" for rubric in (self._report.osi, self._report.ai_act)]
        if lacking:
            said.append(f"Not known, and asked for by the AI profile: {', '.join(lacking)}")
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
    parts = _AND_OR.split(stated)
    return "".join(part if number % 2 else _named_in(part) for number, part in enumerate(parts))


def _named_in(part: str) -> str:
    bare = _bare(part)
    return part.replace(bare, _single(bare), 1)


def _bare(part: str) -> str:
    """A name without the bracket of a group that it begins or ends."""
    if part.count("(") > part.count(")"):
        return part.removeprefix("(")
    return part.removesuffix(")") if part.count(")") > part.count("(") else part


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
