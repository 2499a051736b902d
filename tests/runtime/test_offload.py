"""How much of a model goes onto a graphics card: all of it, some blocks, or none."""

from pathlib import Path

from abierto.formats import footprint
from abierto.formats.gguf import read_header
from abierto.formats.shape import Shape
from abierto.graphics import Card
from abierto.runtime.offload import MARGIN, Parts, of_header, of_shape, on
from tests.tiny_gguf import TinyGGUF

PARTS = Parts((10, 10, 10, 30), 100)


def card(room: int) -> Card:
    return Card("Example", MARGIN + 10_000, MARGIN + room)


def test_the_last_blocks_go_first_and_as_many_as_fit() -> None:
    found = {room: on(card(room), PARTS) for room in (160, 159, 130, 129, 0)}
    assert {room: (one.word, one.layers) for room, one in found.items()} == {
        160: ("whole", 4),
        159: ("part", 3),
        130: ("part", 1),
        129: ("none", 0),
        0: ("none", 0),
    }
    assert (found[159].blocks, found[159].needed, found[159].room) == (4, 160, 159)


def test_a_card_that_tells_nothing_of_what_is_free_is_taken_as_empty() -> None:
    assert on(Card("Example", MARGIN + 160), PARTS).word == "whole"
    assert on(Card("Example", MARGIN // 2), PARTS).word == "none"


def test_a_card_with_the_memory_of_the_computer() -> None:
    assert on(Card("Example", unified=True), PARTS).word == "shared"


def test_all_of_a_header_is_on_the_card_but_the_embeddings(tmp_path: Path) -> None:
    header = read_header(TinyGGUF(context=4096, layers=3).write(tmp_path / "tiny.gguf"))
    parts, all_ = of_header(header, 1024, 2), footprint.estimate(header, 1024, 2)
    tied = not any(tensor.name == "output.weight" for tensor in header.tensors)
    embeddings = next(tensor.size for tensor in header.tensors if tensor.name == footprint.EMBEDDINGS)
    whole = header.weights_size - (0 if tied else embeddings) + all_.kv_cache + all_.compute
    assert len(parts.blocks) == 3
    assert sum(parts.blocks) + parts.beside == whole


def test_a_shape_has_the_size_of_its_file_and_its_conversations() -> None:
    shape = Shape(4, 64, 100, 128, heads=4, kv_heads=2, head_dim=16, window=256, full_every=4)
    parts, all_ = of_shape(shape, 4000, 8192, 1), shape.footprint(4000, 8192)
    assert sum(parts.blocks) + parts.beside == 4000 + all_.kv_cache + all_.compute
    assert parts.blocks[3] > parts.blocks[0]
