"""The memory that a model in a GGUF file will take with llama.cpp, from its header alone. It knows no computer.

The formulas follow gguf-parser-go (file_estimate__llamacpp.go, https://github.com/gpustack/gguf-parser-go), and
llama.cpp's own for what each block keeps (`kv_cache`) and for the weights that it copies into another layout
(`ggml-cpu/repack.cpp`), for a model that runs on an x86 processor with flash attention and a cache of 16-bit floats.
Weights and cache are exact. The constants under `MEASURED` come from the memory of the process that computes, with
xllamacpp 2026.10 on Linux and models of 0.1 million to 1.0 billion parameters. Not counted: cached prompts of others.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from abierto.formats import kv_cache
from abierto.formats.gguf_header import ArrayInfo, GGUFHeader, TensorInfo
from abierto.formats.kv_cache import BlockCache

CELLS = 256  # contexts are padded to a multiple of this many tokens
MICRO_BATCH = 128  # tokens that are computed together while a prompt is read, as the engine is started
CACHE_BYTES = 2  # of one number in the cache: 16-bit floats
FLOAT_BYTES = 4
EMBEDDINGS = "token_embd.weight"
NODE_BYTES = 368  # the description of one tensor in ggml

# What llama.cpp copies at the start into a layout that suits the processor: matrices of these types, if they have a
# multiple of so many rows. The pages of the file stay in memory for as long as nothing else needs the room.
REPACKED = ("Q4_0", "Q4_K", "IQ4_NL")
REPACKED_ROWS = 8

# MEASURED
ENGINE_BYTES = 30_000_000  # Python, code, threads and buffers that every model needs
TOKEN_BYTES = 200  # of one token, in the tables that find it by its text and by its number
MERGE_BYTES = 180  # of one merge of a byte-pair vocabulary


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes. weights: as the engine needs them. kv_cache: what the conversations keep, with whole contexts. compute:
    what lies between the layers while they are computed. overhead: the vocabulary, and the engine itself.

    spare: pages of the file that the system counts with the process and takes back when something else needs the room;
    no part of `total`.
    """

    weights: int
    kv_cache: int
    compute: int
    overhead: int
    spare: int = 0

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv_cache + self.compute + self.overhead


def estimate(header: GGUFHeader, context: int, max_concurrent: int = 1) -> Footprint:
    """What the model takes with `context` tokens for each of `max_concurrent` conversations."""
    copied, embeddings = _repacked(header)
    scored = (header.vocab_size or 0) * header.causal
    return Footprint(
        weights=header.weights_size + embeddings,
        kv_cache=kept(kv_cache.blocks(header), kv_cache.window(header), context, max_concurrent),
        compute=buffers(context, layer_width(header), header.embedding_length, scored, max_concurrent),
        overhead=_overhead(header),
        spare=copied,
    )


def largest_context(header: GGUFHeader, available: int, max_concurrent: int = 1) -> int:
    """The most tokens for each conversation, a multiple of 256 and no more than the model was trained for, with
    which it fits into `available` bytes. 0 when it fits with none."""
    return largest(header.context_length, available, lambda context: estimate(header, context, max_concurrent))


def largest(trained: int | None, available: int, needed: Callable[[int], Footprint]) -> int:
    """The same for any formula, which grows with the context. trained: tokens."""
    low, high = 0, (trained or 0) // CELLS
    while low < high:  # what fits with some cells fits with fewer, so half of the range can be ruled out at a time
        middle = (low + high + 1) // 2
        if needed(middle * CELLS).total <= available:
            low = middle
        else:
            high = middle - 1
    return low * CELLS


def _padded(context: int) -> int:
    return context + -context % CELLS


def _repacked(header: GGUFHeader) -> tuple[int, int]:
    """Bytes of matrices that are needed only as the copies of them; and of those that are needed twice: embeddings that
    make words of numbers, too, are looked up in the file and multiplied with in the copy."""
    copied = [
        tensor
        for tensor in header.tensors
        if tensor.dtype in REPACKED and len(tensor.shape) > 1 and tensor.shape[1] % REPACKED_ROWS == 0
    ]
    twice = not any(tensor.name == "output.weight" for tensor in header.tensors)
    embeddings = sum(tensor.size for tensor in copied if tensor.name == EMBEDDINGS)
    return sum(tensor.size for tensor in copied) - embeddings, embeddings * twice


def kept(blocks: Iterable[BlockCache], window: int, context: int, max_concurrent: int) -> int:
    """Bytes that conversations keep, block by block: their tokens, those in the window, or a state of a fixed size.

    window: tokens that sliding blocks look back, 0 where none does.
    """
    cells = _padded(context)
    behind = min(cells, _padded((window or context) + MICRO_BATCH))
    one = sum(
        block.per_token * (behind if block.slides else cells) * CACHE_BYTES + block.state * FLOAT_BYTES
        for block in blocks
    )
    return one * max_concurrent


def buffers(context: int, width: int, embedding: int, scored: int, max_concurrent: int) -> int:
    """Bytes for one micro-batch: the mask, the widest layer, and the scores of the tokens that are asked for.

    width: numbers of one token in that layer; scored: how many words get a score, 0 for a model that writes none.
    """
    cells = _padded(context)
    tokens = min(cells, MICRO_BATCH)
    mask = cells * tokens * CACHE_BYTES
    layer = tokens * width * FLOAT_BYTES
    scores = max_concurrent * (embedding + scored) * FLOAT_BYTES
    return mask + layer + 2 * scores


def layer_width(header: GGUFHeader) -> int:
    """How many numbers of one token lie side by side while the widest layer is computed."""
    attention = 2 * _height(header, "attn_q") + 2 * _height(header, "attn_k") + _height(header, "attn_qkv")
    experts = header.number("{arch}.expert_used_count") or 0
    dense = max(_height(header, "ffn_up"), _height(header, "ffn_gate"))
    feed_forward = 3 * max(dense, experts * _height(header, "ffn_up_exps"))
    return 5 * header.embedding_length + max(attention, feed_forward)


def _height(header: GGUFHeader, name: str) -> int:
    """How many numbers a matrix of this name makes of one token, in the block where it makes most."""
    found: list[TensorInfo] = [tensor for tensor in header.tensors if tensor.name.endswith(f".{name}.weight")]
    return max((tensor.shape[1] for tensor in found if len(tensor.shape) > 1), default=0)


def _overhead(header: GGUFHeader) -> int:
    """The vocabulary in memory, the descriptions of tensors, and the engine itself."""
    merges = header.metadata.get("tokenizer.ggml.merges")
    pairs = merges.length if isinstance(merges, ArrayInfo) else 0
    vocabulary = (header.vocab_size or 0) * TOKEN_BYTES + pairs * MERGE_BYTES
    nodes = NODE_BYTES * (2 * max(1024, 8 * len(header.tensors)) + 2 * (len(header.tensors) + 1))
    return header.data_offset + vocabulary + nodes + ENGINE_BYTES
