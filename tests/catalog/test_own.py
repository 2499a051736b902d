"""The person's own cards: found beside the shipped ones, never in their way, and a broken one is told of."""

from dataclasses import replace
from pathlib import Path

import pytest

from abierto import catalog, config
from abierto.catalog import own

MINE = """
name: mine:1b
aliases: [mine]
title: My own model
pipeline_tag: text-generation
license: MIT
weights:
  q8_0: {source: "file:/models/mine.gguf", format: gguf}
"""


@pytest.fixture
def cards(home: Path) -> Path:
    """The folder of the person's cards."""
    folder = home / "data" / "cards"
    folder.mkdir(parents=True)
    return folder


def test_the_folder_is_that_of_the_settings(cards: Path) -> None:
    assert config.folders().cards == cards


def test_a_card_written_by_hand_is_found_listed_and_offered(cards: Path) -> None:
    (cards / "mine.yaml").write_text(MINE)
    for name in ("mine:1b", "Mine"):
        found = catalog.find(name)
        assert found is not None
        assert found.title == "My own model"
    assert "mine:1b" in catalog.cards()
    assert catalog.nearest("mina:1b")[0] == "mine:1b"
    assert catalog.faults() == []


def test_a_changed_card_is_read_anew(cards: Path) -> None:
    (cards / "mine.yaml").write_text(MINE)
    assert catalog.find("mine") is not None
    (cards / "mine.yaml").write_text(MINE.replace("My own model", "Another title"))
    found = catalog.find("mine")
    assert found is not None
    assert found.title == "Another title"
    (cards / "mine.yaml").unlink()
    assert catalog.find("mine") is None


BROKEN = {
    "no_yaml": "name: [unclosed",
    "no_card": "- a\n- list\n",
    "unreadable": "\udcff",
    "bad_field": MINE.replace("license: MIT", "license: [MIT]"),
    "too_large": MINE + "#" * (own.MAX_SIZE + 1),
}


def test_blocks_written_by_hand_are_read_and_checked(cards: Path) -> None:
    blocks = (
        "blocks: {layers: 2, embedding: 64, vocabulary: 100, feed_forward: 128, heads: 4, kv_heads: 2, head_dim: 16}\n"
    )
    (cards / "mine.yaml").write_text(MINE + blocks)
    found = catalog.find("mine")
    assert found is not None
    assert found.blocks is not None
    assert found.blocks.kv_heads == 2
    (cards / "mine.yaml").write_text(MINE + blocks.replace("layers: 2", "layers: two"))
    assert [fault.fault for fault in catalog.faults()] == ["bad_field"]
    (cards / "mine.yaml").write_text(MINE + "blocks: {layers: 2}\n")
    assert [fault.fault for fault in catalog.faults()] == ["no_card"]


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_card_is_told_of_and_hides_nothing_else(cards: Path, fault: str) -> None:
    (cards / "broken.yaml").write_bytes(BROKEN[fault].encode(errors="surrogateescape"))
    (cards / "mine.yaml").write_text(MINE)
    assert catalog.find("mine") is not None
    assert catalog.find("smollm2") is not None
    (told,) = catalog.faults()
    assert (told.fault, Path(told.path).name) == (fault, "broken.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "name: x\n",
        "name: x\ntitle: y\npipeline_tag: z\nunknown: 1\n",
        "name: [x]\ntitle: y\npipeline_tag: z\n",
        'name: ""\ntitle: y\npipeline_tag: z\n',
        "name: x\ntitle: y\npipeline_tag: z\nparameters: many\n",
        "name: x\ntitle: y\npipeline_tag: z\nweights: {q8_0: 5}\n",
        "name: x\ntitle: y\npipeline_tag: z\nweights: {q8_0: {source: 5, format: gguf}}\n",
        "name: x\ntitle: y\npipeline_tag: z\nevidence: [{facts: [1], url: u, read: today}]\n",
        "name: x\ntitle: y\npipeline_tag: z\nlineage: {base: {a: b}}\n",
        "name: x\ntitle: y\npipeline_tag: z\naliases: 5\n",
        "&a [*a, *a]\n",
        "",
    ],
)
def test_every_field_holds_what_it_should_or_the_card_is_not_used(cards: Path, text: str) -> None:
    (cards / "broken.yaml").write_text(text)
    assert own.cards() == {}
    assert len(catalog.faults()) == 1


def test_a_shipped_card_goes_before_one_of_the_same_name(cards: Path) -> None:
    (cards / "mine.yaml").write_text(MINE.replace("mine:1b", "smollm2:135m"))
    found = catalog.find("smollm2:135m")
    assert found is not None
    assert found.title != "My own model"
    assert catalog.cards()["smollm2:135m"] == found
    assert [fault.fault for fault in catalog.faults()] == ["shipped_name"]


def test_of_two_with_one_name_the_first_is_used(cards: Path) -> None:
    (cards / "a.yaml").write_text(MINE)
    (cards / "b.yaml").write_text(MINE.replace("My own model", "The second"))
    found = catalog.find("mine:1b")
    assert found is not None
    assert found.title == "My own model"
    assert [fault.fault for fault in catalog.faults()] == ["name_twice"]


def test_what_is_saved_is_what_is_read(cards: Path) -> None:
    shipped = catalog.find("smollm2")
    assert shipped is not None
    made = replace(shipped, name="Mío:1b", aliases=(), lineage={"base": "smollm2:135m", "type": "q8_0"})
    path = own.save(made)
    assert path.parent == cards
    assert catalog.find("mío:1b") == made
    own.forget("Mío:1b")
    assert catalog.find("mío:1b") is None


def test_only_a_card_with_a_lineage_is_forgotten_with_its_model(cards: Path) -> None:
    (cards / "mine.yaml").write_text(MINE)
    own.forget("mine:1b")
    assert catalog.find("mine:1b") is not None
