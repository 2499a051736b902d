"""Writes a tiny projector as a GGUF file, with random weights, and tiny images: what a model of `tiny_gguf` sees with.

    TinyProjector().write(folder / "mmproj-tiny.gguf")      for TinyGGUF(), whose tokens have 64 numbers
    TinyProjector(embedding=96).write(path)                 for a model whose tokens have 96 numbers
    png(2, 3)                                               a whole PNG file, 2 pixels wide and 3 high

Of every image it makes TOKENS tokens: that many patches of the square into which an image is scaled. It is of the
kind `mlp` (LLaVA) with one layer, of which llama.cpp leaves out the last. It knows nothing of the code under test.
"""

import random
import struct
import zlib
from dataclasses import dataclass
from typing import Any

from tests.tiny_gguf import Tensor, TinyGGUF

SIDE, PATCH = 32, 8  # pixels
TOKENS = (SIDE // PATCH) ** 2
WIDTH = 16  # numbers that stand for a patch


@dataclass(frozen=True)
class TinyProjector(TinyGGUF):
    """What to write. embedding: the numbers of one token of the model."""

    def _facts(self) -> dict[str, Any]:
        return {
            "general.architecture": "clip",
            "general.type": "mmproj",
            "general.name": "Tiny projector",
            "general.file_type": 0,
            "clip.has_vision_encoder": True,
            "clip.projector_type": "mlp",
            "clip.use_gelu": True,
            "clip.vision.image_size": SIDE,
            "clip.vision.patch_size": PATCH,
            "clip.vision.embedding_length": WIDTH,
            "clip.vision.feed_forward_length": WIDTH,
            "clip.vision.projection_dim": self.embedding,
            "clip.vision.block_count": 1,
            "clip.vision.attention.head_count": 2,
            "clip.vision.attention.layer_norm_epsilon": 1e-5,
            "clip.vision.image_mean": [0.5, 0.5, 0.5],
            "clip.vision.image_std": [0.5, 0.5, 0.5],
        }

    def _tokenizer(self) -> dict[str, Any]:
        return {}

    def _weights(self) -> dict[str, Tensor]:
        shapes = {"v.patch_embd.weight": (PATCH, PATCH, 3, WIDTH), "v.position_embd.weight": (WIDTH, TOKENS)}
        shapes |= {f"v.blk.0.{name}.weight": (WIDTH, WIDTH) for name in ("attn_q", "attn_k", "attn_v", "attn_out")}
        shapes |= {f"v.blk.0.{name}.weight": (WIDTH, WIDTH) for name in ("ffn_up", "ffn_down")}
        shapes |= {f"v.blk.0.{name}.{part}": (WIDTH,) for name in ("ln1", "ln2") for part in ("weight", "bias")}
        shapes |= {"mm.0.weight": (WIDTH, WIDTH), "mm.0.bias": (WIDTH,)}
        shapes |= {"mm.2.weight": (WIDTH, self.embedding), "mm.2.bias": (self.embedding,)}
        rng = random.Random(self.seed)
        return {name: _noise(rng, shape) for name, shape in shapes.items()}


def _noise(rng: random.Random, shape: tuple[int, ...]) -> Tensor:
    size = 1
    for length in shape:
        size *= length
    numbers = [rng.uniform(-0.3, 0.3) for _ in range(size)]
    return Tensor(shape, "f32", struct.pack(f"<{size}f", *numbers))


def png(width: int = 8, height: int = 8, colour: tuple[int, int, int] = (200, 40, 40)) -> bytes:
    """A PNG file of one colour."""
    rows = (b"\x00" + bytes(colour) * width) * height
    body = png_part(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + body + png_part(b"IDAT", zlib.compress(rows)) + png_part(b"IEND", b"")


def png_part(kind: bytes, content: bytes) -> bytes:
    """A chunk of a PNG file, with its length and its checksum."""
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def gif(width: int = 2, height: int = 2) -> bytes:
    """A GIF file with one black image of at most 300 pixels, without compression."""
    # Codes of three bits: "clear" before every pixel keeps the table empty, so that they stay as short.
    codes = [code for _ in range(width * height) for code in (4, 0)] + [5]
    bits = sum(code << 3 * place for place, code in enumerate(codes))
    packed = bits.to_bytes((3 * len(codes) + 7) // 8, "little")
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + bytes(6)
    image = struct.pack("<BHHHHBB", 0x2C, 0, 0, width, height, 0, 2)
    return head + image + bytes([len(packed)]) + packed + b"\x00\x3b"


def bmp(width: int = 2, height: int = 2) -> bytes:
    """A BMP file with 24 bits for each pixel."""
    row = bytes((width * 24 + 31) // 32 * 4)
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 24, 0, len(row) * height, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(row) * height, 0, 0, 54) + info + row * height


def jpeg(width: int = 2, height: int = 2) -> bytes:
    """The parts of a JPEG file in their order, and in place of the pixels nothing that could be decoded."""
    frame = struct.pack(">BHHB", 8, height, width, 1) + b"\x01\x11\x00"
    scan = b"\x01\x01\x00\x00\x3f\x00"
    return b"\xff\xd8" + jpeg_part(0xE0, b"JFIF\x00") + jpeg_part(0xC0, frame) + jpeg_part(0xDA, scan) + b"\x00\xff\xd9"


def jpeg_part(marker: int, content: bytes) -> bytes:
    """A segment of a JPEG file."""
    return struct.pack(">BBH", 0xFF, marker, len(content) + 2) + content


def webp(kind: bytes = b"VP8L", width: int = 2, height: int = 2) -> bytes:
    """The header of a WebP file of one of its three kinds, and nothing that could be decoded."""
    content = {
        b"VP8 ": b"\x00\x00\x00\x9d\x01\x2a" + struct.pack("<HH", width, height),
        b"VP8L": b"\x2f" + struct.pack("<I", width - 1 | height - 1 << 14),
        b"VP8X": bytes(4) + struct.pack("<I", width - 1)[:3] + struct.pack("<I", height - 1)[:3],
    }[kind]
    body = b"WEBP" + kind + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)
    return b"RIFF" + struct.pack("<I", len(body)) + body
