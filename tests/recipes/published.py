"""A tiny model with random weights as its makers would publish it, and what it computes, in numpy.

The reference is written from the definition of the network (halves of a head rotate against each other, as in the
makers' files), and knows nothing of GGUF or of the code under test.
"""

import json
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tests.tiny_gguf import CHAT_TEMPLATE, END, MERGES, SPECIALS, vocabulary

Array = NDArray[np.float32]
CODES = {"F32": "<f4", "F16": "<f2"}
LLAMA3 = {
    "rope_type": "llama3",
    "factor": 8.0,
    "low_freq_factor": 1.0,
    "high_freq_factor": 4.0,
    "original_max_position_embeddings": 64,
}


@dataclass(frozen=True)
class Published:
    """What to publish. config: overrides or adds keys of config.json; a None leaves one out."""

    kind: str = "LlamaForCausalLM"
    layers: int = 2
    wide: int = 64
    deep: int = 96
    heads: int = 4
    heads_kv: int = 2
    head: int = 16
    dtype: str = "F16"
    tied: bool = False
    bias: bool = False
    normed: bool = False
    scaling: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0

    def weights(self) -> dict[str, Array]:
        """All tensors by the makers' names, already rounded to the type in which they are published."""
        random, vocab = np.random.default_rng(self.seed), len(vocabulary())
        whole, narrow = self.heads * self.head, self.heads_kv * self.head
        shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (vocab, self.wide)}
        for layer in range(self.layers):
            at = f"model.layers.{layer}."
            shapes |= {
                at + "input_layernorm.weight": (self.wide,),
                at + "post_attention_layernorm.weight": (self.wide,),
            }
            sizes = {
                "q": (whole, self.wide),
                "k": (narrow, self.wide),
                "v": (narrow, self.wide),
                "o": (self.wide, whole),
            }
            shapes |= {f"{at}self_attn.{part}_proj.weight": size for part, size in sizes.items()}
            if self.bias:
                biased = "qkvo" if self.kind == "LlamaForCausalLM" else "qkv"
                shapes |= {f"{at}self_attn.{part}_proj.bias": (sizes[part][0],) for part in biased}
            if self.normed:
                shapes |= {f"{at}self_attn.{part}_norm.weight": (self.head,) for part in "qk"}
            shapes |= {f"{at}mlp.{part}_proj.weight": (self.deep, self.wide) for part in ("gate", "up")}
            shapes[at + "mlp.down_proj.weight"] = (self.wide, self.deep)
        shapes["model.norm.weight"] = (self.wide,)
        if not self.tied:
            shapes["lm_head.weight"] = (vocab, self.wide)
        made = {
            name: random.standard_normal(size) / (size[-1] ** 0.5 if len(size) > 1 else 3)
            for name, size in shapes.items()
        }
        made |= {name: 1 + value for name, value in made.items() if name.endswith("norm.weight")}
        code = CODES.get(self.dtype, "<f4")
        return {
            name: _bf16(value) if self.dtype == "BF16" else value.astype(code).astype("<f4")
            for name, value in made.items()
        }

    def write(self, folder: Path, shards: int = 1) -> Path:
        """Publish it in a folder."""
        folder.mkdir(parents=True, exist_ok=True)
        weights = self.weights()
        names = list(weights)
        if shards == 1:
            (folder / "model.safetensors").write_bytes(safetensors(weights, self.dtype))
        else:
            places = {
                name: f"model-{number % shards + 1:05}-of-{shards:05}.safetensors" for number, name in enumerate(names)
            }
            for file in sorted(set(places.values())):
                part = {name: weights[name] for name in names if places[name] == file}
                (folder / file).write_bytes(safetensors(part, self.dtype))
            (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))
        body = {key: value for key, value in {**self._facts(), **self.config}.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(body))
        (folder / "tokenizer.json").write_text(json.dumps(tokenizer()))
        settings = {
            "eos_token": "<|im_end|>",
            "bos_token": {"content": "<|endoftext|>"},
            "chat_template": CHAT_TEMPLATE,
        }
        (folder / "tokenizer_config.json").write_text(json.dumps(settings))
        return folder

    def _facts(self) -> dict[str, Any]:
        return {
            "architectures": [self.kind],
            "hidden_size": self.wide,
            "intermediate_size": self.deep,
            "num_hidden_layers": self.layers,
            "num_attention_heads": self.heads,
            "num_key_value_heads": self.heads_kv,
            "head_dim": self.head,
            "rms_norm_eps": 1e-5,
            "rope_theta": 10000.0,
            "rope_scaling": dict(self.scaling) or None,
            "max_position_embeddings": 512,
            "vocab_size": len(vocabulary()),
            "tie_word_embeddings": self.tied,
            "attention_bias": self.bias and self.kind == "LlamaForCausalLM",
            "hidden_act": "silu",
        }

    def scores(self, tokens: list[int]) -> Array:
        """The score of every token to come next, computed from the definition of the network."""
        weights, x = self.weights(), np.zeros(0)
        x = weights["model.embed_tokens.weight"][tokens].astype(np.float64)
        for layer in range(self.layers):
            at = f"model.layers.{layer}."
            block = {name.removeprefix(at): value for name, value in weights.items() if name.startswith(at)}
            x = x + self._attention(block, _normed(x, block["input_layernorm.weight"]))
            y = _normed(x, block["post_attention_layernorm.weight"])
            gate = y @ block["mlp.gate_proj.weight"].T
            x = x + (gate / (1 + np.exp(-gate)) * (y @ block["mlp.up_proj.weight"].T)) @ block["mlp.down_proj.weight"].T
        output = weights["model.embed_tokens.weight" if self.tied else "lm_head.weight"]
        last: Array = _normed(x[-1], weights["model.norm.weight"]) @ output.T
        return last

    def greedy(self, tokens: list[int], count: int) -> list[int]:
        """The likeliest tokens, one after the other."""
        made: list[int] = []
        for _ in range(count):
            made.append(int(self.scores([*tokens, *made]).argmax()))
        return made

    def _attention(self, block: Mapping[str, Array], x: NDArray[Any]) -> NDArray[Any]:
        length, group = len(x), self.heads // self.heads_kv
        parts = {}
        for part, heads in (("q", self.heads), ("k", self.heads_kv), ("v", self.heads_kv)):
            bias = block.get(f"self_attn.{part}_proj.bias", np.float32(0))
            parts[part] = (x @ block[f"self_attn.{part}_proj.weight"].T + bias).reshape(length, heads, self.head)
        for part in "qk":
            if self.normed:
                parts[part] = _normed(parts[part], block[f"self_attn.{part}_norm.weight"])
            parts[part] = self._rotated(parts[part])
        key, value = (np.repeat(parts[part], group, axis=1) for part in "kv")
        seen = np.einsum("ihd,jhd->hij", parts["q"], key) / self.head**0.5
        seen = np.where(np.tril(np.ones((length, length), bool)), seen, -np.inf)
        share = np.exp(seen - seen.max(-1, keepdims=True))
        mixed = np.einsum("hij,jhd->ihd", share / share.sum(-1, keepdims=True), value)
        made: NDArray[Any] = mixed.reshape(length, -1) @ block["self_attn.o_proj.weight"].T
        return made + block.get("self_attn.o_proj.bias", np.float32(0))

    def _rotated(self, x: NDArray[Any]) -> NDArray[Any]:
        half = self.head // 2
        speed = 10000.0 ** (-np.arange(half) / half)
        if self.scaling:
            turns = LLAMA3["original_max_position_embeddings"] * speed / (2 * np.pi)  # type: ignore[operator]
            smooth = np.clip((turns - 1.0) / (4.0 - 1.0), 0, 1)
            speed = (1 - smooth) * speed / 8.0 + smooth * speed
        angle = (np.arange(len(x))[:, None] * speed)[:, None, :]
        first, second = x[..., :half], x[..., half:]
        turned = [first * np.cos(angle) - second * np.sin(angle), second * np.cos(angle) + first * np.sin(angle)]
        return np.concatenate(turned, axis=-1)


