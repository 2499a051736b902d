"""A model in the YAML form of the Model Openness Tool (schema/mof_schema.json), from what was found of it.

A component without a licence of its own is written as `unlicensed`: left out, the tool would let it inherit one.
"""

from typing import Any

from abierto.catalog.openness import terms
from abierto.catalog.openness.evidence import Finding, Inventory
from abierto.catalog.openness.terms import UNLICENSED

FRAMEWORK = {"name": "Model Openness Framework", "version": "1.0", "date": "2024-12-15"}
# The hub's words for a task -> the tool's for a kind of model.
_TYPES = {"text-generation": "language", "image-text-to-text": "multimodal", "text-to-image": "image"}
_TYPES |= {"automatic-speech-recognition": "audio", "text-to-speech": "audio", "text-to-video": "video"}
_TYPES |= {"feature-extraction": "language", "sentence-similarity": "language", "text-ranking": "language"}
_TYPES |= {"image-to-image": "image", "image-to-video": "video"}


def write(inventory: Inventory) -> str:
    """The YAML text."""
    import yaml

    return yaml.safe_dump(body(inventory), sort_keys=False, allow_unicode=True, width=120)


def body(inventory: Inventory) -> dict[str, Any]:
    """The same as plain values."""
    hub = inventory.links.get("huggingface", "")
    owner = hub.removeprefix("https://huggingface.co/").split("/")[0] if hub else ""
    stated = inventory.licenses[0] if inventory.licenses else None
    shared = {"distribution": {"name": terms.identifier(stated.license), "path": stated.where.place}} if stated else {}
    release = {
        "name": inventory.name,
        "version": "",
        "type": _TYPES.get(inventory.task, "other" if inventory.task else ""),
        "architecture": "",
        "origin": ", ".join(inventory.base_models),
        "producer": owner,
        "contact": "",
        "repository": inventory.links.get("repository", ""),
        "huggingface": hub,
        "license": shared,
        "components": [_component(finding) for finding in inventory.findings if finding.present],
    }
    return {"framework": FRAMEWORK, "release": release}


def _component(finding: Finding) -> dict[str, str]:
    license_ = terms.identifier(finding.license) if finding.license else UNLICENSED
    place = finding.where[0].place if finding.where else ""
    return {"name": finding.component.name, "description": "", "license": license_, "component_path": place}
