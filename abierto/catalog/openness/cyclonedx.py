"""A report as a CycloneDX 1.7 bill of materials with a model card, in JSON: https://cyclonedx.org/docs/1.7/json/.

`cyclonedx-python-lib` has no model card, so that it is written here. What is not known is left out.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from abierto.catalog.licensing.tags import title_of
from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Where
from abierto.catalog.openness.report import Report

# Component -> the kind of reference that CycloneDX has for it.
_REFERENCES = {
    "model_card": "model-card",
    "paper": "documentation",
    "technical_report": "documentation",
    "data_card": "documentation",
    "training_code": "source-distribution",
    "inference_code": "source-distribution",
    "architecture": "source-distribution",
    "preprocessing_code": "source-distribution",
    "evaluation_code": "source-distribution",
    "evaluation_results": "quality-metrics",
}


def body(report: Report, now: datetime, version: str) -> dict[str, Any]:
    """The document as plain values. now: when it is made, in UTC; version: of Abierto. The same gives the same."""
    time = f"{now:%Y-%m-%dT%H:%M:%SZ}"
    tool = {"type": "application", "name": "abierto", "version": version}
    datasets = [_dataset(number, where) for number, where in enumerate(report.inventory["datasets"].where)]
    if not report.inventory["datasets"].present:
        datasets = []
    return {
        "$schema": "http://cyclonedx.org/schema/bom-1.7.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.7",
        "serialNumber": f"urn:uuid:{uuid5(NAMESPACE_URL, f'abierto:{report.inventory.name}:{time}')}",
        "version": 1,
        "metadata": {
            "timestamp": time,
            "tools": {"components": [tool]},
            "component": _model(report, [dataset["bom-ref"] for dataset in datasets]),
        },
        "components": datasets,
    }


def _model(report: Report, datasets: list[str]) -> dict[str, Any]:
    inventory = report.inventory
    known: dict[str, Any] = {"type": "machine-learning-model", "bom-ref": "model", "name": inventory.name}
    facts = {key: fact.value for key, fact in inventory.identity.items()}
    if "version" in facts:
        known["version"] = facts["version"]
    if "publisher" in facts:
        known["publisher"] = facts["publisher"]
    if "supplier" in facts:
        known["supplier"] = {"name": facts["supplier"]}
    if stated := [_license(said.license) for said in inventory.licenses]:
        known["licenses"] = [one for number, one in enumerate(stated) if one not in stated[:number]]
    if references := [*_links(inventory.links), *(one for item in inventory.findings for one in _references(item))]:
        known["externalReferences"] = references
    if inventory.base_models:
        ancestors = [{"type": "machine-learning-model", "name": name} for name in inventory.base_models]
        known["pedigree"] = {"ancestors": ancestors}
    return {**known, "modelCard": _card(report, datasets)}


def _card(report: Report, datasets: list[str]) -> dict[str, Any]:
    inventory = report.inventory
    parameters: dict[str, Any] = {"task": inventory.task} if inventory.task else {}
    architecture = inventory.notes.get("architecture")
    if architecture and architecture.quote:
        parameters["modelArchitecture"] = architecture.quote
    if datasets:
        parameters["datasets"] = [{"ref": ref} for ref in datasets]
    card: dict[str, Any] = {"bom-ref": "model-card", "properties": _verdicts(report)}
    if parameters:
        card["modelParameters"] = parameters
    if limitations := inventory.notes.get("limitations"):
        card["considerations"] = {"technicalLimitations": [_told(limitations)]}
    return card


def _verdicts(report: Report) -> list[dict[str, str]]:
    """What has no field of its own: each component, and each verdict with the version of its rules."""
    said = {key: fact.value for key, fact in report.inventory.identity.items() if key == "released"}
    for finding in report.inventory.findings:
        said[f"component:{finding.component.key}"] = finding.status
        if finding.license:
            said[f"component:{finding.component.key}:license"] = finding.license
    for way, verdict in (("strict", report.mof_strict), ("published", report.mof_as_published)):
        said[f"mof:{way}:class"] = str(verdict.level or "none")
        said[f"mof:{way}:rules"] = verdict.version
    for name, rubric in (("osi", report.osi), ("european_index", report.european), ("ai_act_53_2", report.ai_act)):
        said[f"{name}:rules"] = rubric.version
        if rubric.outcome:
            said[f"{name}:outcome"] = rubric.outcome
        said |= {f"{name}:{check.key}": check.outcome for check in rubric.checks}
    return [{"name": f"abierto:{name}", "value": value} for name, value in said.items()]


def _license(stated: str) -> dict[str, Any]:
    name = terms.identifier(stated)
    if terms.is_listed(name):
        return {"license": {"id": name}}
    return {"license": {"name": title_of(stated)}}


def _links(links: Mapping[str, str]) -> list[dict[str, str]]:
    kinds = {"huggingface": "distribution", "repository": "vcs"}
    return [{"type": kinds[name], "url": url} for name, url in links.items() if name in kinds]


def _references(finding: Finding) -> list[dict[str, str]]:
    kind = _REFERENCES.get(finding.component.key)
    if not kind or not finding.present:
        return []
    return [
        {"type": kind, "url": where.place, "comment": finding.component.name}
        for where in finding.where
        if where.place.startswith(("https://", "http://"))
    ]


def _dataset(number: int, where: Where) -> dict[str, Any]:
    return {"type": "data", "bom-ref": f"dataset-{number}", "name": where.place, "data": [{"type": "dataset"}]}


def _told(where: Where) -> str:
    return ", ".join(filter(None, (where.place, where.section, where.quote)))
