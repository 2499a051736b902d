"""The memory that OpenVINO takes for a GGUF file: against sums made by hand, and beside llama.cpp's."""

from pathlib import Path

import pytest

from abierto.formats import footprint, footprint_openvino
from abierto.formats.footprint_openvino import COPIES, ENGINE_BYTES, estimate, largest_context
from abierto.formats.gguf import GGUFHeader, read_header
from tests.tiny_gguf import Tensor, TinyGGUF

ROWS, WIDE = 64, 256
# Types by their number in ggml: bytes of a block, numbers of a block, and bytes of 256 numbers when they are unpacked.
TYPES = {
    "Q4_0": (2, 18, 32, 128 + 8 * 4),
    "Q4_1": (3, 20, 32, 128 + 8 * 4),
    "Q8_0": (8, 34, 32, 256 + 8 * 4),
    "Q4_K": (12, 144, 256, 128 + 8 * 4),
    "Q6_K": (14, 210, 256, 256 + 16 * 4),
}


def with_matrix(folder: Path, type_: int, block: int, numbers: int, name: str = "x.weight") -> GGUFHeader:
    """A tiny model with one more matrix, of zeros."""
    matrix = Tensor((WIDE, ROWS), type_, bytes(ROWS * WIDE // numbers * block))
    return read_header(TinyGGUF(context=4096, tensors={name: matrix}).write(folder / "tiny.gguf"))


@pytest.mark.parametrize("name", TYPES)
def test_weights_are_unpacked_and_kept_twice(tmp_path: Path, name: str) -> None:
    type_, block, numbers, row = TYPES[name]
    plain = read_header(TinyGGUF(context=4096).write(tmp_path / "plain.gguf"))
    found = estimate(with_matrix(tmp_path, type_, block, numbers), 256)
    assert found.weights - estimate(plain, 256).weights == pytest.approx(COPIES * ROWS * row, abs=2)
    assert found.overhead == ENGINE_BYTES


def test_the_cache_has_bytes_and_scales(tmp_path: Path) -> None:
    tiny = read_header(TinyGGUF(context=4096).write(tmp_path / "tiny.gguf"))
    one, two = estimate(tiny, 1024), estimate(tiny, 1024, 2)
    # blocks x heads x (key + value, and 8 bytes of scales for each), for 2 blocks of 32 tokens beside the context
    assert one.kv_cache == (1024 + 64) * 2 * 2 * (16 + 16 + 2 * 8)
    assert two.kv_cache == 2 * one.kv_cache


def test_the_largest_context_fits_and_the_next_does_not(tmp_path: Path) -> None:
    tiny = read_header(TinyGGUF(context=4096).write(tmp_path / "tiny.gguf"))
    room = estimate(tiny, 1024).total
    assert largest_context(tiny, room) == 1024
    assert largest_context(tiny, room - 1) == 768
    assert largest_context(tiny, 0) == 0


def test_llama_cpp_copies_some_matrices_and_the_file_is_spare_then(tmp_path: Path) -> None:
    type_, block, numbers, _ = TYPES["Q4_0"]
    size = ROWS * WIDE // numbers * block
    copied = footprint.estimate(with_matrix(tmp_path, type_, block, numbers), 256)
    assert copied.spare == size
    assert copied.total == copied.weights + copied.kv_cache + copied.compute + copied.overhead
    type_, block, numbers, _ = TYPES["Q4_1"]
    assert footprint.estimate(with_matrix(tmp_path, type_, block, numbers), 256).spare == 0


def test_embeddings_that_are_also_the_output_are_needed_twice(tmp_path: Path) -> None:
    matrix = Tensor((64, 264), 2, bytes(264 * 2 * 18))
    tensors = {"token_embd.weight": matrix, "output.weight": None}
    tied = read_header(TinyGGUF(tensors=tensors).write(tmp_path / "tied.gguf"))
    assert footprint.estimate(tied, 256).weights == tied.weights_size + 264 * 2 * 18
    untied = read_header(TinyGGUF(tensors={"token_embd.weight": matrix}).write(tmp_path / "untied.gguf"))
    assert footprint.estimate(untied, 256).weights == untied.weights_size


def test_openvino_needs_more_than_llama_cpp_for_a_small_model(tmp_path: Path) -> None:
    tiny = read_header(TinyGGUF().write(tmp_path / "tiny.gguf"))
    assert footprint_openvino.estimate(tiny, 256).total > footprint.estimate(tiny, 256).total
