"""What a report becomes for other programs and for the eye: SPDX, CycloneDX, a page, a badge, a list of differences."""

import io
import json
import re
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import spdx_python_model
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

from abierto import catalog
from abierto.catalog.openness import badge, collect, cyclonedx, difference, page, report, spdx, words
from abierto.catalog.openness.report import Report

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
LATER = "2026-11-24T12:00:00Z"
model = spdx_python_model.v3_0_1
# Addresses of letters, digits and what RFC 3986 lets stand in every part of one.
PLAIN = re.compile(r"https://[a-z0-9.-]+(/([\w.~+=:@/-]|%[0-9A-F]{2})*)?(#[\w.~+=:@/-]*)?", re.ASCII)
STRICT = JsonStrictValidator(SchemaVersion.V1_7)  # one for all, for it reads its schemas when it is first asked


def reported(folder: Path) -> Report:
    return report.of(collect.folder(folder.name, folder))


def read_spdx(body: dict[str, Any]) -> Any:
    """The document as the reference reader has it; it raises for what SPDX does not allow, also when it writes."""
    found = model.SHACLObjectSet()
    model.JSONLDDeserializer().read(io.BytesIO(json.dumps(body).encode()), found)
    model.JSONLDSerializer().write(found, io.BytesIO())
    assert not found.missing_ids
    return found


