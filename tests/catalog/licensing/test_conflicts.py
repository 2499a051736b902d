"""Where places disagree about a licence, and what a model's folder tells, also one that means no good."""

import os
from pathlib import Path

import pytest

from abierto import catalog
from abierto.catalog.licensing.conflicts import compare
from abierto.catalog.licensing.folder import front_matter, of_folder, of_metadata
from abierto.catalog.licensing.reading import Outcome
from abierto.catalog.licensing.tags import declared
from abierto.catalog.licensing.texts import of_text
from abierto.locale import text
from tests.house.sources import ROOT

APACHE = (ROOT / "LICENSE").read_text("utf-8")


def codes(*arguments: object, **named: object) -> list[str]:
    found = compare(*arguments, **named)  # type: ignore[arg-type]
    for finding in found:
        assert text(f"licensing.{finding.code}", **finding.facts)
    return [finding.code for finding in found]


def test_places_that_agree() -> None:
    assert codes(declared("apache-2.0").at("card"), [of_text(APACHE).at("LICENSE")]) == []
    assert codes(declared("mit OR apache-2.0").at("card"), [of_text(APACHE).at("LICENSE")]) == []


def test_places_that_disagree() -> None:
    assert codes(declared("mit").at("card"), [of_text(APACHE).at("LICENSE")]) == ["places_disagree"]
    assert codes(declared("mit").at("card"), [], [declared("gemma").at("x.gguf")])[-1] == "places_disagree"


def test_open_questions() -> None:
    assert codes(declared(None)) == ["nothing_declared"]
    assert codes(declared("other").at("card")) == ["license_without_name"]
    assert codes(declared("cc").at("card")) == ["ambiguous_tag"]
    assert codes(declared("strange").at("card")) == ["unknown_name"]
    assert codes(declared("mit").at("card"), [of_text("Some words.").at("LICENSE")]) == ["unknown_text"]


def test_a_changed_text_conflicts_with_itself() -> None:
    added = of_text(APACHE + "\nYou shall not use the model for military purposes.\n").at("LICENSE")
    assert codes(declared("apache-2.0").at("card"), [added]) == ["changed_text"]


def test_limits_of_the_origin_stay() -> None:
    base = declared("llama3.2").at("base")
    assert codes(declared("mit").at("card"), base=base) == ["base_has_limits"]
    assert codes(declared("llama3.2").at("card"), base=base) == []
    assert codes(declared("mit").at("card"), base=declared("apache-2.0").at("base")) == []
    assert codes(declared("mit").at("card"), base=declared("cc-by-nc-4.0").at("base")) == ["base_has_limits"]


def test_what_a_folder_says(tmp_path: Path) -> None:
    card = (
        "---\r\nlicense: other  # ours\nlicense_name: 'mrl'\nbase_model:\n- a/b\n- \"c\"\ntags: [x]\n- y\n---\n# Model"
    )
    (tmp_path / "README.md").write_text(card, "utf-8")
    (tmp_path / "LICENSE.txt").write_text(APACHE, "utf-8")
    found = of_folder(tmp_path, known=lambda name: declared("gemma") if name == "c" else None)
    assert found.declared.license == "LicenseRef-MRL-0.1"
    assert found.base_model == ("a/b", "c")
    assert [place.where for place in found.places] == ["README.md", "LICENSE.txt"]
    assert [finding.code for finding in found.findings] == ["places_disagree", "base_has_limits"]


def test_a_list_on_one_line(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: [mit, apache-2.0]\n---\n", "utf-8")
    assert of_folder(tmp_path).declared.possible == {"MIT", "Apache-2.0"}


@pytest.mark.parametrize(
    "front", ["license: &a [*a]", "license: !!python/object x", "license: {a: b}", "license: |\n  mit", "x: [" * 9000]
)
def test_a_card_that_is_more_than_words_says_nothing(front: str, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text(f"---\n{front}\n---\n", "utf-8")
    assert front_matter(tmp_path)[0].get("license", []) == []
    assert of_folder(tmp_path).declared.outcome is Outcome.ABSENT


@pytest.mark.skipif(os.name == "nt", reason="links need rights there")
@pytest.mark.parametrize(
    ("said", "bases"),
    [
        ('{"base_model_name_or_path": "a/b"}', ("a/b",)),
        ('{"base_model_name_or_path": 3}', ()),
        ("[" * 50_000, ()),
        ("not json", ()),
        ("[]", ()),
        ("{" + " " * 70_000 + "}", ()),
    ],
)
def test_the_base_of_an_adapter_is_in_its_configuration(tmp_path: Path, said: str, bases: tuple[str, ...]) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n", "utf-8")
    (tmp_path / "adapter_config.json").write_text(said, "utf-8")
    found = of_folder(tmp_path, known=lambda name: declared("llama2") if name == "a/b" else None)
    assert found.base_model == bases
    assert [one.code for one in found.findings] == (["base_has_limits"] if bases else [])


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.write_text(APACHE, "utf-8")
    folder = tmp_path / "model"
    folder.mkdir()
    (folder / "LICENSE").symlink_to(outside)
    (folder / "LICENSE.loop").symlink_to(folder / "LICENSE.loop")
    assert [one.outcome for one in of_folder(folder).texts] == [Outcome.UNREADABLE] * 2
    assert [one.code for one in of_folder(folder).findings][:2] == ["unreadable_text"] * 2


def test_a_huge_licence_file_is_not_read_whole(tmp_path: Path) -> None:
    with (tmp_path / "LICENSE").open("wb") as file:
        file.truncate(1 << 33)
    assert of_folder(tmp_path).texts[0].outcome is Outcome.UNREADABLE


def test_metadata_of_weights() -> None:
    said = {"general.license": "other", "general.license.name": "mrl", "general.license.link": 7}
    assert of_metadata(said, "x.gguf").license == "LicenseRef-MRL-0.1"
    assert of_metadata({"general.license": APACHE}, "x.gguf").license == "Apache-2.0"
    assert of_metadata({}, "x.gguf").outcome is Outcome.ABSENT


def test_most_cards_of_the_catalog_name_a_licence_that_is_known() -> None:
    open_ = {card.license for card in catalog.shipped().values() if not declared(card.license).possible}
    assert open_ - {None} <= {"MPL", "Llama community license", "FLUX Non-Commercial License"}
