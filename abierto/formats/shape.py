"""The shape of a language model in the few numbers that its makers publish, and the memory that follows from them
before any file of it is here. The formulas are those of `footprint` and `kv_cache`, for the numbers of a header.

Exact are keys, values and states. What lies between the layers is about right, and so is the vocabulary, whose words
and merges no card counts. It knows no computer.
"""

from dataclasses import dataclass, replace

from abierto.formats.footprint import (
    ENGINE_BYTES,
    MERGE_BYTES,
    NODE_BYTES,
    TOKEN_BYTES,
    Footprint,
    buffers,
    kept,
)
from abierto.formats.kv_cache import BlockCache

TENSORS = 12  # of one block, about
WORD_BYTES = 40  # of one token with its number and its merge in the header of a file, about


@dataclass(frozen=True, slots=True)
class Shape:
    """What every block is like, and what some are; 0 where there is no such thing.

    layers: blocks. heads, kv_heads: of attention; the latter for keys and values. head_dim: numbers of a head.
    embedding: numbers of a token between the blocks. feed_forward: numbers that the widest feed-forward layer makes of
    a token, of all experts that take part in it. vocabulary: tokens.
    window: tokens that sliding blocks look back; all slide but the last of each `full_every`, which may have heads of
    another number and size: full_kv_heads, full_head_dim.
    latent: numbers of the one vector that is kept in place of keys and values (multi-head latent attention).
    recurrent: blocks that keep a state of `state` numbers and have no attention. shared: blocks at the end that read
    what earlier ones keep.
    """

    layers: int
    embedding: int
    vocabulary: int
    feed_forward: int
    heads: int = 0
    kv_heads: int = 0
    head_dim: int = 0
    window: int = 0
    full_every: int = 0
    full_kv_heads: int = 0
    full_head_dim: int = 0
    latent: int = 0
    recurrent: int = 0
    state: int = 0
    shared: int = 0

    def blocks(self) -> list[BlockCache]:
        """What each block keeps, in the order of the blocks; those with a state first."""
        found = [BlockCache(state=self.state)] * self.recurrent
        for block in range(self.layers - self.recurrent):
            slides = bool(self.window) and (block + 1) % self.full_every != 0
            heads = self.kv_heads if slides else self.full_kv_heads or self.kv_heads
            width = self.head_dim if slides else self.full_head_dim or self.head_dim
            found.append(BlockCache(self.latent or 2 * heads * width, slides))
        return [replace(block, per_token=0) if at >= self._first_shared else block for at, block in enumerate(found)]

    def footprint(self, weights: int, context: int, max_concurrent: int = 1) -> Footprint:
        """What the model takes with llama.cpp, `weights` bytes of them, and `context` tokens for each of
        `max_concurrent` conversations."""
        return Footprint(
            weights=weights,
            kv_cache=kept(self.blocks(), self.window, context, max_concurrent),
            compute=buffers(context, self._width, self.embedding, self.vocabulary, max_concurrent),
            overhead=self._overhead,
        )

    @property
    def _first_shared(self) -> int:
        return self.layers - self.shared

    @property
    def _width(self) -> int:
        """As `footprint.layer_width`: what lies side by side while the widest layer is computed."""
        attention = 2 * self.heads * max(self.head_dim, self.full_head_dim)
        attention += 2 * max(self.kv_heads * self.head_dim, self.full_kv_heads * self.full_head_dim)
        return 5 * self.embedding + max(attention, 3 * self.feed_forward)

    @property
    def _overhead(self) -> int:
        tensors = TENSORS * self.layers
        nodes = NODE_BYTES * (2 * max(1024, 8 * tensors) + 2 * (tensors + 1))
        return ENGINE_BYTES + nodes + self.vocabulary * (TOKEN_BYTES + MERGE_BYTES + WORD_BYTES)
