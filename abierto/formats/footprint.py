"""The memory that a model will take, from its header alone, before anything is loaded. It knows no computer.

The formulas follow gguf-parser-go (file_estimate__llamacpp.go, https://github.com/gpustack/gguf-parser-go), and
llama.cpp's own for sliding windows, for a model that runs on the processor with flash attention and a cache of 16-bit
floats. Weights and cache are exact for the llama family. The constants under `MEASURED` come from the resident
memory of xllamacpp 2026.10 on Linux with models of 0.1 to 135 million parameters and vocabularies of 263 to 50,000
tokens. Not counted: recurrent layers, weights that an engine copies into another layout, cached prompts of others.
"""

from dataclasses import dataclass

from abierto.formats.gguf_header import ArrayInfo, GGUFHeader, TensorInfo

CELLS = 256  # contexts are padded to a multiple of this many tokens
MICRO_BATCH = 512  # tokens that are computed together while a prompt is read
CACHE_BYTES = 2  # of one number in the cache: 16-bit floats
FLOAT_BYTES = 4
NODE_BYTES = 368  # the description of one tensor in ggml

# MEASURED
ENGINE_BYTES = 10_000_000  # code, threads and buffers that every model needs
TOKEN_BYTES = 200  # of one token, in the tables that find it by its text and by its number
MERGE_BYTES = 180  # of one merge of a byte-pair vocabulary


@dataclass(frozen=True, slots=True)
class Footprint:
    """Bytes. weights: mapped from the file. kv_cache: keys and values of the context. compute: what lies between
    the layers while they are computed. overhead: the vocabulary, the descriptions of tensors, and the engine."""

    weights: int
    kv_cache: int
    compute: int
    overhead: int

    @property
    def total(self) -> int:
        """All of it."""
        return self.weights + self.kv_cache + self.compute + self.overhead


def estimate(header: GGUFHeader, context: int, max_concurrent: int = 1) -> Footprint:
    """What the model takes with `context` tokens for each of `max_concurrent` conversations."""
    return Footprint(
        weights=header.weights_size,
        kv_cache=_kv_cache(header, context, max_concurrent),
        compute=_compute(header, context, max_concurrent),
        overhead=_overhead(header),
    )


def largest_context(header: GGUFHeader, available: int, max_concurrent: int = 1) -> int:
    """The most tokens for each conversation, a multiple of 256 and no more than the model was trained for, with
    which it fits into `available` bytes. 0 when it fits with none."""
    low, high = 0, (header.context_length or 0) // CELLS
    while low < high:  # what fits with some cells fits with fewer, so half of the range can be ruled out at a time
        middle = (low + high + 1) // 2
        if estimate(header, middle * CELLS, max_concurrent).total <= available:
            low = middle
        else:
            high = middle - 1
    return low * CELLS


def _padded(context: int) -> int:
    return context + -context % CELLS


def _kv_cache(header: GGUFHeader, context: int, max_concurrent: int) -> int:
    """A key and a value for each token, head and block. Encoders keep none."""
    if not header.causal:
        return 0
    width = header.key_length + header.value_length
    narrow = sum(
        header.number(f"{{arch}}.attention.{part}_length_swa") or whole
        for part, whole in (("key", header.key_length), ("value", header.value_length))
    )
    cells = _padded(context)
    window = min(cells, _padded((header.sliding_window or context) + MICRO_BATCH))
    numbers = sum(
        heads * (window * narrow if slides else cells * width)
        for heads, slides in zip(header.head_count_kv, header.sliding_blocks, strict=False)
    )
    return numbers * CACHE_BYTES * max_concurrent


def _compute(header: GGUFHeader, context: int, max_concurrent: int) -> int:
    """Buffers for one micro-batch: the mask, the widest layer, and the scores of the tokens that are asked for."""
    cells = _padded(context)
    tokens = min(cells, MICRO_BATCH)
    wide = header.embedding_length
    attention = 2 * _height(header, "attn_q") + 2 * _height(header, "attn_k") + _height(header, "attn_qkv")
    experts = header.number("{arch}.expert_used_count") or 0
    dense = max(_height(header, "ffn_up"), _height(header, "ffn_gate"))
    feed_forward = 3 * max(dense, experts * _height(header, "ffn_up_exps"))
    mask = cells * tokens * CACHE_BYTES
    layer = tokens * (5 * wide + max(attention, feed_forward)) * FLOAT_BYTES
    scores = max_concurrent * (wide + (header.vocab_size or 0) * header.causal) * FLOAT_BYTES
    return mask + layer + 2 * scores


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
