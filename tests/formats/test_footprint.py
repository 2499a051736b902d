"""The memory estimate: against sums made by hand, and its order."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abierto.formats.footprint import Footprint, estimate, largest_context
from abierto.formats.gguf import GGUFHeader, read_header
from tests.tiny_gguf import TinyGGUF, Typed


def header(folder: Path, **metadata: Any) -> GGUFHeader:
    """A tiny model; `__` in the name of a key stands for a dot."""
    pairs = {key.replace("__", "."): value for key, value in metadata.items()}
    return read_header(TinyGGUF(context=4096, metadata=pairs).write(folder / "tiny.gguf"))


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> GGUFHeader:
    return header(tmp_path_factory.mktemp("footprint"))


def test_weights_and_cache_are_exact(tiny: GGUFHeader) -> None:
    found = estimate(tiny, 512)
    assert found.weights == tiny.weights_size
    # blocks x cells x heads of keys and values x (key + value) x bytes of a 16-bit float
    assert found.kv_cache == 2 * 512 * 2 * (16 + 16) * 2


def test_total_is_the_sum() -> None:
    assert Footprint(1, 20, 300, 4000).total == 4321


def test_context_is_padded(tiny: GGUFHeader) -> None:
    assert estimate(tiny, 257) == estimate(tiny, 512)
    assert estimate(tiny, 256).kv_cache * 2 == estimate(tiny, 512).kv_cache


def test_each_conversation_has_its_own_cache(tiny: GGUFHeader) -> None:
    one, four = estimate(tiny, 512), estimate(tiny, 512, max_concurrent=4)
    assert four.kv_cache == 4 * one.kv_cache
    assert (four.weights, four.overhead) == (one.weights, one.overhead)
    assert four.compute > one.compute


def test_heads_of_each_block_count(tmp_path: Path) -> None:
    uneven = header(tmp_path, llama__attention__head_count_kv=[4, 2])
    assert estimate(uneven, 256).kv_cache == 256 * (4 + 2) * (16 + 16) * 2


def test_sliding_blocks_keep_the_window_only(tmp_path: Path) -> None:
    flags = Typed("array", [Typed("bool", True), Typed("bool", False)])
    sliding = header(
        tmp_path, llama__attention__sliding_window=128, llama__attention__sliding_window_pattern=flags
    )  # fmt: skip
    assert sliding.sliding_blocks == (True, False)
    per_cell = 2 * (16 + 16) * 2
    assert estimate(sliding, 4096).kv_cache == (256 + 4096) * per_cell
    assert estimate(sliding, 256).kv_cache == 2 * 256 * per_cell


def test_a_window_that_the_engine_ignores_saves_nothing(tmp_path: Path) -> None:
    ignored = header(tmp_path, llama__attention__sliding_window=128)
    assert estimate(ignored, 4096).kv_cache == 2 * 4096 * 2 * (16 + 16) * 2


def test_encoders_keep_no_cache(tmp_path: Path) -> None:
    assert estimate(header(tmp_path, llama__attention__causal=False), 4096).kv_cache == 0


@settings(max_examples=100, deadline=None)
@given(available=st.integers(0, 40_000_000))
def test_largest_context_fits_and_the_next_does_not(tiny: GGUFHeader, available: int) -> None:
    context = largest_context(tiny, available)
    assert context % 256 == 0
    assert context <= 4096
    assert context == 0 or estimate(tiny, context).total <= available
    assert context == 4096 or estimate(tiny, context + 256).total > available


def test_largest_context_of_the_range(tiny: GGUFHeader) -> None:
    assert largest_context(tiny, 0) == 0
    assert largest_context(tiny, 10**12) == 4096
    assert largest_context(tiny, estimate(tiny, 1024).total) == 1024
