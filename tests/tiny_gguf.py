"""Writes a tiny chat model as a GGUF file: loadable, seeded, in pure Python; and any broken variant of it.

    TinyGGUF().write(folder / "tiny.gguf")                     random weights: says random bytes, seldom ends
    TinyGGUF(says="Hé 你🙂.").write(path)                       always answers just that, then ends
    TinyGGUF(says="abc", ends=False).write(path)               answers abcabcabc... until a limit
    TinyGGUF(context=2048, layers=1, dtype="f16").write(path)
    TinyGGUF(architecture="qwen3", ranks=True)                 a model that can rank; others are llama's
    TinyGGUF(metadata={"llama.pooling_type": 1})               one for embeddings
    TinyGGUF(metadata={"llama.block_count": None})             omits a key
    TinyGGUF(metadata={"llama.block_count": Typed("u64", 9)})  overrides or adds one, with its GGUF type
    TinyGGUF(tensors={"output.weight": None})                  omits a tensor
    TinyGGUF(tensors={"x": Tensor((4,), "f32", b"...")})       replaces or adds one (appended last)
    TinyGGUF(tensor_count=2**62).build()                       the bytes, with a header that lies
    TinyGGUF().build()[:1000]                                  a truncated file

The model is of the llama architecture, or of qwen3's, with a byte-level vocabulary (gpt2 pre-tokenizer): token i is
byte i for the 256 bytes, then come the specials and a few merged pairs. A character of several bytes is therefore
always split over several tokens. The chat template is ChatML. A model that `says` something is a chain in which each
byte has one successor, so no byte may occur twice in what it says, nor the line feed that ends the prompt.
It knows nothing of the code under test.
"""

import random
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

KINDS = {"u8": 0, "i8": 1, "u16": 2, "i16": 3, "u32": 4, "i32": 5, "f32": 6, "bool": 7, "str": 8, "array": 9}
KINDS |= {"u64": 10, "i64": 11, "f64": 12}
_PACK = {"u8": "B", "i8": "b", "u16": "H", "i16": "h", "u32": "I", "i32": "i", "f32": "f", "bool": "?"}
_PACK |= {"u64": "Q", "i64": "q", "f64": "d"}
DTYPES = {"f32": 0, "f16": 1, "q4_0": 2, "q8_0": 8}

SPECIALS = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
MERGES = ("h e", "l l", "Ġ t", "e r")
END = 256 + SPECIALS.index("<|im_end|>")
CHAT_TEMPLATE = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\\n' + message['content'] + '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)

# One of a model that thinks first, if it is let.
THINKING_TEMPLATE = CHAT_TEMPLATE.replace(
    "assistant\\n' }}",
    "assistant\\n' }}{% if enable_thinking is defined and not enable_thinking %}{{ '<think></think>' }}{% endif %}",
)
# One that tells of tools, with marks around calls. A model that `says` the first mark calls one, where a grammar makes
# it go on.
TOOL_TEMPLATE = (
    "{% if tools %}{{ '<|im_start|>system\\nCall a tool with <use>JSON</use>. Tools:\\n' }}"
    "{% for tool in tools %}{{ tool | tojson + '\\n' }}{% endfor %}{{ '<|im_end|>\\n' }}{% endif %}"
    "{% for message in messages %}{{ '<|im_start|>' + message.role + '\\n' }}"
    "{% if message.content %}{{ message.content }}{% endif %}{% for call in message.tool_calls %}"
    '{{ \'<use>{"name": "\' + call.function.name + \'", "arguments": \' }}'
    "{{ call.function.arguments | tojson + '}</use>' }}{% endfor %}{{ '<|im_end|>\\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}"
)


@dataclass(frozen=True)
class Typed:
    """A metadata value with its GGUF type by name, a number for a type that does not exist, or raw bytes for it.

    For an array, `kind` is "array" and `value` a list of Typed of one kind; `item` names the kind of an empty one,
    `count` lies about the length.
    """

    kind: str | int
    value: Any
    item: str | int = "u32"
    count: int | None = None


@dataclass(frozen=True)
class Tensor:
    """A tensor. `dtype`: a name in DTYPES or a ggml type number; `offset`: lies about where the data are."""

    shape: tuple[int, ...]
    dtype: str | int
    data: bytes
    offset: int | None = None