MODELS = {
    "llama": Published(),
    "llama, tied, bfloat16": Published(tied=True, dtype="BF16"),
    "llama, stretched positions, biases": Published(scaling=LLAMA3, bias=True),
    "qwen2": Published(kind="Qwen2ForCausalLM", bias=True, dtype="F32"),
    "qwen3": Published(kind="Qwen3ForCausalLM", normed=True, head=32, tied=True, seed=1),
}


def safetensors(weights: Mapping[str, Array], dtype: str) -> bytes:
    """A safetensors file."""
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    data = b""
    for name, value in weights.items():
        raw = value.view("<u4").__rshift__(16).astype("<u2") if dtype == "BF16" else value.astype(CODES[dtype])
        header[name] = {"dtype": dtype, "shape": list(value.shape), "data_offsets": [len(data), len(data) + raw.nbytes]}
        data += raw.tobytes()
    return packed(header, data)


def packed(header: Any, data: bytes) -> bytes:
    """A safetensors file with this header, true or not."""
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def tokenizer() -> dict[str, Any]:
    """tokenizer.json of the byte-level vocabulary of `tests.tiny_gguf`."""
    tokens = vocabulary()
    special = [{"id": tokens.index(text), "content": text, "special": True, "normalized": False} for text in SPECIALS]
    vocab = {text: number for number, text in enumerate(tokens) if text not in SPECIALS}
    return {
        "added_tokens": special,
        "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "use_regex": True},
        "post_processor": None,
        "decoder": {"type": "ByteLevel"},
        "model": {"type": "BPE", "vocab": vocab, "merges": list(MERGES)},
    }


def _normed(x: NDArray[Any], weight: Array) -> NDArray[Any]:
    made: NDArray[Any] = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5) * weight
    return made


def _bf16(value: NDArray[Any]) -> Array:
    cut: Array = (value.astype("<f4").view("<u4") & 0xFFFF0000).astype("<u4").view("<f4")
    return cut


__all__ = ["END", "MODELS", "Published", "packed", "safetensors", "tokenizer"]
