"""Writes PNG files, and reads and writes the texts in them. It decodes no pixel.

The form of the file and of its chunks: the PNG specification of the W3C, https://www.w3.org/TR/png-3/. A text that
Latin-1 can hold stands in a chunk `tEXt`, which every program reads; any other in `iTXt`, in UTF-8.
"""

import struct
import zlib
from collections.abc import Iterator, Mapping

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_BITS, _COLOURS = 8, 2  # of each channel; red, green and blue
_HEADER = len(SIGNATURE) + 25  # the signature and the chunk IHDR
# Texts that are packed may unpack to anything; no note on an image is longer.
_LONGEST = 1 << 20
_MOST_CHUNKS = 1 << 16


def encode(width: int, height: int, pixels: bytes, level: int = 6) -> bytes:
    """The file of an image. pixels: three bytes for each (red, green, blue), row by row from the top; level: how much
    work is spent on making it small, 0 to 9."""
    row = 3 * width
    assert len(pixels) == row * height, "three bytes for each pixel"
    # Each row begins with the number of its filter: 0, as it is.
    rows = b"".join(b"\0" + pixels[first : first + row] for first in range(0, len(pixels), row))
    header = struct.pack(">IIBBBBB", width, height, _BITS, _COLOURS, 0, 0, 0)
    parts = ((b"IHDR", header), (b"IDAT", zlib.compress(rows, level)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, body) for kind, body in parts)


def with_texts(png: bytes, texts: Mapping[str, str]) -> bytes:
    """The same file with these texts before its pixels. Their names have 1 to 79 characters of Latin-1."""
    return png[:_HEADER] + b"".join(_text(name, words) for name, words in texts.items()) + png[_HEADER:]


def texts(png: bytes) -> dict[str, str]:
    """The texts in a file, by name; what is damaged is left out, and of a file that is no PNG there are none."""
    found: dict[str, str] = {}
    for kind, body in _chunks(png):
        name, _, rest = body.partition(b"\0")
        words = _words(kind, rest)
        if words is not None:
            found[name.decode("latin-1")] = words
    return found


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _text(name: str, words: str) -> bytes:
    try:
        return _chunk(b"tEXt", name.encode("latin-1") + b"\0" + words.encode("latin-1"))
    except UnicodeEncodeError:
        # Not packed, no language, no name in a language.
        return _chunk(b"iTXt", name.encode("latin-1") + b"\0\0\0\0\0" + words.encode("utf-8", "replace"))


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    position = len(SIGNATURE)
    if not png.startswith(SIGNATURE):
        return
    for _ in range(_MOST_CHUNKS):
        if position + 8 > len(png):
            return
        length, kind = struct.unpack_from(">I4s", png, position)
        yield kind, png[position + 8 : position + 8 + length]
        position += 12 + length


def _words(kind: bytes, rest: bytes) -> str | None:
    """The words of a chunk after its name; None where it holds none that can be read."""
    try:
        match kind:
            case b"tEXt":
                return rest.decode("latin-1")
            case b"zTXt":
                return _unpacked(rest[1:]).decode("latin-1")
            case b"iTXt":
                words = rest[2:].split(b"\0", 2)[2]
                return (_unpacked(words) if rest[0] else words).decode("utf-8")
    except (zlib.error, UnicodeDecodeError, IndexError):
        pass
    return None


def _unpacked(data: bytes) -> bytes:
    return zlib.decompressobj().decompress(data, _LONGEST)
