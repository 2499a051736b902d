"""What the cards say that the makers of the models published, and the verdicts that follow from it."""

import pytest

from abierto import catalog
from abierto.catalog import Card
from abierto.catalog.openness import collect, report
from abierto.catalog.openness.report import Report

MODELS = [card for card in catalog.shipped().values() if card.chats and not card.built_in]
# Models of every other task; the echo engine's pattern is no model that somebody made.
OTHERS = [card for card in catalog.shipped().values() if not card.chats and (card.package or not card.built_in)]
# Made here: its folder declares what is published of it, and tests/recipes/test_opening.py reads that.
OTHERS = [card for card in OTHERS if card.package != "trazo"]
VALUE = {"open": 2, "partial": 1, "closed": 0}


def reported(name: str) -> Report:
    return report.of(collect.catalog_card(catalog.shipped()[name]))


def openness(name: str) -> int:
    """The twelve dimensions of the European index together, of 24."""
    return sum(VALUE[check.outcome] for check in reported(name).european.checks)


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_what_is_published_of_a_model_that_converses_is_told_with_where_it_was_read(card: Card) -> None:
    assert card.license
    assert card.components.keys() & {"model_card", "technical_report", "paper"}
    assert card.told
    read = {fact for item in card.evidence for fact in item.facts}
    assert {"license", "components", "told"} <= read


@pytest.mark.parametrize("card", OTHERS, ids=lambda card: card.name)
def test_what_is_published_of_a_model_that_hears_speaks_draws_films_or_compares_is_told_with_where_it_was_read(
    card: Card,
) -> None:
    assert card.components.keys() & {"architecture", "inference_code", "model_card"}
    assert card.told
    assert set(card.openness) == {"en", "es"}
    read = {fact for item in card.evidence for fact in item.facts}
    assert {"license", "components", "told", "openness"} <= read


def test_a_voice_made_from_another_inherits_the_question_of_its_recordings() -> None:
    lessac = reported("piper:en_us-lessac-medium").inventory["datasets"].license
    assert lessac == "LicenseRef-Lessac-Blizzard-2013"
    for name in ("en_gb-alba", "es_es-davefx", "es_es-sharvard", "es_mx-ald"):
        found = reported(f"piper:{name}-medium")
        assert lessac in (found.inventory["datasets"].license or "")
        assert "met" not in {check.outcome for check in found.osi.checks if check.key == "data_information"}
    assert reported("piper:es_mx-claude-high").inventory["datasets"].status == "not_shown"


def test_a_collection_that_was_withdrawn_is_absent() -> None:
    assert reported("stable-diffusion:1.5").inventory["datasets"].status == "absent"


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_a_report_on_a_model_that_is_not_here_tells_more_than_of_its_weights(card: Card) -> None:
    found = report.of(collect.catalog_card(card))
    told = [finding for finding in found.inventory.findings if finding.status != "not_shown"]
    assert len(told) > 2
    assert found.inventory["weights"].present
    assert "instructions" in found.inventory.notes or "capabilities" in found.inventory.notes


def test_makers_who_publish_data_code_and_checkpoints_stand_above_those_who_publish_weights() -> None:
    whole = (
        "olmo-3:7b",
        "olmo-3:32b",
        "olmo2:1b",
        "pythia:160m",
        "pythia:12b",
        "smollm2:135m",
        "smollm3:3b",
        "apertus:8b",
    )
    weights = (
        "qwen3:4b",
        "llama3.1:8b",
        "gemma3:4b",
        "gemma4:12b",
        "phi4:14b",
        "mistral:7b",
        "deepseek-r1:671b",
        "gpt-oss:20b",
    )
    assert min(map(openness, whole)) > max(map(openness, weights)) + 2


@pytest.mark.parametrize("name", ["olmo-3:7b", "pythia:12b", "smollm3:3b"])
def test_code_under_approved_licences_meets_the_open_source_definition_on_that_point(name: str) -> None:
    outcomes = {check.key: check.outcome for check in reported(name).osi.checks}
    assert outcomes == {"data_information": "review", "code": "met", "parameters": "met"}


def test_data_that_its_makers_keep_to_themselves_are_absent_whatever_else_is_told_of_them() -> None:
    found = reported("salamandra:7b").inventory
    assert found["datasets"].status == "absent"
    assert found["data_card"].present
    assert "data" in found.notes


def test_a_link_does_not_take_the_licence_from_the_component_that_it_leads_to() -> None:
    card = catalog.shipped()["olmo-3:7b"]
    assert "data" in card.links
    assert reported(card.name).inventory["datasets"].license == card.components["datasets"].license == "ODC-By-1.0"


@pytest.mark.parametrize("name", ["pythia:12b", "deepseek-r1:671b", "olmo2:1b"])
def test_a_paper_in_proceedings_or_a_journal_counts_as_reviewed(name: str) -> None:
    paper = next(check for check in reported(name).european.checks if check.key == "paper")
    assert paper.outcome == "partial"
    assert not any(reason.code == "not_peer_reviewed" for reason in paper.reasons)
