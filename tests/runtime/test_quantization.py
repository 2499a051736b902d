"""Which form of a model is chosen, by its size and the memory that is free."""

from dataclasses import replace

import pytest

from abierto.catalog import Card, Weights
from abierto.formats.shape import Shape
from abierto.runtime import quantization
from abierto.runtime.quantization import best, needed

GB = 1_000_000_000
SIZES = {"f16": 8 * GB, "q8_0": 4 * GB, "q4_k_m": 5 * GB // 2, "q2_k": 2 * GB, "unknown": None}


@pytest.mark.parametrize(
    ("room", "form", "fits"),
    [(100 * GB, "q8_0", True), (5 * GB, "q8_0", True), (4 * GB, "q4_k_m", True), (2 * GB, "q2_k", False)],
)
def test_the_largest_that_fits_with_a_conversation(room: int, form: str, fits: bool) -> None:
    choice = best(SIZES, room)
    assert (choice.form, choice.fits) == (form, fits)


def test_unquantised_weights_are_taken_where_there_is_nothing_else() -> None:
    assert best({"f16": 8 * GB, "BF16": 9 * GB}, 100 * GB).form == "BF16"
    assert best({"f16": 8 * GB, "q8_0": 50 * GB}, 20 * GB).form == "f16"


def test_where_no_size_is_known_the_first_is_taken() -> None:
    choice = best({"q8_0": None, "q4_0": None}, 100 * GB)
    assert (choice.form, choice.size, choice.fits) == ("q8_0", None, False)


def test_a_conversation_with_a_small_model_is_small() -> None:
    assert needed(GB // 10) == 3 * GB // 10
    assert needed(10 * GB) == 11 * GB


def test_longer_and_more_conversations_leave_room_for_a_smaller_form_only() -> None:
    room = quantization.free_memory()
    weights = {"q8_0": Weights("hf:a/b", "gguf", size=room // 2), "q4_0": Weights("hf:a/b", "gguf", size=room // 4)}
    blocks = Shape(32, 4096, 32_000, 11_008, heads=32, kv_heads=32, head_dim=128)
    card = Card("a:1", "A", "text-generation", weights=weights, blocks=blocks)
    tokens = (room * 5 // 8) // (32 * 2 * 4096 * 2)  # they take five eighths: too much beside the larger form
    assert quantization.of_card(card, context=256).form == "q8_0"
    assert quantization.of_card(card, context=tokens).form == "q4_0"
    assert quantization.of_card(card, context=tokens // 4, users=4).form == "q4_0"


def test_what_an_engine_reads_goes_before_what_none_reads() -> None:
    weights = {"fp8": Weights("hf:a/b", "safetensors", size=300), "q4_0": Weights("hf:a/b", "gguf", size=100)}
    card = Card("a:1", "A", "text-generation", weights=weights)
    assert quantization.of_card(card).form == "q4_0"
    assert quantization.of_card(card, ["fp8"]).form == "fp8"


def test_of_forty_files_the_one_that_suits_is_found_by_whatever_they_are_called() -> None:
    sizes = {
        f"UD-IQ{bits}_{letter}": (bits * 100 + number) * GB // 100
        for bits in range(1, 9)
        for number, letter in enumerate("ABCDE")
    }
    sizes |= {"sub/model-BF16.gguf": 9 * GB, "model.fp16": 9 * GB}
    assert best(sizes, 69 * GB // 10).form == "UD-IQ5_E"
    assert best(sizes, 100 * GB).form == "UD-IQ8_E"


def test_a_form_without_a_size_is_not_passed_over_where_it_alone_would_fit() -> None:
    room = quantization.free_memory()
    parameters = room // 2  # 4.9 bits of each fit, 8.5 do not
    weights = {"q8_0": Weights("hf:a/b", "gguf", size=parameters * 17), "q4_k_m": Weights("hf:a/b", "gguf")}
    card = Card("a:1", "A", "text-generation", parameters=parameters, weights=weights)
    choice = quantization.of_card(card)
    assert (choice.form, choice.size, choice.fits, choice.guessed) == ("q4_k_m", None, True, True)
    told = Card(
        "a:1",
        "A",
        "text-generation",
        parameters=parameters,
        weights={**weights, "q2_k": replace(weights["q8_0"], size=1000)},
    )
    assert quantization.of_card(told).form == "q2_k"
    unsaid = Card("a:1", "A", "text-generation", weights=dict.fromkeys(("q8_0", "q4_0"), weights["q4_k_m"]))
    choice = quantization.of_card(unsaid)
    assert (choice.form, choice.fits, choice.guessed) == ("q8_0", False, False)
