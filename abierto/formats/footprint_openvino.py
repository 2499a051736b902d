"""The memory that a model in a GGUF file will take with OpenVINO, from its header alone. It knows no computer.

It takes more than with llama.cpp, because the file is not mapped: openvino-genai unpacks it into numbers of 4 or 8 bits
with a scale and an offset of 16 bits for every 16 or 32 of them (`gguf_quants.cpp`,
https://github.com/openvinotoolkit/openvino.genai), and beside these the plugin for processors keeps its own copy in the
layout that suits the processor. Keys and values have 8 bits for a number, and a scale and an offset for each head.

The constants under `MEASURED` come from the memory of the process that computes, with openvino-genai 2026.4 on Linux on
a processor with AVX-512: after the load of a model of 135 million parameters in Q4_1 (98 MB unpacked) 390 MB, of 0.36
billion in Q4_0 (226 MB) 667 MB, of 1.0 billion in Q4_0 (671 MB) 1,620 MB: 178 MB, and 2.15 times the unpacked weights;
and after a prompt of 6,032 tokens 110 MB more, of which the cache is 78 MB.
"""

from abierto.formats import kv_cache
from abierto.formats.footprint import FLOAT_BYTES, Footprint, largest, layer_width
from abierto.formats.gguf_header import GGUFHeader, TensorInfo

ARCHITECTURES = ("llama", "qwen2", "qwen3")  # that it makes a network of
BLOCK = 32  # tokens that a block of the cache holds on a processor
CONVERSATION_BLOCKS = 2  # blocks for each conversation beside those of its context
BATCH = 256  # tokens of prompts that are computed together
HEAD_BYTES = 16  # the scale and the offset of the key and of the value of one head

# MEASURED
COPIES = 2.15
ENGINE_BYTES = 178_000_000  # Python, the libraries, the tokenizer, the compiled network
TOKEN_BYTES = 3_750  # of one token of a conversation while it is computed

# A type of the file -> bits of one number when it is unpacked, and how many share a scale and an offset. Others become
# 8 bits of 32. Floats stay what they are.
_UNPACKED = {"Q4_0": (4, 32), "Q4_1": (4, 32), "Q4_K": (4, 32), "Q6_K": (8, 16)}
_FLOATS = ("F32", "F16", "BF16")
_SCALE_BITS = 32  # a scale and an offset


def estimate(header: GGUFHeader, context: int, max_concurrent: int = 1) -> Footprint:
    """What the model takes with `context` tokens for each of `max_concurrent` conversations."""
    tokens = (context // BLOCK + CONVERSATION_BLOCKS) * BLOCK * max_concurrent
    return Footprint(
        weights=round(COPIES * sum(_unpacked(tensor) for tensor in header.tensors)),
        kv_cache=tokens * _token_size(header),
        compute=BATCH * layer_width(header) * FLOAT_BYTES + tokens * TOKEN_BYTES,
        overhead=ENGINE_BYTES,
    )


def largest_context(header: GGUFHeader, available: int, max_concurrent: int = 1) -> int:
    """The most tokens for each conversation, a multiple of 256 and no more than the model was trained for, with
    which it fits into `available` bytes. 0 when it fits with none."""
    return largest(header.context_length, available, lambda context: estimate(header, context, max_concurrent))


def _unpacked(tensor: TensorInfo) -> float:
    if tensor.dtype in _FLOATS:
        return tensor.size
    bits, group = _UNPACKED.get(tensor.dtype, (8, 32))
    return tensor.elements * (bits + _SCALE_BITS / group) / 8


def _token_size(header: GGUFHeader) -> int:
    """Bytes of one token in the cache: a byte for each number, and the scales. It keeps whole contexts: this engine
    reads architectures without sliding windows and without states only."""
    heads = sum(header.head_count_kv)
    return sum(block.per_token for block in kv_cache.blocks(header)) + heads * HEAD_BYTES
