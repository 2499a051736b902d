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
        assert all(0 < result.value <= 100 for result in one.evaluations), one.name
        names = [result.benchmark for result in one.evaluations]
        assert len(names) == len(set(names)), one.name
