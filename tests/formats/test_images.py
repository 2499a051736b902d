"""Images are recognised by their first bytes, measured by their headers, and no header is believed too much."""

import struct

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abierto.errors import AbiertoError, BadImage, NotAnImage
from abierto.formats import images
from abierto.formats.images import ImageInfo, examine, recognize
from tests.tiny_gguf import TinyGGUF
from tests.tiny_projector import bmp, gif, jpeg, jpeg_part, png, png_part, webp

WHOLE = {
    "png": png(7, 5),
    "jpeg": jpeg(7, 5),
    "gif": gif(7, 5),
    "bmp": bmp(7, 5),
    "webp": webp(b"VP8L", 7, 5),
    "webp lossy": webp(b"VP8 ", 7, 5),
    "webp extended": webp(b"VP8X", 7, 5),
}


@pytest.mark.parametrize("name", WHOLE)
def test_format_and_size(name: str) -> None:
    kind = name.split()[0]
    assert examine(WHOLE[name], "x") == ImageInfo(kind, 7, 5)
    assert examine(WHOLE[name], "x").media_type == f"image/{kind}"


@pytest.mark.parametrize("name", WHOLE)
def test_every_cut_is_noticed(name: str) -> None:
    """Of the last bytes of a GIF and a WebP only padding and what follows the first image may be missing."""
    spare = {"gif": 1, "jpeg": 0}.get(name, 0)
    data = WHOLE[name]
    for length in range(len(data) - spare):
        with pytest.raises((NotAnImage, BadImage)):
            examine(data[:length], "x")


OTHERS = {
    b"": "empty",
    bytes(40): "zeros",
    b"Dear Sir or Madam": "text",
    b'<svg xmlns="http://www.w3.org/2000/svg"></svg>': "svg",
    b'<?xml version="1.0"?>\n<SVG width="3"/>': "svg",
    b"<!doctype html><p>404": "html",
    b"%PDF-1.7 ....": "pdf",
    b"II*\x00\x08\x00\x00\x00": "tiff",
    b"\x00\x00\x00\x18ftypheic\x00\x00": "heic",
    b"\x00\x00\x00\x18ftypavif\x00\x00": "avif",
    TinyGGUF().build()[:200]: "gguf",
    b"\x01\x02\x03\x04\x9f\xff": "unknown",
}


@pytest.mark.parametrize(("data", "found"), OTHERS.items(), ids=OTHERS.values())
def test_what_is_no_image_is_called_by_its_name(data: bytes, found: str) -> None:
    with pytest.raises(NotAnImage) as caught:
        examine(data, "holiday.png")
    assert caught.value.facts == {"image": "holiday.png", "found": found}


