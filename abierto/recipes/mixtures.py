"""Which type each tensor gets, for each kind of file that can be made. It encodes nothing and opens no file.

The rules are those of llama.cpp's llama-quant.cpp (October 2026) for a file that is made without an importance matrix,
so that a file of the same name is the same mixture. Left out: its exceptions for the architecture falcon, for models
of 70 billion parameters, and, of those for models of eight experts, all but one.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from abierto.formats.ggml_types import TYPES
from abierto.recipes.gguf_writer import u32

_QUANTIZATION_VERSION = 2  # GGML_QNT_VERSION in ggml.h


@dataclass(frozen=True, slots=True)
class Mixture:
    """A kind of file. file_type: its number in `enum llama_ftype`. dtype: what most tensors get."""

    file_type: int
    dtype: str


MIXTURES: dict[str, Mixture] = {
    "f32": Mixture(0, "F32"),
    "bf16": Mixture(32, "BF16"),
    "f16": Mixture(1, "F16"),
    "q8_0": Mixture(7, "Q8_0"),
    "q6_k": Mixture(18, "Q6_K"),
    "q5_k_m": Mixture(17, "Q5_K"),
    "q5_k_s": Mixture(16, "Q5_K"),
    "q5_1": Mixture(9, "Q5_1"),
    "q5_0": Mixture(8, "Q5_0"),
    "q4_k_m": Mixture(15, "Q4_K"),
    "q4_k_s": Mixture(14, "Q4_K"),
    "q4_1": Mixture(3, "Q4_1"),
    "q4_0": Mixture(2, "Q4_0"),
    "iq4_nl": Mixture(25, "IQ4_NL"),
    "iq4_xs": Mixture(30, "IQ4_XS"),
    "q3_k_l": Mixture(13, "Q3_K"),
    "q3_k_m": Mixture(12, "Q3_K"),
    "q3_k_s": Mixture(11, "Q3_K"),
    "q2_k": Mixture(10, "Q2_K"),
}


@dataclass(frozen=True, slots=True)
class Traits:
    """What the rules ask of a model. blocks: how many; sharing: heads for each head of keys and values; experts: 0 for
    none; tied: the token embedding is the output matrix too."""

    blocks: int
    sharing: int
    experts: int
    tied: bool


_BLOCKS = {kind.name: kind.block_elements for kind in TYPES.values()}
_FLOATS = ("F32", "F16", "BF16")
_BLOCK = re.compile(r"blk\.(\d+)\.(.+)\.weight")
# Small, and the model suffers when they are rounded.
_KEPT: tuple[str, ...] = (
    *("_norm.weight", "ffn_gate_inp.weight", "ffn_gate_tid2eid", "altup", "laurel", "per_layer_model_proj"),
    *("ssm_conv1d", "shortconv.conv.weight", "indexer.k_proj", "indexer.q_proj", "position_embd", "token_types"),
    *("time_mix_first", "time_mix_w", "time_mix_v", "time_mix_a", "time_mix_g", "time_mix_decay_w", "time_mix_lerp"),
    "attn_rel_b",
)

# Where the rows of a tensor are no multiple of a type's block.
_INSTEAD = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0", "IQ4_XS": "IQ4_NL"}

_When = Callable[[int, Traits], bool]


def _always(_block: int, _traits: Traits) -> bool:
    return True


def _is_first(count: int) -> _When:
    return lambda block, _traits: block < count


def _first_part(parts: int) -> _When:
    return lambda block, traits: block < traits.blocks // parts


def _shared(_block: int, traits: Traits) -> bool:
    return traits.sharing >= 4


def _alternating(block: int, traits: Traits) -> bool:
    """The first eighth of the blocks, the last, and every third between."""
    eighth = traits.blocks // 8
    return block < eighth or block >= 7 * traits.blocks // 8 or (block - eighth) % 3 == 2


# For a mixture and a tensor of a block: the first line whose condition holds says the type.
_RULES: Mapping[str, Mapping[str, tuple[tuple[_When, str], ...]]] = {
    "q5_k_m": {
        "attn_v": ((_alternating, "Q6_K"),),
        "ffn_down": ((_alternating, "Q6_K"),),
        "attn_qkv": ((_always, "Q6_K"),),
    },
    "q4_k_m": {
        "attn_v": ((_alternating, "Q6_K"),),
        "ffn_down": ((_alternating, "Q6_K"),),
        "attn_qkv": ((_always, "Q5_K"),),
    },
    "q4_k_s": {"attn_v": ((_is_first(4), "Q5_K"),), "ffn_down": ((_first_part(8), "Q5_K"),)},
    "iq4_nl": {"attn_v": ((_shared, "Q5_K"),), "ffn_down": ((_first_part(8), "Q5_K"),)},
    "iq4_xs": {"attn_v": ((_shared, "Q5_K"),), "ffn_down": ((_first_part(8), "Q5_K"),)},
    "q3_k_l": {
        "attn_v": ((_always, "Q5_K"),),
        "ffn_down": ((_always, "Q5_K"),),
        "attn_output": ((_always, "Q5_K"),),
        "attn_qkv": ((_always, "Q4_K"),),
    },
    "q3_k_m": {
        "attn_v": ((_is_first(2), "Q5_K"), (_always, "Q4_K")),
        "ffn_down": ((_first_part(16), "Q5_K"), (_always, "Q4_K")),
        "attn_output": ((_always, "Q4_K"),),
        "attn_qkv": ((_always, "Q4_K"),),
    },
    "q2_k": {
        "attn_v": ((_shared, "Q4_K"), (_always, "Q3_K")),
        "ffn_down": ((_always, "Q3_K"),),
        "attn_output": ((_always, "Q3_K"),),
    },
}


def is_kept(name: str, shape: tuple[int, ...]) -> bool:
    """Whether a tensor stays as it is in every file: vectors, norms, and what is small and delicate."""
    matrix = len(shape) > 1 and shape[1] > 1
    return not matrix or not name.endswith("weight") or any(part in name for part in _KEPT)


def type_for(kind: str, name: str, shape: tuple[int, ...], traits: Traits) -> str:
    """The type of a tensor in a file of this kind, unless it is kept. shape: the fastest dimension first."""
    dtype = MIXTURES[kind].dtype
    if dtype in _FLOATS:
        return dtype
    if name == "output.weight" or (traits.tied and name == "token_embd.weight"):
        # What chooses the next word gets more bits than the rest.
        dtype = "Q8_0" if dtype == "Q8_0" or shape[0] % _BLOCKS[dtype] else "Q6_K"
    elif found := _BLOCK.fullmatch(name):
        dtype = _in_block(kind, int(found[1]), found[2].removesuffix("_exps"), traits)
    return _fitting(dtype, shape[0])


def simplest(shape: tuple[int, ...]) -> str:
    """What a tensor gets in place of a type that nobody here can make."""
    return _fitting("Q8_0", shape[0])


def metadata(kind: str) -> dict[str, bytes]:
    """The keys of GGUF that tell the kind of file."""
    return {
        "general.file_type": u32(MIXTURES[kind].file_type),
        "general.quantization_version": u32(_QUANTIZATION_VERSION),
    }


def _in_block(kind: str, block: int, part: str, traits: Traits) -> str:
    if traits.experts == 8 and part in ("attn_v", "attn_k"):
        return "Q8_0"  # small beside the experts
    rules = _RULES.get(kind, {}).get(part, ())
    return next((dtype for when, dtype in rules if when(block, traits)), MIXTURES[kind].dtype)


def _fitting(dtype: str, row: int) -> str:
    if row % _BLOCKS[dtype]:
        dtype = _INSTEAD.get(dtype, dtype)
    return "F16" if row % _BLOCKS[dtype] else dtype
