"""Writes a GGUF file of a size of one's choice: random weights, with the words of a model that exists.

What it says is noise, and what it costs to say it is what a trained model of that shape costs.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from gguf import GGMLQuantizationType, GGUFReader, GGUFWriter

# Bytes of a block of 32 weights in Q4_0: a 16-bit scale, then 4 bits for each.
BLOCK, BLOCK_BYTES = 32, 18


@dataclass(frozen=True, slots=True)
class Shape:
    """How large a model of the llama architecture is. width: numbers of a token; inner: of the feed-forward layer."""

    layers: int
    width: int
    inner: int
    heads: int
    heads_kv: int


SHAPES = {
    "0.36B": Shape(32, 960, 2560, 15, 5),
    "1.0B": Shape(16, 2048, 8192, 32, 8),
    "1.5B": Shape(28, 1536, 8960, 12, 2),
}


def write(path: Path, shape: Shape, words: str) -> Path:
    """Write the file. words: a GGUF file of the llama architecture, whose vocabulary and template are taken."""
    generator = np.random.default_rng(1)
    writer = GGUFWriter(path, "llama")
    vocabulary = _copy_words(writer, GGUFReader(words))
    _describe(writer, shape, vocabulary)
    head = shape.width // shape.heads
    square, narrow = (shape.width, shape.width), (shape.heads_kv * head, shape.width)
    matrices = {"attn_q": square, "attn_k": narrow, "attn_v": narrow, "attn_output": square}
    matrices |= dict.fromkeys(("ffn_gate", "ffn_up"), (shape.inner, shape.width))
    matrices["ffn_down"] = (shape.width, shape.inner)
    named = {"token_embd.weight": (vocabulary, shape.width)}
    for layer in range(shape.layers):
        named |= {f"blk.{layer}.{name}.weight": size for name, size in matrices.items()}
    for name, (rows, columns) in named.items():
        writer.add_tensor(name, _noise(generator, rows, columns), raw_dtype=GGMLQuantizationType.Q4_0)
    norms = [f"blk.{layer}.{name}_norm.weight" for layer in range(shape.layers) for name in ("attn", "ffn")]
    for name in ("output_norm.weight", *norms):
        writer.add_tensor(name, np.ones(shape.width, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return path


def _noise(generator: np.random.Generator, rows: int, columns: int) -> np.ndarray:
    blocks = generator.integers(0, 256, (rows, columns // BLOCK, BLOCK_BYTES), np.uint8)
    # Weights of about the size that keeps numbers as large after a layer as before it.
    scale = np.float16(0.2 / columns**0.5)
    blocks[:, :, :2] = np.frombuffer(scale.tobytes(), np.uint8)
    return blocks.reshape(rows, -1)


def _copy_words(writer: GGUFWriter, reader: GGUFReader) -> int:
    """Returns how many words there are."""
    for name, field in reader.fields.items():
        if name.startswith("tokenizer."):
            writer.add_key_value(name, field.contents(), field.types[0], field.types[-1] if field.types[1:] else None)
    return len(reader.fields["tokenizer.ggml.tokens"].data)


def _describe(writer: GGUFWriter, shape: Shape, vocabulary: int) -> None:
    writer.add_context_length(4096)
    writer.add_embedding_length(shape.width)
    writer.add_block_count(shape.layers)
    writer.add_feed_forward_length(shape.inner)
    writer.add_head_count(shape.heads)
    writer.add_head_count_kv(shape.heads_kv)
    writer.add_layer_norm_rms_eps(1e-5)
    writer.add_rope_dimension_count(shape.width // shape.heads)
    writer.add_rope_freq_base(10000.0)
    writer.add_vocab_size(vocabulary)
    writer.add_file_type(2)  # mostly Q4_0
