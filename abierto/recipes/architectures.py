"""The architectures that can be converted: what their tensors and numbers are called in GGUF, and how they differ.

All are decoders with rotary positions, normalised by root mean square, with a gated feed-forward network. Names in GGUF
follow the `gguf` package of llama.cpp (constants.py, tensor_mapping.py), the order of the rotary pairs its `convert`
programs (October 2026). It opens no file.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from abierto.errors import NotConvertible
from abierto.recipes import gguf_writer

MAX_BLOCKS = 512
MAX_NUMBER = 1 << 31


@dataclass(frozen=True, slots=True)
class Architecture:
    """name: in GGUF. paired: the engine rotates neighbours, where the makers rotate halves, so rows change their place.
    biased: queries, keys and values have one. normed: queries and keys are normalised."""

    name: str
    paired: bool = False
    biased: bool = False
    normed: bool = False


# By the class that config.json names.
ARCHITECTURES: Mapping[str, Architecture] = {
    "LlamaForCausalLM": Architecture("llama", paired=True),
    "MistralForCausalLM": Architecture("llama", paired=True),
    "Qwen2ForCausalLM": Architecture("qwen2", biased=True),
    "Qwen3ForCausalLM": Architecture("qwen3", normed=True),
}


@dataclass(frozen=True, slots=True)
class Shape:
    """The numbers that give a network its shape. scaling: of the positions, as config.json has it."""

    architecture: Architecture
    blocks: int
    embedding: int
    feed_forward: int
    heads: int
    heads_kv: int
    head: int
    vocabulary: int
    context: int
    epsilon: float
    frequency: float
    tied: bool
    attention_bias: bool
    scaling: Mapping[str, Any]


def shape_of(config: Mapping[str, Any], path: str) -> Shape:
    """What a config.json says. Raises NotConvertible, which names what is supported or what is missing."""
    named = config.get("architectures")
    asked = str(named[0]) if isinstance(named, list) and named else str(config.get("model_type"))
    if asked not in ARCHITECTURES:
        raise NotConvertible(path, "architecture", {"architecture": asked[:100], "known": ", ".join(ARCHITECTURES)})
    kind = ARCHITECTURES[asked]
    facts = _Facts(config, path)
    embedding, heads = facts.whole("hidden_size"), facts.whole("num_attention_heads")
    scaling = facts.mapping("rope_scaling") or facts.mapping("rope_parameters")
    frequency = config.get("rope_theta", scaling.get("rope_theta", 10000.0))
    shape = Shape(
        architecture=kind,
        blocks=facts.whole("num_hidden_layers", MAX_BLOCKS),
        embedding=embedding,
        feed_forward=facts.whole("intermediate_size"),
        heads=heads,
        heads_kv=facts.whole("num_key_value_heads") if config.get("num_key_value_heads") is not None else heads,
        head=facts.whole("head_dim") if config.get("head_dim") is not None else embedding // heads,
        vocabulary=facts.whole("vocab_size", 1 << 20),
        context=facts.whole("max_position_embeddings"),
        epsilon=facts.number(config.get("rms_norm_eps", 1e-6), "rms_norm_eps"),
        frequency=facts.number(frequency, "rope_theta"),
        tied=config.get("tie_word_embeddings") is True,
        attention_bias=kind.biased or config.get("attention_bias") is True,
        scaling=scaling,
    )
    if shape.heads % shape.heads_kv or shape.head % 2 or shape.head < 2:
        raise NotConvertible(path, "config", {"key": "num_attention_heads"})
    if config.get("hidden_act", "silu") != "silu":
        raise NotConvertible(path, "config", {"key": "hidden_act"})
    return shape


class _Facts:
    def __init__(self, config: Mapping[str, Any], path: str) -> None:
        self._config, self._path = config, path

    def whole(self, key: str, limit: int = MAX_NUMBER) -> int:
        found = self._config.get(key)
        if type(found) is not int or not 0 < found < limit:
            raise NotConvertible(self._path, "config", {"key": key})
        return found

    def number(self, found: object, key: str) -> float:
        if isinstance(found, bool) or not isinstance(found, int | float) or not 0 < found < 1e12:
            raise NotConvertible(self._path, "config", {"key": key})
        return float(found)

    def mapping(self, key: str) -> Mapping[str, Any]:
        found = self._config.get(key)
        return found if isinstance(found, Mapping) else {}


def tensors(shape: Shape) -> dict[str, tuple[str, tuple[int, ...]]]:
    """Every tensor of the network: for its name in the makers' files the name in GGUF, and the shape that it must have.

    Shapes have the slowest dimension first. A tied output matrix is not in the list.
    """
    wide, narrow, whole = shape.embedding, shape.heads_kv * shape.head, shape.heads * shape.head
    found = {
        "model.embed_tokens.weight": ("token_embd.weight", (shape.vocabulary, wide)),
        "model.norm.weight": ("output_norm.weight", (wide,)),
    }
    if not shape.tied:
        found["lm_head.weight"] = ("output.weight", (shape.vocabulary, wide))
    parts: dict[str, tuple[str, tuple[int, ...]]] = {
        "input_layernorm.weight": ("attn_norm.weight", (wide,)),
        "self_attn.q_proj.weight": ("attn_q.weight", (whole, wide)),
        "self_attn.k_proj.weight": ("attn_k.weight", (narrow, wide)),
        "self_attn.v_proj.weight": ("attn_v.weight", (narrow, wide)),
        "self_attn.o_proj.weight": ("attn_output.weight", (wide, whole)),
        "post_attention_layernorm.weight": ("ffn_norm.weight", (wide,)),
        "mlp.gate_proj.weight": ("ffn_gate.weight", (shape.feed_forward, wide)),
        "mlp.up_proj.weight": ("ffn_up.weight", (shape.feed_forward, wide)),
        "mlp.down_proj.weight": ("ffn_down.weight", (wide, shape.feed_forward)),
    }
    if shape.attention_bias:
        for part, rows in (("q", whole), ("k", narrow), ("v", narrow)):
            parts[f"self_attn.{part}_proj.bias"] = (f"attn_{part}.bias", (rows,))
    if shape.attention_bias and not shape.architecture.biased:
        parts["self_attn.o_proj.bias"] = ("attn_output.bias", (wide,))
    if shape.architecture.normed:
        for part in ("q", "k"):
            parts[f"self_attn.{part}_norm.weight"] = (f"attn_{part}_norm.weight", (shape.head,))
    for block in range(shape.blocks):
        for name, (made, size) in parts.items():
            found[f"model.layers.{block}.{name}"] = (f"blk.{block}.{made}", size)
    return found


def rotated_heads(shape: Shape, made: str) -> int:
    """How many heads a tensor has whose rows change their place; 0 for all other tensors."""
    if not shape.architecture.paired:
        return 0
    part = made.split(".")[2] if made.startswith("blk.") else ""
    return {"attn_q": shape.heads, "attn_k": shape.heads_kv}.get(part, 0)


def source_row(row: int, head: int) -> int:
    """The row of the makers' matrix that becomes this row: halves of a head's rows become neighbours."""
    start, place = row - row % head, row % head
    return start + place % 2 * (head // 2) + place // 2


def metadata(shape: Shape, path: str) -> dict[str, bytes]:
    """The keys of GGUF that tell the shape. Raises NotConvertible for an unknown way to scale the positions."""
    whole = {
        "block_count": shape.blocks,
        "context_length": shape.context,
        "embedding_length": shape.embedding,
        "feed_forward_length": shape.feed_forward,
        "attention.head_count": shape.heads,
        "attention.head_count_kv": shape.heads_kv,
        "attention.key_length": shape.head,
        "attention.value_length": shape.head,
        "rope.dimension_count": shape.head,
        "vocab_size": shape.vocabulary,
    }
    pairs = {key: gguf_writer.u32(value) for key, value in whole.items()}
    pairs["attention.layer_norm_rms_epsilon"] = gguf_writer.f32(shape.epsilon)
    pairs["rope.freq_base"] = gguf_writer.f32(shape.frequency)
    pairs |= _scaling(shape, path)
    return {f"{shape.architecture.name}.{key}": value for key, value in pairs.items()}


def _scaling(shape: Shape, path: str) -> dict[str, bytes]:
    method = shape.scaling.get("rope_type", shape.scaling.get("type", "default"))
    factor = shape.scaling.get("factor")
    if method in ("default", "llama3"):
        return {}
    known = isinstance(factor, int | float) and not isinstance(factor, bool) and factor > 0
    if method not in ("linear", "yarn") or not known:
        raise NotConvertible(path, "positions", {"method": str(method)[:50]})
    pairs = {
        "rope.scaling.type": gguf_writer.string(method),
        "rope.scaling.factor": gguf_writer.f32(float(str(factor))),
    }
    original = shape.scaling.get("original_max_position_embeddings")
    if method == "yarn" and type(original) is int and 0 < original < MAX_NUMBER:
        pairs["rope.scaling.original_context_length"] = gguf_writer.u32(original)
    return pairs


def frequency_factors(shape: Shape, path: str) -> list[float]:
    """By what each rotary frequency is divided, for models that stretch the slow ones; empty for others.

    The formula is that of Llama 3.1: https://github.com/huggingface/transformers, modeling_rope_utils.py.
    """
    if shape.scaling.get("rope_type", shape.scaling.get("type")) != "llama3":
        return []
    keys = ("factor", "low_freq_factor", "high_freq_factor", "original_max_position_embeddings")
    facts = _Facts(shape.scaling, path)
    factor, low, high, original = (facts.number(shape.scaling.get(key), key) for key in keys)
    if high <= low:
        raise NotConvertible(path, "config", {"key": "high_freq_factor"})
    made = []
    for pair in range(shape.head // 2):
        length = 2 * math.pi * shape.frequency ** (2 * pair / shape.head)
        smooth = min(max((original / length - low) / (high - low), 0.0), 1.0)
        made.append(1 / ((1 - smooth) / factor + smooth))
    return made
