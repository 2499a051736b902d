"""PNG files that are written are whole, and texts come out of them as they went in."""

import struct
import zlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abierto.formats import png
from abierto.formats.images import ImageInfo, examine
from tests.tiny_projector import jpeg, png_part

PIXELS = bytes(range(24))


def decoded(data: bytes) -> bytes:
    """The pixels of a file without filters, read by lengths."""
    position, packed = 8, b""
    while position < len(data):
        length, kind = struct.unpack_from(">I4s", data, position)
        body = data[position + 8 : position + 8 + length]
        assert struct.unpack_from(">I", data, position + 8 + length)[0] == zlib.crc32(kind + body)
        packed += body if kind == b"IDAT" else b""
        position += 12 + length
    rows, width = zlib.decompress(packed), struct.unpack_from(">I", data, 16)[0]
    return b"".join(rows[first + 1 : first + 1 + 3 * width] for first in range(0, len(rows), 3 * width + 1))


@pytest.mark.parametrize(("width", "height"), [(4, 2), (2, 4), (8, 1)])
def test_the_pixels_come_out_again(width: int, height: int) -> None:
    made = png.encode(width, height, PIXELS)
    assert examine(made, "x") == ImageInfo("png", width, height)
    assert decoded(made) == PIXELS


@given(st.text(st.characters(codec="utf-8", exclude_characters="\0")))
def test_texts_come_out_again(words: str) -> None:
    made = png.with_texts(png.encode(4, 2, PIXELS), {"parameters": words, "Software": "a"})
    assert png.texts(made) == {"parameters": words, "Software": "a"}
    assert decoded(made) == PIXELS
    assert examine(made, "x").width == 4


def test_texts_of_other_programs() -> None:
    packed = zlib.compress("años".encode("latin-1"))
    more = zlib.compress("你好".encode())
    parts = png_part(b"zTXt", b"one\0\0" + packed) + png_part(b"iTXt", b"two\0\1\0en\0name\0" + more)
    made = png.encode(4, 2, PIXELS)
    assert png.texts(made[:33] + parts + made[33:]) == {"one": "años", "two": "你好"}


def test_what_is_damaged_is_left_out_and_what_is_no_png_has_no_texts() -> None:
    made = png.encode(4, 2, PIXELS)
    damaged = png_part(b"zTXt", b"one\0\0rubbish") + png_part(b"iTXt", b"two\0\0") + png_part(b"tEXt", b"three\0yes")
    assert png.texts(made[:33] + damaged + made[33:-20]) == {"three": "yes"}
    assert png.texts(jpeg(4, 2)) == {}


def test_a_text_that_unpacks_to_far_more_is_cut() -> None:
    bomb = zlib.compress(b"a" * (64 << 20))
    made = png.encode(4, 2, PIXELS)
    [words] = png.texts(made[:33] + png_part(b"zTXt", b"one\0\0" + bomb) + made[33:]).values()
    assert len(words) <= 1 << 20
