"""Who made a model, who hands it out, which version and when: known where somebody states it, and never guessed."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from abierto import catalog
from abierto.catalog.card import Card, Published, Weights
from abierto.catalog.openness import collect, cyclonedx, difference, identity, report, spdx, words
from abierto.catalog.openness.report import Report
from tests import golden_folders
from tests.catalog.openness.test_outputs import of_type, read_spdx, targets
from tests.tiny_gguf import TinyGGUF

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
COMMIT = "5a33ba103645800d7b3790c4448546c1b73efc71"
RELEASED = 40  # cards that know the day of their release, and all else that the profile asks for
NONE = "https://spdx.org/rdf/3.0.1/terms/ExpandedLicensing/NoAssertionLicense"


def said(found: Report) -> dict[str, str]:
    return {key: fact.value for key, fact in found.inventory.identity.items()}


@pytest.mark.parametrize(
    ("words_", "day"),
    [
        ("2024-07-23", "2024-07-23"),
        ("July 23, 2024.", "2024-07-23"),
        ("Sept 25, 2024", "2024-09-25"),
        ("April 16th, 2025", "2025-04-16"),
        ("5 August 2025", "2025-08-05"),
        ("July 2024", ""),
        ("February 31, 2024", ""),
        ("soon", ""),
    ],
)
def test_a_day_is_read_as_people_write_it(words_: str, day: str) -> None:
    assert identity.day_in(words_) == day


def test_a_card_tells_the_day_of_release(small: Path) -> None:
    card = small / "README.md"
    card.write_text(card.read_text("utf-8") + "\n- **Release Date**: April 16th, 2025\n", "utf-8")
    fact = report.of(collect.folder("small", small)).inventory.identity["released"]
    assert (fact.value, fact.where.place, fact.where.quote) == (
        "2025-04-16",
        "README.md",
        "- **Release Date**: April 16th, 2025",
    )


def test_the_header_of_a_gguf_file_tells_makers_and_version(tmp_path: Path) -> None:
    about = {"general.organization": "Acme", "general.version": "v1.2"}
    path = TinyGGUF(metadata=about).write(tmp_path / "a.gguf")
    assert said(report.of(collect.file("a", path))) == {"publisher": "Acme", "version": "v1.2"}


def test_a_folder_of_the_hubs_cache_tells_its_revision(small: Path, tmp_path: Path) -> None:
    place = tmp_path / "models--acme--small-1" / "snapshots" / COMMIT
    place.parent.mkdir(parents=True)
    small.rename(place)
    found = said(report.of(collect.folder("small", place)))
    assert (found["publisher"], found["supplier"], found["version"]) == ("acme", "acme", COMMIT)
    assert found["location"] == f"https://huggingface.co/acme/small-1/tree/{COMMIT}"
    assert "released" not in found


def card(**more: Any) -> Card:
    return Card("acme:1b", "Acme", "text-generation", license="MIT", **more)


@pytest.mark.parametrize(
    ("source", "supplier", "version", "location"),
    [
        (
            f"hf:packer/acme-GGUF@{COMMIT}:a.gguf",
            "packer",
            COMMIT,
            f"https://huggingface.co/packer/acme-GGUF/tree/{COMMIT}",
        ),
        ("hf:packer/acme-GGUF:a.gguf", "packer", "sha256:" + "0" * 64, "https://huggingface.co/packer/acme-GGUF"),
        ("pypi:llm-acme==0.1.2#acme/a.gguf", "pypi:llm-acme", "0.1.2", "https://pypi.org/project/llm-acme/0.1.2/"),
    ],
)
def test_a_card_knows_makers_and_who_hands_its_file_out(
    source: str, supplier: str, version: str, location: str
) -> None:
    page = Published(f"https://huggingface.co/acme/Acme-1B/blob/{COMMIT}/README.md#use")
    weights = {"q4": Weights(source, "gguf", sha256="0" * 64)}
    found = said(report.of(collect.catalog_card(card(weights=weights, components={"model_card": page}))))
    wanted = {"publisher": "acme", "supplier": supplier, "version": version, "location": location}
    assert found == wanted


def test_pages_of_the_hub_that_are_no_repository_name_no_maker() -> None:
    for page in ("collections/google/gemma-4", "blog/smolvlm2", "datasets/acme/text", "acme"):
        found = report.of(collect.catalog_card(card(links={"homepage": f"https://huggingface.co/{page}"})))
        assert said(found) == {}


def complete() -> Report:
    weights = {"q4": Weights(f"hf:acme/one@{COMMIT}", "gguf")}
    return report.of(collect.catalog_card(card(weights=weights, publisher="Acme", released="2025-04-16")))


def test_the_report_tells_it_with_the_place_and_both_bills_of_materials_do() -> None:
    found = complete()
    section = next(one for one in words.sections(found) if one.key == "identity")
    assert [line.said for line in section.lines][-1] == "2025-04-16"
    assert all(line.where for line in section.lines)
    component = cyclonedx.body(found, NOW, "1")["metadata"]["component"]
    assert (component["version"], component["publisher"], component["supplier"]) == (COMMIT, "Acme", {"name": "acme"})
    told = {one["name"]: one["value"] for one in component["modelCard"]["properties"]}
    assert told["abierto:released"] == "2025-04-16"


def test_two_versions_differ_in_their_release() -> None:
    later = report.of(collect.catalog_card(card(released="2026-01-01")))
    changes = {change.key: words.change(change) for change in difference.between(complete(), later)}
    assert changes["released"].endswith("2025-04-16 → 2026-01-01")


def test_the_ai_profile_is_claimed_where_all_it_asks_for_is_known() -> None:
    body = spdx.body(complete(), NOW, "1")
    assert read_spdx(body)
    assert "ai" in of_type(body, "SpdxDocument")[0]["profileConformance"]
    assert of_type(body, "ai_AIPackage")[0]["releaseTime"] == "2025-04-16T00:00:00Z"


def test_what_keeps_the_profile_away_is_told() -> None:
    body = spdx.body(report.of(collect.catalog_card(card())), NOW, "1")
    assert "ai" not in of_type(body, "SpdxDocument")[0]["profileConformance"]
    told = [one["statement"] for one in of_type(body, "Annotation")]
    lacking = "suppliedBy, packageVersion, releaseTime, downloadLocation"
    assert f"Not known, and asked for by the AI profile: {lacking}" in told


def conforms(body: dict[str, Any]) -> bool:
    """Whether it holds what SPDX 3.0.1 asks of a collection in model/AI/AI.md and AI/Classes/AIPackage.md."""
    relationships = of_type(body, "Relationship")
    for package in of_type(body, "ai_AIPackage"):
        asked = ("releaseTime", "suppliedBy", "software_downloadLocation", "software_packageVersion")
        if not all(package.get(name) for name in (*asked, "software_primaryPurpose")):
            return False
        for kind in ("hasConcludedLicense", "hasDeclaredLicense"):
            ends = [
                one["to"]
                for one in relationships
                if (one["from"], one["relationshipType"]) == (package["spdxId"], kind)
            ]
            if len(ends) != 1 or len(ends[0]) != 1:
                return False
    return True


def test_every_claim_of_the_profile_holds(tmp_path: Path) -> None:
    every = [collect.catalog_card(one) for one in catalog.shipped().values()]
    for name in golden_folders.names():
        folder = golden_folders.expand(name, tmp_path / name)
        every.append(collect.folder(golden_folders.expected(name)["model"], folder))
        hub = tuple(identity.of_hub("acme/one", COMMIT, "2024-07-23T14:48:00Z"))
        every.append(collect.folder("acme/one", folder, hub=hub))
    claimed = 0
    for inventory in every:
        body = spdx.body(report.of(inventory), NOW, "1")
        claims = "ai" in of_type(body, "SpdxDocument")[0]["profileConformance"]
        assert claims == conforms(body), inventory.name
        claimed += claims
    assert claimed >= len(golden_folders.names()) + RELEASED


def test_the_licence_is_concluded_where_nothing_contradicts_it(small: Path) -> None:
    found = report.of(collect.folder("small", small))
    body = spdx.body(found, NOW, "1")
    assert targets(body, "hasConcludedLicense") == targets(body, "hasDeclaredLicense") == ["Apache-2.0"]
    (small / "LICENSE").write_text("All rights reserved. Nobody may use this model for any purpose.", "utf-8")
    body = spdx.body(report.of(collect.folder("small", small)), NOW, "1")
    assert read_spdx(body)
    (concluded,) = [one for one in of_type(body, "Relationship") if one["relationshipType"] == "hasConcludedLicense"]
    assert concluded["to"] == [NONE]
