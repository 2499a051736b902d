"""What each block of a model keeps of a conversation, from the header of a GGUF file: keys and values, or a state.

Blocks differ: they look back at everything or through a window (`sliding_blocks`), have fewer heads for keys and values
than for questions, keep one compressed vector in place of keys and values (multi-head latent attention), keep a state
of a fixed size in place of them (recurrent blocks), or read what an earlier block keeps. The rules are llama.cpp's:
`llama-hparams.cpp`, `llama-kv-cache.cpp` and the files in `src/models` (https://github.com/ggml-org/llama.cpp).
It knows no engine's number formats: it counts numbers, not bytes.
"""

from dataclasses import dataclass

from abierto.formats.gguf_header import GGUFHeader

# In these architectures every block is recurrent, whatever the number of heads says.
RECURRENT = frozenset({"mamba", "mamba2", "rwkv6", "rwkv6qwen2", "rwkv7", "arwkv7"})
# In these every block has both attention and a state.
BOTH = frozenset({"falcon-h1"})
# In these one block in each period has attention, the last, and the others a state; the period may be in the header.
FULL_ATTENTION_PERIODS = {"qwen3next": 4, "qwen35": 4, "qwen35moe": 4}
# Blocks from this one on read what the last ones before them keep (`n_layer_kv_from_start`).
KEPT_BLOCKS = {"gemma3n": 20}
# The window, in tokens, where the engine knows it and the header need not tell.
WINDOWS = {"llama4": 8192}
PLAIN_SHIFT = 2  # tokens that a block of RWKV looks back, where the header does not tell


@dataclass(frozen=True, slots=True)
class BlockCache:
    """What one block keeps. per_token: numbers for each token of the context, or of the window where it `slides`.
    state: numbers for each conversation, however long it is."""

    per_token: int = 0
    slides: bool = False
    state: int = 0


def blocks(header: GGUFHeader) -> list[BlockCache]:
    """One for each block. Encoders, which read a whole text at once, keep nothing."""
    if not header.causal:
        return []
    recurrent = _recurrent_blocks(header)
    state = _state(header)
    last = _first_that_reads_others(header)
    sliding = header.sliding_blocks if window(header) else (False,) * header.block_count
    found = []
    for block, (heads, slides) in enumerate(zip(header.head_count_kv, sliding, strict=False)):
        keeps_state = recurrent[block]
        attends = block < last and (not keeps_state or header.architecture in BOTH)
        width = _width(header, slides)
        found.append(BlockCache(heads * width if attends else 0, slides, state if keeps_state else 0))
    return found


def window(header: GGUFHeader) -> int:
    """The tokens that a block with a sliding window looks back; 0 where no block has one."""
    told = header.sliding_window
    return WINDOWS.get(header.architecture, 0) if told is None else told


def _width(header: GGUFHeader, slides: bool) -> int:
    """Numbers of a key and a value of one head."""
    if header.number("{arch}.attention.key_length_mla") and header.number("{arch}.attention.value_length_mla"):
        return header.key_length  # the value is a part of the compressed key, and is not kept a second time
    if not slides:
        return header.key_length + header.value_length
    parts = (("key", header.key_length), ("value", header.value_length))
    return sum(header.number(f"{{arch}}.attention.{part}_length_swa") or whole for part, whole in parts)


def _recurrent_blocks(header: GGUFHeader) -> list[bool]:
    count, architecture = header.block_count, header.architecture
    if architecture in RECURRENT | BOTH:
        return [True] * count
    if not _state(header):
        return [False] * count
    if architecture in FULL_ATTENTION_PERIODS:
        period = header.number("{arch}.full_attention_interval") or FULL_ATTENTION_PERIODS[architecture]
        return [(block + 1) % period != 0 for block in range(count)]
    return [heads == 0 for heads in header.head_count_kv]


def _state(header: GGUFHeader) -> int:
    """Numbers of the state of a recurrent block: what its convolution looks back at, and its memory; 0 without one."""
    if head := header.number("{arch}.wkv.head_size"):
        shift = header.number("{arch}.token_shift_count") or PLAIN_SHIFT
        return header.embedding_length * (shift + head)
    if length := header.number("{arch}.shortconv.l_cache"):
        return header.embedding_length * (length - 1)
    convolution = header.number("{arch}.ssm.conv_kernel") or 0
    inner, size = (header.number(f"{{arch}}.ssm.{key}") or 0 for key in ("inner_size", "state_size"))
    groups = header.number("{arch}.ssm.group_count") or 0
    return max(convolution - 1, 0) * (inner + 2 * groups * size) + inner * size


def _first_that_reads_others(header: GGUFHeader) -> int:
    shared = header.number("{arch}.attention.shared_kv_layers")
    return header.block_count - shared if shared else KEPT_BLOCKS.get(header.architecture, header.block_count)
