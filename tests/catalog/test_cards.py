"""The cards: found by name, complete, and every fact with the place where it was read."""

import dataclasses
import re
from datetime import UTC, datetime

import pytest

from abierto import catalog, locale
from abierto.catalog import Card
from abierto.catalog.openness import collect, report
from abierto.catalog.openness.evidence import BY_KEY
from abierto.formats.shape import Shape
from abierto.store import sources
from abierto.tasks.chat import Sampling

CARDS = list(catalog.shipped().values())
MODELS = [card for card in CARDS if not card.built_in]


@pytest.mark.parametrize("name", ["smollm2:135m", "smollm2", "SmolLM2-135M-Instruct"])
def test_a_model_is_found_by_name_and_alias_in_any_capitals(name: str) -> None:
    card = catalog.find(name)
    assert card is not None
    assert card.name == "smollm2:135m"


def test_a_misspelt_name_offers_the_right_one() -> None:
    assert catalog.nearest("smolm2")[0] == "smollm2:135m"
    assert "mine" in catalog.nearest("mina", ["mine"])
    assert catalog.nearest("") == []


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_no_two_cards_share_a_name(card: Card) -> None:
    names = [name for other in CARDS for name in (other.name, *other.aliases)]
    assert all(names.count(name) == 1 and name == name.lower() for name in (card.name, *card.aliases))


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_every_fact_of_a_card_says_where_it_was_read(card: Card) -> None:
    stated = {
        field.name
        for field in dataclasses.fields(Card)
        if field.name not in ("name", "title", "pipeline_tag", "aliases", "evidence") and getattr(card, field.name)
    }
    shown = {fact for evidence in card.evidence for fact in evidence.facts}
    assert stated - shown == set()
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", evidence.read) for evidence in card.evidence)


def test_a_release_is_a_day() -> None:
    days = [card.released for card in CARDS if card.released]
    assert all(datetime.fromisoformat(day).replace(tzinfo=UTC) < datetime.now(UTC) for day in days)


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_every_model_leads_to_a_file_or_to_its_makers(card: Card) -> None:
    assert card.weights or card.links
    assert all(url.startswith("https://") for url in card.links.values())


def test_only_the_echo_and_what_a_package_holds_need_no_file() -> None:
    assert [card.name for card in CARDS if card.built_in and not card.package] == ["echo"]
    assert [card.name for card in CARDS if card.package] == ["trazo", "use-multilingual"]


@pytest.mark.parametrize("card", MODELS, ids=lambda card: card.name)
def test_every_file_of_a_card_can_be_fetched_and_verified(card: Card) -> None:
    for weights in (*card.weights.values(), *card.projectors.values()):
        assert str(sources.parse(weights.source)) == weights.source
        assert weights.sha256 is None or re.fullmatch(r"[0-9a-f]{64}", weights.sha256)


@pytest.mark.parametrize("card", [card for card in MODELS if card.chats], ids=lambda card: card.name)
def test_what_a_card_sets_for_a_conversation_can_be_set(card: Card) -> None:
    assert dataclasses.asdict(Sampling(**card.defaults)).items() >= card.defaults.items()


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_what_a_card_says_in_words_it_says_in_every_language(card: Card) -> None:
    for said in filter(None, (card.openness, card.chat_template)):
        assert set(said) == set(locale.LANGUAGES)
        assert len({len(sentences) for sentences in said.values()}) == 1


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.name)
def test_every_name_and_alias_finds_its_card(card: Card) -> None:
    assert [catalog.find(name) for name in (card.name, *card.aliases)] == [card] * (1 + len(card.aliases))


# Their feed-forward layers have two matrices in place of three, or more than one group of experts, or some blocks have
# a state in place of attention, or they count what they see with and the words of every block.
_OTHERWISE = {"apertus:8b", "apertus:70b", "pythia:12b", "llama4:scout", "llama4:maverick", "qwen3:30b", "qwen3:235b"}
_OTHERWISE |= {"gpt-oss:20b", "gpt-oss:120b", "gemma4:26b", "granite4:tiny-h", "gemma3n:e2b", "gemma3n:e4b"}
_OTHERWISE |= {"deepseek-r1:671b", "deepseek-v3:671b", "gemma4:e2b", "gemma4:e4b", "qwen2-vl:2b"}
_OTHERWISE |= {"smolvlm:256m", "smolvlm:500m", "smolvlm2:256m", "smolvlm2:500m", "smolvlm2:2.2b"}
_OTHERWISE |= {"minicpm-v:4.6", "qwen3-coder:30b", "qwen3.5:9b", "qwen3.5:27b", "qwen3.5:35b", "glm-4.7-flash:30b"}
BLOCKS = [(card, card.blocks, card.parameters) for card in CARDS if card.blocks and card.parameters]


@pytest.mark.parametrize(("card", "blocks", "parameters"), BLOCKS, ids=lambda item: getattr(item, "name", ""))
def test_the_blocks_of_a_card_have_about_as_many_numbers_as_the_card_says(
    card: Card, blocks: Shape, parameters: int
) -> None:
    words = blocks.vocabulary * blocks.embedding
    attention = 2 * blocks.embedding * blocks.head_dim * (blocks.heads + blocks.kv_heads)
    inside = blocks.layers * (attention + 3 * blocks.embedding * blocks.feed_forward)
    fits = 0.94 * (words + inside) <= parameters <= 1.06 * (2 * words + inside)  # words may serve twice
    assert fits or card.name in _OTHERWISE


def test_nearly_all_that_chat_tell_their_blocks() -> None:
    told = [card.blocks is not None for card in MODELS if card.chats]
    assert sum(told) > 0.9 * len(told)


def test_models_under_free_licenses_are_named_first() -> None:
    free = [card.license in ("Apache-2.0", "BSD-3-Clause", "MIT") for card in catalog.speaking("es")]
    assert free == sorted(free, reverse=True)
    assert any(free)
    assert not all(free)


def test_what_is_published_of_a_model_has_the_names_and_places_that_reports_use() -> None:
    aspects = {
        key.removeprefix("openness.aspect.") for key in locale.sentences("en") if key.startswith("openness.aspect.")
    }
    for card in catalog.shipped().values():
        assert set(card.components) <= set(BY_KEY), card.name
        assert set(card.told) <= aspects, card.name
        for url in (*card.told.values(), *(one.url for one in card.components.values())):
            assert url.startswith("https://"), card.name
        assert {one.status for one in card.components.values()} <= {"present", "absent"}


def test_a_report_on_a_card_tells_what_its_makers_published() -> None:
    found = report.of(collect.catalog_card(catalog.shipped()["smollm2:135m"]))
    training = found.inventory["training_code"]
    assert (training.status, training.rule) == ("present", "catalog_component")
    assert training.where[0].place.startswith("https://github.com/")
    assert {check.key: check.outcome for check in found.to_run}["instructions"] == "there"
