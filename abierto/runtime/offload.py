"""How much of a model the memory of a graphics card takes with llama.cpp, which puts whole blocks there, the last
first, and leaves a margin free on each card (`--fit-target`,
https://github.com/ggml-org/llama.cpp/blob/master/common/fit.cpp).

It loads nothing. The numbers of a block are exact by a header, and by a card an even share of the file. No card was at
hand to measure: what the driver itself takes has to fit into the margin.
"""

from dataclasses import dataclass
from typing import Literal

from abierto.formats import footprint, kv_cache
from abierto.formats.gguf_header import GGUFHeader
from abierto.formats.shape import Shape
from abierto.graphics import Card

MARGIN = 1 << 30  # bytes
Word = Literal["whole", "part", "none", "shared"]


@dataclass(frozen=True, slots=True)
class Parts:
    """Bytes. blocks: of each with what conversations keep in it. beside: on the card however few blocks are."""

    blocks: tuple[int, ...]
    beside: int


@dataclass(frozen=True, slots=True)
class Offload:
    """word: the `whole` model fits on the card, a `part` of it, or `none`; or the card's memory is that of the computer
    and the model fits there or not (`shared`). layers: blocks that fit, of `blocks`. needed: bytes of all of it; room:
    what may be taken of the card's memory."""

    card: Card
    word: Word
    layers: int
    blocks: int
    needed: int
    room: int


def of_header(header: GGUFHeader, context: int, users: int) -> Parts:
    """By the sizes of the tensors of each block. Embeddings stay with the processor; the layer that makes words of
    numbers is on the card, too, and where it is the embeddings it is there a second time."""
    sizes = [0] * header.block_count
    output = embeddings = 0
    for tensor in header.tensors:
        name, _, rest = tensor.name.partition(".")
        number = rest.partition(".")[0]
        if name == "blk" and number.isdecimal() and int(number) < len(sizes):
            sizes[int(number)] += tensor.size
        elif tensor.name == footprint.EMBEDDINGS:
            embeddings = tensor.size
        elif name.startswith("output"):
            output += tensor.size
    whole = any(tensor.name == "output.weight" for tensor in header.tensors)
    compute = footprint.estimate(header, context, users).compute
    kept = _kept(kv_cache.blocks(header), kv_cache.window(header), context, users)
    return Parts(_sums(sizes, kept), compute + output + (0 if whole else embeddings))


def of_shape(shape: Shape, size: int, context: int, users: int) -> Parts:
    """By a file of `size` bytes, of which every block has the same share."""
    kept = _kept(shape.blocks(), shape.window, context, users)
    return Parts(_sums([size // shape.layers] * shape.layers, kept), shape.footprint(size, context, users).compute)


def on(card: Card, parts: Parts) -> Offload:
    """What of it goes onto the card."""
    needed, room = parts.beside + sum(parts.blocks), max((card.free or card.memory) - MARGIN, 0)
    left, layers = room - parts.beside, 0
    for block in reversed(parts.blocks):
        if block > left:
            break
        left, layers = left - block, layers + 1
    word: Word = "shared" if card.unified else "whole" if needed <= room else "part" if layers else "none"
    return Offload(card, word, layers, len(parts.blocks), needed, room)


def _kept(blocks: list[kv_cache.BlockCache], window: int, context: int, users: int) -> list[int]:
    return [footprint.kept([block], window, context, users) for block in blocks]


def _sums(sizes: list[int], kept: list[int]) -> tuple[int, ...]:
    """Encoders keep nothing of a text."""
    return tuple(size + (kept[at] if at < len(kept) else 0) for at, size in enumerate(sizes))
