"""Models of random weights to measure an engine with: what one says is noise, and what it costs to say it is what a
trained model of that shape costs. It runs nothing.

The architecture is llama's, with a vocabulary of bytes (gpt2's), so that a letter of a prompt is a token; and words
that no text is made of, so that nearly every answer can be read.
"""

import random
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from abierto.formats.ggml_types import FILE_TYPES
from abierto.recipes.codec import Codec
from abierto.recipes.gguf_writer import Made, boolean, byte_size, f32, i32s, string, strings, u32, write

CONTEXT = 1024  # tokens
_BYTES = 256
_NORMAL, _CONTROL = 1, 3  # enum llama_token_type
_PATTERN_ROWS = 64  # that are made; the others repeat them
# OpenVINO believes it: openvino-genai reads the tensors as the type that it says. The number of a mixture such as
# Q4_K_M stands for its main type.
_FILE_TYPES = {name.partition("_M")[0].removesuffix("_S"): number for number, name in FILE_TYPES.items()}
_MATRICES = ("attn_q", "attn_k", "attn_v", "attn_output", "ffn_gate", "ffn_up", "ffn_down")


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model is. width: numbers of a token; inner: of the feed-forward network; words: of the vocabulary."""

    blocks: int
    width: int
    inner: int
    heads: int
    heads_kv: int
    words: int

    def rows(self, matrix: str) -> tuple[int, int]:
        """Numbers of a row, and rows, of a matrix of a block."""
        narrow = self.width // self.heads * self.heads_kv
        sizes = {"attn_k": (self.width, narrow), "attn_v": (self.width, narrow), "ffn_down": (self.inner, self.width)}
        sizes |= dict.fromkeys(("ffn_gate", "ffn_up"), (self.width, self.inner))
        return sizes.get(matrix, (self.width, self.width))


def make(path: Path, shape: Shape, dtype: str, codec: Codec) -> Path:
    """Write the model, with all its matrices of one type. Raises OSError."""
    for _ in write(path, _pairs(shape, dtype), list(_tensors(shape, dtype, codec)), None, threads=1):
        pass
    return path


def _tensors(shape: Shape, dtype: str, codec: Codec) -> Iterator[Made]:
    ones = struct.pack(f"<{shape.width}f", *[1.0] * shape.width)
    patterns = {row: _pattern(row, dtype, codec) for row in {shape.width, shape.inner}}

    def matrix(name: str, width: int, rows: int) -> Made:
        return Made(name, (width, rows), dtype, dtype, _Tiled(patterns[width], byte_size(dtype, width)), name)

    def norm(name: str) -> Made:
        return Made(name, (shape.width,), "F32", "F32", lambda _first, _rows: ones, name)

    yield matrix("token_embd.weight", shape.width, shape.words)
    for block in range(shape.blocks):
        yield norm(f"blk.{block}.attn_norm.weight")
        for name in _MATRICES:
            yield matrix(f"blk.{block}.{name}.weight", *shape.rows(name))
        yield norm(f"blk.{block}.ffn_norm.weight")
    yield norm("output_norm.weight")
    yield matrix("output.weight", shape.width, shape.words)


@dataclass(frozen=True, slots=True)
class _Tiled:
    """Rows without end, of those of a pattern one after the other."""

    pattern: bytes
    row: int  # bytes

    def __call__(self, first: int, rows: int) -> bytes:
        begin = first % _PATTERN_ROWS * self.row
        size = rows * self.row
        return (self.pattern * (size // len(self.pattern) + 2))[begin : begin + size]


def _pattern(width: int, dtype: str, codec: Codec) -> bytes:
    """Rows of numbers of a size that leaves a token's numbers as large after a block as before it."""
    generator = random.Random(width)  # noqa: S311 - no secret
    scale = (3 / width) ** 0.5
    numbers = [scale * (2 * generator.random() - 1) for _ in range(width * _PATTERN_ROWS)]
    return codec.encode(dtype, struct.pack(f"<{len(numbers)}f", *numbers), width)


def _pairs(shape: Shape, dtype: str) -> Mapping[str, bytes]:
    letters = _letters()
    tokens = [*letters, "<|end|>", "".join(letters[:2])]
    tokens += [f"word{number}" for number in range(len(tokens), shape.words)]
    types = [_NORMAL] * len(tokens)
    types[_BYTES] = _CONTROL
    return {
        "general.architecture": string("llama"),
        "general.name": string("yardstick"),
        "general.file_type": u32(_FILE_TYPES.get(dtype, 0)),
        "llama.context_length": u32(CONTEXT),
        "llama.embedding_length": u32(shape.width),
        "llama.block_count": u32(shape.blocks),
        "llama.feed_forward_length": u32(shape.inner),
        "llama.attention.head_count": u32(shape.heads),
        "llama.attention.head_count_kv": u32(shape.heads_kv),
        "llama.attention.layer_norm_rms_epsilon": f32(1e-5),
        "llama.rope.dimension_count": u32(shape.width // shape.heads),
        "llama.rope.freq_base": f32(10000.0),
        "llama.vocab_size": u32(shape.words),
        "tokenizer.ggml.model": string("gpt2"),
        "tokenizer.ggml.pre": string("gpt-2"),
        "tokenizer.ggml.tokens": strings(tokens),
        "tokenizer.ggml.token_type": i32s(types),
        "tokenizer.ggml.merges": strings([" ".join(letters[:2])]),  # a pair that no prompt has: the format wants one
        "tokenizer.ggml.bos_token_id": u32(_BYTES),
        "tokenizer.ggml.eos_token_id": u32(_BYTES),
        "tokenizer.ggml.padding_token_id": u32(_BYTES),
        "tokenizer.ggml.add_bos_token": boolean(False),
        "tokenizer.chat_template": string("{% for message in messages %}{{ message['content'] }}{% endfor %}"),
    }


def _letters() -> list[str]:
    """The letter that stands for each byte in a byte-level vocabulary: itself where it can be printed, and else the
    next one from 256 on (`bytes_to_unicode` of https://github.com/openai/gpt-2/blob/master/src/encoder.py)."""
    printed = {*range(33, 127), *range(161, 173), *range(174, _BYTES)}
    others = iter(range(_BYTES, 2 * _BYTES))
    return [chr(byte) if byte in printed else chr(next(others)) for byte in range(_BYTES)]