def idat(width: int, height: int, depth: int = 8, colour: int = 2) -> bytes:
    """A PNG file whose header says what it likes."""
    head = png_part(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + png_part(b"IDAT", b"x") + png_part(b"IEND", b"")


BAD = {
    "900 million pixels": (idat(30_000, 30_000), "too_many_pixels"),
    "more than a signed number": (idat(0x8000_0000, 1), "image_damaged"),
    "no width": (idat(0, 9), "no_pixels"),
    "a single line": (idat(10_000, 1), "too_narrow"),
    "an impossible depth": (idat(5, 5, depth=3), "image_damaged"),
    "a palette of 16 bits": (idat(5, 5, depth=16, colour=3), "image_damaged"),
    "no pixels in the file": (png().replace(b"IDAT", b"tEXt"), "image_damaged"),
    "a chunk that claims 4 GB": (png()[:33] + b"\xff\xff\xff\xff" + png()[37:], "image_cut"),
    "a lossless JPEG": (jpeg().replace(b"\xff\xc0", b"\xff\xc3"), "image_coding"),
    "a JPEG of 12 bits": (jpeg().replace(b"\x08\x00\x02\x00\x02", b"\x0c\x00\x02\x00\x02"), "image_coding"),
    "a JPEG without a frame": (b"\xff\xd8" + jpeg_part(0xDA, b"") + b"\xff\xd9", "image_damaged"),
    "a JPEG whose segment has no length": (b"\xff\xd8\xff\xe0\x00\x00" + jpeg(), "image_damaged"),
    "a PNG of a million parts": (png()[:33] + png_part(b"tEXt", b"") * 1_000_000 + png()[33:], "image_damaged"),
    "a JPEG full of filling": (b"\xff\xd8" + b"\xff" * 1_000_000 + jpeg()[2:], "image_damaged"),
    "a GIF of a million blocks": (gif()[:30] + b"\x01\x00" * 1_000_000 + gif()[30:], "image_damaged"),
    "a JPEG that ends at once": (b"\xff\xd8\xff\xd9", "image_damaged"),
    "a GIF of nothing": (gif()[:19] + b"\x3b", "image_damaged"),
    "a GIF with no height": (gif()[:8] + b"\x00\x00" + gif()[10:], "no_pixels"),
    "a BMP that is compressed": (bmp()[:30] + b"\x01\x00\x00\x00" + bmp()[34:], "image_coding"),
    "a BMP of negative width": (bmp()[:18] + b"\xff\xff\xff\xff" + bmp()[22:], "image_damaged"),
    "a BMP that claims 2 GB": (bmp()[:18] + b"\xff\xff\xff\x7f" + bmp()[22:], "image_cut"),
    "a WebP of an unknown kind": (webp().replace(b"VP8L", b"VP9 "), "image_damaged"),
}


@pytest.mark.parametrize(("data", "fault"), BAD.values(), ids=BAD.keys())
def test_a_header_that_lies(data: bytes, fault: str) -> None:
    with pytest.raises(BadImage) as caught:
        examine(data, "2")
    assert (caught.value.image, caught.value.fault) == ("2", fault)


def test_the_limits_are_exact() -> None:
    assert examine(idat(10_000, 10_000), "x").width * 10_000 == images.MAX_PIXELS
    assert examine(idat(200, 1), "x") == ImageInfo("png", 200, 1)
    whole = png() + bytes(images.MAX_BYTES - len(png()))
    assert examine(whole, "x").format == "png"
    with pytest.raises(BadImage) as caught:
        examine(whole + b"\x00", "x")
    assert caught.value.about == {"bytes": images.MAX_BYTES + 1, "limit": images.MAX_BYTES}


def test_a_bmp_may_go_from_top_to_bottom_and_be_of_the_first_kind() -> None:
    down = bmp(3, 4)
    assert examine(down[:22] + struct.pack("<i", -4) + down[26:], "x") == ImageInfo("bmp", 3, 4)
    old = b"BM" + struct.pack("<IHHIIHHHH", 0, 0, 0, 26, 12, 3, 4, 1, 24) + bytes(12 * 4)
    assert examine(old, "x") == ImageInfo("bmp", 3, 4)


def test_a_jpeg_with_fillings_and_a_picture_inside_its_header() -> None:
    small = jpeg_part(0xE1, b"Exif\x00\x00" + jpeg(1, 1))
    data = jpeg(7, 5)
    filled = data[:2] + b"\xff\xff" + small + data[2:]
    assert examine(filled, "x") == ImageInfo("jpeg", 7, 5)
    with pytest.raises(BadImage):
        examine(filled[:-2], "x")


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(sorted(WHOLE)), st.lists(st.tuples(st.integers(0, 80), st.integers(0, 255)), max_size=6))
def test_damage_is_an_error_of_ours_or_harmless(name: str, changes: list[tuple[int, int]]) -> None:
    data = bytearray(WHOLE[name])
    for place, byte in changes:
        data[place % len(data)] = byte
    try:
        info = examine(bytes(data), "x")
    except AbiertoError:
        return
    assert info.format == recognize(bytes(data))
    assert 0 < info.width * info.height <= images.MAX_PIXELS
