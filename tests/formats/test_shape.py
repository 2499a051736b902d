"""The memory that follows from a shape on a card: as from the header of a file that says the same."""

from pathlib import Path
from typing import Any

import pytest

from abierto.formats import footprint, kv_cache
from abierto.formats.gguf import read_header
from abierto.formats.kv_cache import BlockCache
from abierto.formats.shape import Shape
from tests.tiny_gguf import TinyGGUF

TINY = Shape(layers=2, embedding=64, vocabulary=263, feed_forward=128, heads=4, kv_heads=2, head_dim=16)
WIDE: dict[str, Any] = {"layers": 4, "embedding": 64, "vocabulary": 100, "feed_forward": 128}


@pytest.mark.parametrize(("context", "users"), [(512, 1), (3000, 4)])
def test_a_card_foretells_what_the_header_of_its_file_does(tmp_path: Path, context: int, users: int) -> None:
    header = read_header(TinyGGUF(context=4096).write(tmp_path / "tiny.gguf"))
    told, read = TINY.footprint(header.weights_size, context, users), footprint.estimate(header, context, users)
    assert (told.weights, told.kv_cache, told.compute) == (read.weights, read.kv_cache, read.compute)
    assert abs(told.overhead - read.overhead) < 1_000_000


def test_blocks_with_a_window_and_fewer_wider_heads_where_all_is_seen() -> None:
    shape = Shape(**WIDE, heads=8, kv_heads=4, head_dim=16, window=512, full_every=4, full_kv_heads=1, full_head_dim=32)
    assert shape.blocks() == [BlockCache(2 * 4 * 16, True)] * 3 + [BlockCache(2 * 32)]
    long, longer = (shape.footprint(0, context).kv_cache for context in (8192, 16_384))
    assert longer - long == 8192 * 2 * 32 * footprint.CACHE_BYTES


def test_a_window_is_as_in_the_header_of_a_file(tmp_path: Path) -> None:
    metadata = {"gemma3.attention.sliding_window": 512}
    file = TinyGGUF(architecture="gemma3", layers=6, context=8192, metadata=metadata).write(tmp_path / "g.gguf")
    header = read_header(file)
    shape = Shape(6, 64, 263, 128, heads=4, kv_heads=2, head_dim=16, window=512, full_every=6)
    assert shape.blocks() == kv_cache.blocks(header)
    assert shape.footprint(0, 8192, 3).kv_cache == footprint.estimate(header, 8192, 3).kv_cache


def test_blocks_at_the_end_that_read_what_others_keep() -> None:
    shape = Shape(**WIDE, heads=4, kv_heads=2, head_dim=16, shared=3)
    assert [block.per_token for block in shape.blocks()] == [2 * 2 * 16, 0, 0, 0]


def test_one_compressed_vector_in_place_of_keys_and_values() -> None:
    assert Shape(**WIDE, heads=4, head_dim=16, latent=576).blocks() == [BlockCache(576)] * 4


def test_recurrent_blocks_keep_a_state_however_long_the_context() -> None:
    shape = Shape(**WIDE, heads=4, kv_heads=2, head_dim=16, recurrent=3, state=1000)
    assert (
        sorted(shape.blocks(), key=lambda block: block.state) == [BlockCache(2 * 2 * 16)] + [BlockCache(state=1000)] * 3
    )
    short, long = (shape.footprint(0, context).kv_cache for context in (256, 512))
    assert long - short == 256 * 2 * 2 * 16 * footprint.CACHE_BYTES
