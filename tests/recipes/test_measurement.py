"""The measurement of this computer: what it solves for, and one real run that leaves its rates in the journal."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from abierto import config
from abierto.journal import MEASUREMENTS, Journal
from abierto.recipes import measurement
from abierto.recipes.measurement import Stage, Taken, add, solve
from abierto.runtime import rates
from abierto.runtime.rates import Rates, Work

TRUE = Rates(2e-4, 5e-5, 4e-9, 3e-8, {"Q8_0": 3e-11}, {"Q8_0": 1e-11})


def work(blocks: int, words: int, attention: int, read: int, multiplied: int, dtype: str = "Q8_0") -> Work:
    """A model's cost with one type of weights."""
    return Work(blocks, words, attention, {dtype: read}, {dtype: multiplied})


def taken(one: Work, rate: Rates = TRUE) -> Taken:
    """What a model takes on a computer that does exactly what the rates say."""
    speed = rates.foretell(one, rate)
    assert speed
    return Taken(1 / speed.generation, 1 / speed.prompt, one)


LARGE, DEEP = work(2, 0, 4096, 97_000_000, 55_000_000), work(32, 0, 16_384, 116_000_000, 106_000_000)
TINY, WORDY = work(0, 0, 0, 1, 1), work(0, 65_536, 0, 9_000_001, 1)


def test_what_a_computer_does_is_found_again() -> None:
    found = solve("Q8_0", *map(taken, (LARGE, DEEP, TINY, WORDY)))
    for name in ("token", "block", "word", "attention"):
        assert getattr(found, name) == pytest.approx(getattr(TRUE, name), rel=1e-3), name
    assert found.byte["Q8_0"] == pytest.approx(3e-11, rel=1e-3)
    assert found.weight["Q8_0"] == pytest.approx(1e-11, rel=1e-3)


def test_a_disturbed_measurement_makes_no_rate_negative() -> None:
    slow = Taken(taken(LARGE).writing * 3, taken(LARGE).reading * 3, LARGE)
    found = solve("Q8_0", slow, *map(taken, (DEEP, TINY, WORDY)))
    told = [found.token, found.block, found.word, found.attention, found.byte["Q8_0"], found.weight["Q8_0"]]
    assert min(told) >= 0
    assert found.byte["Q8_0"] > 0


def test_another_type_is_added_to_what_is_known() -> None:
    other = Rates(TRUE.token, TRUE.block, TRUE.word, TRUE.attention, {"F16": 7e-11}, {"F16": 2e-11})
    found = add(TRUE, taken(work(3, 512, 4096, 10**8, 5 * 10**7, "F16"), other), "F16")
    assert found.byte == pytest.approx({"Q8_0": 3e-11, "F16": 7e-11})
    assert found.weight == pytest.approx({"Q8_0": 1e-11, "F16": 2e-11})


def test_a_run_leaves_its_rates_in_the_journal_and_nothing_else(home: Path) -> None:
    found: dict[str, Rates] = {}

    def measured() -> Iterator[Stage]:
        found.update((yield from measurement.measure({"llamacpp": 0.0})))

    stages = list(measured())
    assert {stage.engine for stage in stages} == {"llamacpp"}
    [row] = Journal.at(config.folders().data).recent(MEASUREMENTS)
    assert (row["engine"], row["threads"] >= 1) == ("llamacpp", True)
    assert rates.measured() == found
    byte, weight = found["llamacpp"].byte["Q8_0"], found["llamacpp"].weight["Q8_0"]
    assert min(byte, weight) >= 0  # on a computer that does other things as well, one may be lost in the others
    assert 0 < byte + weight < 1e-6
    assert list(config.folders().cache.iterdir()) == []