@dataclass(frozen=True)
class TinyGGUF:
    """What to write; see the module's docstring. Counts left at None tell the truth."""

    layers: int = 2
    embedding: int = 64
    heads: int = 4
    heads_kv: int = 2
    feed_forward: int = 128
    context: int = 512
    dtype: str = "f32"
    seed: int = 0
    architecture: str = "llama"
    ranks: bool = False  # with a layer that says how likely `yes` is
    says: str | None = None
    ends: bool = True
    version: int = 3
    byte_order: str = "<"
    metadata: Mapping[str, Any] = field(default_factory=dict)
    tensors: Mapping[str, Tensor | None] = field(default_factory=dict)
    metadata_count: int | None = None
    tensor_count: int | None = None
    extra: bytes = b""  # written after the last metadata pair, for pairs that no dict can hold

    def write(self, path: Path) -> Path:
        """Write the file, and return its path."""
        path.write_bytes(self.build())
        return path

    def build(self) -> bytes:
        """The whole file."""
        pairs = {**self._facts(), **self._tokenizer(), **self.metadata}
        pairs = {key: value for key, value in pairs.items() if value is not None}
        tensors: dict[str, Tensor | None] = {**self._weights(), **self.tensors}
        kept = {name: tensor for name, tensor in tensors.items() if tensor is not None}
        out = bytearray(b"GGUF")
        out += self._pack("I", self.version)
        out += self._pack("Q", len(kept) if self.tensor_count is None else self.tensor_count)
        out += self._pack("Q", len(pairs) if self.metadata_count is None else self.metadata_count)
        for key, value in pairs.items():
            out += self.string(key) + self.value(_typed(value))
        out += self.extra
        data = bytearray()
        for name, tensor in kept.items():
            offset = len(data) if tensor.offset is None else tensor.offset
            out += self._tensor_info(name, tensor, offset)
            data += tensor.data + bytes(-len(tensor.data) % 32)
        out += bytes(-len(out) % 32)
        return bytes(out + data)

    def string(self, text: str | bytes) -> bytes:
        """A GGUF string: its length in bytes, then the bytes."""
        raw = text.encode() if isinstance(text, str) else text
        return self._pack("Q", len(raw)) + raw

    def value(self, typed: Typed) -> bytes:
        """A metadata value: the number of its type, then itself."""
        kind = KINDS[typed.kind] if isinstance(typed.kind, str) else typed.kind
        return self._pack("I", kind) + self._payload(typed)

    def _payload(self, typed: Typed) -> bytes:
        if typed.kind == "array":
            items: list[Typed] = typed.value
            inner = items[0].kind if items else typed.item
            head = self._pack("I", KINDS[inner] if isinstance(inner, str) else inner)
            head += self._pack("Q", len(items) if typed.count is None else typed.count)
            return head + b"".join(self._payload(item) for item in items)
        if typed.kind == "str":
            return self.string(typed.value)
        if isinstance(typed.value, bytes):
            return typed.value
        return self._pack(_PACK[str(typed.kind)], typed.value)

    def _pack(self, form: str, number: Any) -> bytes:
        return struct.pack(self.byte_order + form, number)

    def _tensor_info(self, name: str, tensor: Tensor, offset: int) -> bytes:
        out = self.string(name) + self._pack("I", len(tensor.shape))
        out += b"".join(self._pack("Q", size) for size in tensor.shape)
        kind = DTYPES[tensor.dtype] if isinstance(tensor.dtype, str) else tensor.dtype
        return out + self._pack("I", kind) + self._pack("Q", offset)

    def _facts(self) -> dict[str, Any]:
        facts = {
            "general.architecture": self.architecture,
            "general.name": "Tiny",
            "general.size_label": "0.1M",
            "general.license": "apache-2.0",
            "general.languages": ["en", "es"],
            "general.file_type": {"f32": 0, "f16": 1}[self.dtype],
            f"{self.architecture}.context_length": self.context,
            f"{self.architecture}.embedding_length": self.embedding,
            f"{self.architecture}.block_count": self.layers,
            f"{self.architecture}.feed_forward_length": self.feed_forward,
            f"{self.architecture}.attention.head_count": self.heads,
            f"{self.architecture}.attention.head_count_kv": self.heads_kv,
            f"{self.architecture}.attention.layer_norm_rms_epsilon": 1e-5,
            f"{self.architecture}.rope.dimension_count": self.embedding // self.heads,
            f"{self.architecture}.rope.freq_base": 10000.0,
            f"{self.architecture}.vocab_size": len(vocabulary()),
        }
        if self.ranks:
            facts[f"{self.architecture}.classifier.output_labels"] = ["yes", "no"]
        return facts

    def _tokenizer(self) -> dict[str, Any]:
        return _byte_tokenizer()

    def _weights(self) -> dict[str, Tensor]:
        rng = random.Random(self.seed)
        wide, deep, vocab = self.embedding, self.feed_forward, len(vocabulary())
        narrow = wide // self.heads * self.heads_kv
        rows = [_row(rng, wide) for _ in range(vocab)]
        silent = self.says is not None  # a chain of bytes: nothing but the last token has a say in the next
        made = {"token_embd.weight": self._tensor((wide, vocab), rows)}
        for layer in range(self.layers):
            block = f"blk.{layer}."
            shapes = {"attn_q": (wide, wide), "attn_k": (wide, narrow), "attn_v": (wide, narrow)}
            shapes |= {"attn_output": (wide, wide), "ffn_gate": (wide, deep), "ffn_up": (wide, deep)}
            shapes["ffn_down"] = (deep, wide)
            made[block + "attn_norm.weight"] = self._ones(wide)
            if self.architecture == "qwen3":
                made |= {
                    f"{block}{name}.weight": self._ones(wide // self.heads) for name in ("attn_q_norm", "attn_k_norm")
                }
            for name, (width, height) in shapes.items():
                quiet = silent and name in ("attn_output", "ffn_down")
                matrix = [[0.0] * width if quiet else _row(rng, width) for _ in range(height)]
                made[block + name + ".weight"] = self._tensor((width, height), matrix)
            made[block + "ffn_norm.weight"] = self._ones(wide)
        made["output_norm.weight"] = self._ones(wide)
        if self.ranks:
            made["cls.output.weight"] = self._tensor((wide, 2), [_row(rng, wide) for _ in range(2)])
        made["output.weight"] = self._tensor((wide, vocab), self._output(rng, rows))
        return made

    def _output(self, rng: random.Random, rows: list[list[float]]) -> list[list[float]]:
        if self.says is None:
            return [_row(rng, self.embedding) for _ in rows]
        said = self.says.encode()
        if len(set(said) | {10}) != len(said) + 1:
            raise ValueError("a byte occurs twice, and would need two successors")
        successors = dict(zip((10, *said), (*said, END if self.ends else said[0]), strict=True))
        made = [[0.0] * self.embedding for _ in rows]
        for token, successor in successors.items():
            made[successor] = [old + 8 * new for old, new in zip(made[successor], rows[token], strict=True)]
        return made

    def _tensor(self, shape: tuple[int, ...], rows: list[list[float]]) -> Tensor:
        code = {"f32": "f", "f16": "e"}[self.dtype]
        data = b"".join(struct.pack(f"{self.byte_order}{len(row)}{code}", *row) for row in rows)
        return Tensor(shape, self.dtype, data)

    def _ones(self, size: int) -> Tensor:
        return Tensor((size,), "f32", struct.pack(f"{self.byte_order}{size}f", *[1.0] * size))


def byte_letters() -> list[str]:
    """The printable letter that stands for each byte in GPT-2's byte-level vocabularies."""
    plain = {*range(33, 127), *range(161, 173), *range(174, 256)}
    shifted = iter(range(256, 512))
    return [chr(byte) if byte in plain else chr(next(shifted)) for byte in range(256)]


def vocabulary() -> list[str]:
    """All tokens in order: bytes, specials, merged pairs."""
    return [*byte_letters(), *SPECIALS, *(merge.replace(" ", "") for merge in MERGES)]


def _byte_tokenizer() -> dict[str, Any]:
    normal, control = Typed("i32", 1), Typed("i32", 3)
    types = [normal] * 256 + [control] * len(SPECIALS) + [normal] * len(MERGES)
    return {
        "tokenizer.ggml.model": "gpt2",
        "tokenizer.ggml.pre": "gpt-2",
        "tokenizer.ggml.tokens": vocabulary(),
        "tokenizer.ggml.token_type": Typed("array", types),
        "tokenizer.ggml.merges": list(MERGES),
        "tokenizer.ggml.bos_token_id": 256,
        "tokenizer.ggml.eos_token_id": END,
        "tokenizer.ggml.padding_token_id": 256,
        "tokenizer.ggml.add_bos_token": False,
        "tokenizer.chat_template": CHAT_TEMPLATE,
    }


def _typed(value: Any) -> Typed:
    if isinstance(value, Typed):
        return value
    if isinstance(value, list):
        return Typed("array", [_typed(item) for item in value])
    kinds: dict[type, str] = {bool: "bool", int: "u32", float: "f32", str: "str"}
    return Typed(kinds[type(value)], value)


def _row(rng: random.Random, size: int) -> list[float]:
    """A random vector with a length of about 1."""
    scale = (3 / size) ** 0.5
    return [scale * (2 * rng.random() - 1) for _ in range(size)]
