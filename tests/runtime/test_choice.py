"""Which engine `auto` takes: by what was measured for this use, among those that are here and can do what is asked."""

from pathlib import Path

import pytest

from abierto.config import Settings
from abierto.errors import NoEngineForFile, UnknownEngine
from abierto.runtime import choice
from abierto.runtime.choice import Measured, Speeds, Variant
from abierto.runtime.resolve import Target
from tests.tiny_gguf import TinyGGUF

QUICK_TO_START = Measured(Variant("llamacpp"), Speeds(0.3, 400, 100, 100, 150), ("chat", "schema", "seed", "reasoning"))
QUICK_TO_READ = Measured(Variant("openvino"), Speeds(2.0, 2000, 90, 90, 400), ("chat", "schema", "seed"))
REPEATER = Measured(
    Variant("llamacpp", 0, {"speculation": "ngram"}), Speeds(0.3, 400, 99, 200, 120), ("chat", "schema", "seed")
)
REPEATS_LONG_TEXTS = Measured(Variant("openvino", 0, {"speculation": "ngram"}), Speeds(2.0, 2000, 75, 300, 0))
ROWS = [QUICK_TO_READ, QUICK_TO_START, REPEATER]


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A model file."""
    return Target("tiny", (str(TinyGGUF().write(tmp_path / "tiny.gguf")),), "gguf")


@pytest.mark.parametrize(
    ("use", "prompt", "wanted"),
    [
        ("one_shot", 20, REPEATER),
        ("one_shot", 4000, QUICK_TO_READ),
        ("one_user", 0, REPEATER),
        ("long_prompt", 0, QUICK_TO_READ),
        ("many", 0, QUICK_TO_READ),
    ],
)
def test_every_use_gets_what_is_fastest_for_it(use: str, prompt: int, wanted: Measured) -> None:
    assert choice.best(ROWS, use, prompt)[0] is wanted


def test_who_brings_a_long_text_gets_what_repeats_it_fastest() -> None:
    rows = [*ROWS, REPEATS_LONG_TEXTS]
    assert choice.best(rows, "one_user", 600)[0] is REPEATS_LONG_TEXTS
    assert choice.best(rows, "one_user", 60)[0] is REPEATER
    assert choice.best(rows, "one_shot", 60)[0] is REPEATER


def test_what_was_measured_is_chosen_and_what_is_here_stays_as_the_way_out(target: Target) -> None:
    choice.keep(target, [QUICK_TO_READ, QUICK_TO_START])
    found = choice.candidates(target, "auto", Settings(), "many")
    assert found[:2] == [QUICK_TO_READ.variant, QUICK_TO_START.variant]
    assert all(variant in found for variant in choice.installed(target, "auto", Settings()))


def test_an_engine_that_cannot_do_what_is_needed_is_not_chosen(target: Target) -> None:
    choice.keep(target, [QUICK_TO_READ, QUICK_TO_START])
    assert choice.candidates(target, "auto", Settings(), "many", frozenset({"reasoning"}))[0] == QUICK_TO_START.variant


def test_an_engine_that_is_named_is_taken_as_it_was_fastest(target: Target) -> None:
    choice.keep(target, ROWS)
    assert choice.candidates(target, "llamacpp", Settings(), "one_user")[0] == REPEATER.variant


def test_with_a_number_of_threads_of_ones_own_what_was_measured_still_counts(target: Target) -> None:
    other = Measured(Variant("openvino", 8), Speeds(0.1, 9000, 900, 900, 900), ("chat",))
    choice.keep(target, [QUICK_TO_READ, QUICK_TO_START, other])
    found = choice.candidates(target, "auto", Settings(threads=1), "many")
    assert found[0] == QUICK_TO_READ.variant
    assert other.variant not in found


def test_a_program_that_is_gone_is_not_chosen(target: Target, tmp_path: Path) -> None:
    gone = Measured(Variant("llamacpp", 0, {"llama_server": str(tmp_path / "gone")}), QUICK_TO_READ.speeds, ("chat",))
    choice.keep(target, [gone])
    assert gone.variant not in choice.candidates(target, "auto", Settings(), "one_user")


def test_another_file_in_the_same_place_was_not_measured(target: Target) -> None:
    choice.keep(target, ROWS)
    assert choice.measured(target) == ROWS
    TinyGGUF(says="abc", layers=1).write(Path(target.files[0]))
    assert choice.measured(target) == []


def test_each_model_keeps_its_own_measurement(target: Target, tmp_path: Path) -> None:
    other = Target("other", (str(TinyGGUF().write(tmp_path / "other.gguf")),), "gguf")
    choice.keep(target, ROWS)
    choice.keep(other, [QUICK_TO_START])
    assert (choice.measured(target), choice.measured(other)) == (ROWS, [QUICK_TO_START])
    choice.forget()
    assert choice.measured(target) == choice.measured(other) == []


@pytest.mark.parametrize("damage", [b"", b"{", b"[]", b'{"x": 1}', b"\xff\xfe"])
def test_a_damaged_file_of_measurements_is_as_none(home: Path, target: Target, damage: bytes) -> None:
    choice.keep(target, ROWS)
    (home / "data" / choice.FILE_NAME).write_bytes(damage)
    assert choice.measured(target) == []
    choice.keep(target, ROWS)
    assert choice.measured(target) == ROWS


def test_a_named_program_stands_for_the_built_in_llama(target: Target) -> None:
    found = choice.installed(target, "llamacpp", Settings(llama_server="my-server"))
    assert found == [Variant("llamacpp", 0, {"llama_server": "my-server"})]


def test_an_engine_that_does_not_exist_or_does_not_read_the_file_is_an_error(target: Target) -> None:
    with pytest.raises(UnknownEngine):
        choice.installed(target, "lamacpp", Settings())
    with pytest.raises(NoEngineForFile):
        choice.installed(target, "echo", Settings())


def test_what_was_not_measured_with_many_is_not_chosen_for_many(target: Target) -> None:
    guessing = Measured(Variant("openvino", 0, {"speculation": "ngram"}), Speeds(2.0, 2000, 200, 500, 0.0), ("chat",))
    choice.keep(target, [guessing, QUICK_TO_START])
    assert choice.candidates(target, "auto", Settings(), "one_user")[0] == guessing.variant
    assert choice.candidates(target, "auto", Settings(), "many")[0] == QUICK_TO_START.variant
