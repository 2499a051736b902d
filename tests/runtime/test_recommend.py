"""What is recommended for a task, and that the order is what it says."""

import pytest

from abierto import catalog
from abierto.catalog import Card
from abierto.catalog.card import Evaluation
from abierto.runtime.recommend import TASKS, qualities, recommend


def card(name: str, **values: float) -> Card:
    """A model with results."""
    found = tuple(Evaluation(benchmark, value) for benchmark, value in values.items())
    return Card(name, name, "text-generation", evaluations=found)


def test_models_are_compared_only_where_they_share_a_benchmark() -> None:
    found = qualities([card("a", MMLU=80, GPQA=50), card("b", MMLU=70), card("c", GPQA=60), card("d", IFEval=90)])
    assert found["a"].share == pytest.approx((1 + 0) / 2)
    assert (found["b"].share, found["c"].share) == (0, 1)
    assert (found["a"].models, found["a"].benchmarks) == (2, 2)
    assert "d" not in found


def test_several_shared_benchmarks_count_as_one_comparison_and_equals_as_half() -> None:
    found = qualities([card("a", MMLU=80, GPQA=50, GSM8K=10), card("b", MMLU=70, GPQA=60, GSM8K=10)])
    assert found["a"].share == found["b"].share == pytest.approx(0.5)


def words(name: str, value: float, language: str = "") -> Card:
    """A recogniser of which somebody counted the wrong words, in a language."""
    found = Evaluation(f"WER {language}", value, better="less", language=language)
    return Card(name, name, "automatic-speech-recognition", evaluations=(found,))


def test_of_errors_less_is_better() -> None:
    found = qualities([words("a", 4.2), words("b", 7.5), words("c", 7.5)])
    assert (found["a"].share, found["b"].share, found["c"].share) == (1, 0.25, 0.25)


def test_who_asks_for_a_language_is_told_nothing_of_another() -> None:
    cards = [words("a", 4.2, "es"), words("b", 7.5, "es"), words("c", 1.1, "en"), words("d", 2.2, "en")]
    assert set(qualities(cards)) == {"a", "b", "c", "d"}
    assert set(qualities(cards, "es")) == {"a", "b"}
    assert set(qualities([card("e", MMLU=80), card("f", MMLU=70)], "es")) == {"e", "f"}


@pytest.mark.parametrize("task", TASKS)
def test_every_task_has_models(task: str) -> None:
    assert recommend(task, everything=True)


def test_what_fits_comes_first_then_quality() -> None:
    found = recommend("chat", everything=True)
    keys = [(not one.fits, one.quality is None) for one in found]
    assert keys == sorted(keys)
    rated = [round(one.quality.share * 10) for one in found if one.fits and one.quality]
    assert rated == sorted(rated, reverse=True)
    assert len(rated) > 5
    assert all(one.fits for one in recommend("chat"))


def test_a_language_is_one_that_the_card_names() -> None:
    assert all("es" in one.card.languages for one in recommend("speak", "es"))
    silent = {one.card.name for one in recommend("chat", "es", everything=True) if not one.card.languages}
    assert silent
    assert not recommend("chat", "xx")


def test_every_result_on_a_card_has_its_document() -> None:
    rated = [one for one in catalog.cards().values() if one.evaluations]
    assert len(rated) >= 30
    for one in rated:
        assert any("evaluations" in item.facts for item in one.evidence), one.name
        names = [result.benchmark for result in one.evaluations]
        assert len(names) == len(set(names)), one.name
        assert all(not result.source or result.source.startswith("https://") for result in one.evaluations), one.name


def test_a_benchmark_has_one_direction_one_language_and_one_unit() -> None:
    found: dict[str, list[Evaluation]] = {}
    for one in (result for each in catalog.cards().values() for result in each.evaluations):
        found.setdefault(one.benchmark, []).append(one)
    for benchmark, results in found.items():
        assert len({(one.better, one.language) for one in results}) == 1, benchmark
        # A share that is written of 1 here and of 100 there would win or lose every comparison.
        values = [one.value for one in results if one.value > 0]
        assert max(values, default=1) < 60 * min(values, default=1), benchmark


def test_a_task_may_be_called_as_the_hub_calls_it() -> None:
    assert recommend("text-to-speech", "es") == recommend("speak", "es")


@pytest.mark.parametrize(
    ("task", "language", "least"),
    [("listen", "es", 6), ("embed", "es", 6), ("embed", "en", 12), ("rerank", "", 3), ("draw", "", 12)],
)
def test_most_models_of_a_task_are_compared_by_published_results(task: str, language: str, least: int) -> None:
    found = recommend(task, language, everything=True)
    rated = [one.card.name for one in found if one.quality]
    assert len(rated) >= least
    assert len(rated) > len(found) / 2


def test_embeddings_are_compared_by_what_one_examiner_found_in_the_language_that_is_asked_for() -> None:
    names = [one.benchmark for one in catalog.cards()["bge-m3"].evaluations if one.language == "es"]
    assert len(names) > 2
    assert all(name.startswith("MTEB ") for name in names)
    spanish = {one.card.name: one.quality for one in recommend("embed", "es", everything=True)}
    best, small = spanish["embeddinggemma:300m"], spanish["multilingual-e5:small"]
    assert best is not None
    assert small is not None
    assert best.share > small.share


def test_a_voice_of_which_no_result_is_published_has_no_quality() -> None:
    assert not any(one.quality for one in recommend("speak", "es", everything=True))