def of_type(body: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    return [element for element in body["@graph"] if element["type"] == kind]


def targets(body: dict[str, Any], kind: str) -> list[str]:
    """The names, or licences, that relationships of a kind lead to."""
    by_id = {element.get("spdxId"): element for element in body["@graph"]}
    found = [by_id[to] for one in of_type(body, "Relationship") if one["relationshipType"] == kind for to in one["to"]]
    return [element.get("name") or element["simplelicensing_licenseExpression"] for element in found]


def test_spdx_names_the_model_its_data_its_base_and_its_licence(small: Path) -> None:
    body = spdx.body(reported(small), NOW, "1.2.3")
    assert read_spdx(body)
    assert of_type(body, "CreationInfo")[0]["created"] == LATER
    assert of_type(body, "ai_AIPackage")[0]["name"] == "small"
    assert of_type(body, "ai_AIPackage")[0]["ai_domain"] == ["text-generation"]
    assert any("huggingface.co/datasets/acme/corpus" in name for name in targets(body, "trainedOn"))
    assert targets(body, "descendantOf") == ["acme/big"]
    assert set(targets(body, "hasDeclaredLicense")) == {"Apache-2.0"}
    said = [element["statement"] for element in of_type(body, "Annotation")]
    assert "Intermediate checkpoints: present" not in said
    assert "Training code: present" in said


def test_a_licence_of_no_list_is_a_reference_and_never_an_identifier(small: Path) -> None:
    card = (small / "README.md").read_text("utf-8").replace("apache-2.0", "other\nlicense_name: Acme (Très) License v2")
    (small / "README.md").write_text(card, "utf-8")
    found = reported(small)
    body = spdx.body(found, NOW, "1.2.3")
    assert read_spdx(body)
    assert targets(body, "hasDeclaredLicense")[0].startswith("LicenseRef-Acme-")
    assert of_type(body, "simplelicensing_SimpleLicensingText")[0]["name"] == "Acme (Très) License v2"
    assert cyclonedx.body(found, NOW, "1.2.3")["metadata"]["component"]["licenses"] == [
        {"license": {"name": "Acme (Très) License v2"}}
    ]


def test_cyclonedx_holds_a_model_card(small: Path) -> None:
    body = cyclonedx.body(reported(small), NOW, "1.2.3")
    validated(body)
    component = body["metadata"]["component"]
    assert component["type"] == "machine-learning-model"
    assert component["licenses"] == [{"license": {"id": "Apache-2.0"}}]
    assert component["pedigree"] == {"ancestors": [{"type": "machine-learning-model", "name": "acme/big"}]}
    assert component["modelCard"]["modelParameters"]["task"] == "text-generation"
    refs = [one["ref"] for one in component["modelCard"]["modelParameters"]["datasets"]]
    assert [one["bom-ref"] for one in body["components"]] == refs
    assert component["modelCard"]["considerations"]["technicalLimitations"]
    properties = {one["name"]: one["value"] for one in component["modelCard"]["properties"]}
    assert properties["abierto:component:training_code"] == "present"
    assert properties["abierto:mof:strict:class"] == "none"


def test_a_model_without_data_names_none(small: Path) -> None:
    (small / "README.md").unlink()
    body = cyclonedx.body(reported(small), NOW, "1.2.3")
    validated(body)
    assert body["components"] == []
    assert targets(spdx.body(reported(small), NOW, "1.2.3"), "trainedOn") == []


def test_both_forms_of_every_card_are_valid() -> None:
    for card in catalog.shipped().values():
        found = report.of(collect.catalog_card(card))
        validated(shortened(cyclonedx.body(found, NOW, "1.2.3")))
        assert read_spdx(spdx.body(found, NOW, "1.2.3"))


def shortened(value: Any) -> Any:
    """The same with the shortest address in the place of each that is plainly one: the validator takes a tenth of a
    second to read an address by the grammar of all that there may be."""
    if isinstance(value, dict):
        return {name: shortened(one) for name, one in value.items()}
    if isinstance(value, list):
        return [shortened(one) for one in value]
    return "a:b" if isinstance(value, str) and PLAIN.fullmatch(value) else value


def validated(body: dict[str, Any]) -> None:
    error = STRICT.validate_str(json.dumps(body))
    assert error is None, error


class Elements(HTMLParser):
    """The elements of a page, and its words."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.names: list[str] = []
        self.links: list[str] = []
        self.words = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        assert not [name for name, _ in attrs if name.startswith("on")]
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]

    def handle_data(self, data: str) -> None:
        self.words += data


def test_the_page_says_what_the_report_says(small: Path) -> None:
    found = reported(small)
    seen = Elements(page.html(found, "made by a test"))
    for section in words.sections(found):
        assert section.title in seen.words
        for line in section.lines:
            assert line.label in seen.words
            assert line.where in seen.words
    assert "https://github.com/acme/small" in seen.links


def test_the_page_runs_nothing_of_a_hostile_card(small: Path) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>"
    card = (small / "README.md").read_text("utf-8")
    card = card.replace("books and letters", f"books {evil} and letters").replace("acme/big", f"'{evil}'")
    card = card.replace("https://github.com/acme/small", "javascript:alert(3)//github.com/acme/small")
    (small / "README.md").write_text(card, "utf-8")
    folder = small.rename(small.parent / "small<script>")
    html = page.html(reported(folder), evil)
    seen = Elements(html)
    assert "script" not in seen.names
    assert "img" not in seen.names
    assert all(link.startswith("https://") for link in seen.links)
    assert evil in seen.words


@pytest.mark.parametrize("name", ["small", "a&b <model> \"quoted\" 'ñ'"])
def test_the_badge_is_a_picture_with_words(small: Path, name: str) -> None:
    folder = small.rename(small.parent / name)
    picture = ElementTree.fromstring(badge.svg(reported(folder)))
    title = picture.find("{http://www.w3.org/2000/svg}title")
    assert title is not None
    assert (title.text or "").startswith(f"{name}: MOF: none")
    assert "Apache-2.0" in (title.text or "")


def test_what_differs_is_told_and_nothing_else(small: Path, tmp_path: Path) -> None:
    first = reported(small)
    assert difference.between(first, reported(small)) == ()
    card = (small / "README.md").read_text("utf-8")
    (small / "README.md").write_text(card.replace("apache-2.0", "cc-by-nc-4.0"), "utf-8")
    changes = difference.between(first, reported(small))
    found = {(change.section, change.key): (change.first, change.second) for change in changes}
    assert found["licenses", "stated"] == ("Apache-2.0", "CC-BY-NC-4.0")
    assert found["freedoms", "weights.use"] == ("granted", "limited")
    assert ("components", "training_code") not in found
    assert all(change.first != change.second for change in changes)
    for change in changes:
        assert "openness." not in words.change(change)
