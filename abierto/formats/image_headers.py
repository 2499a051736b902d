"""Reads width and height out of the five image formats, and whether the file goes on to its end.

Each reader takes the whole file and raises Fault: `image_cut` for one that ends early, `image_damaged` for one whose
header cannot be true, `image_coding` for a variant of its format that decoders commonly do not read. All walk over
the file once, by lengths that are checked against its size.

Sources: the PNG specification (W3C), ITU-T T.81 (JPEG), the GIF89a specification, RFC 9649 (WebP), and Microsoft's
description of BITMAPINFOHEADER. It knows no limits but those of the formats.
"""

import struct
from collections.abc import Callable, Iterator
from typing import Any

Size = tuple[int, int]

_PNG = b"\x89PNG\r\n\x1a\n"
# Bits per channel that each colour type of PNG allows.
_PNG_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
_JPEG_START, _JPEG_END, _JPEG_SCAN = 0xD8, 0xD9, 0xDA
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_USUAL = (0xC0, 0xC1, 0xC2)  # baseline, extended, progressive; the rest are lossless or arithmetically coded
_JPEG_BARE = frozenset({0x01, *range(0xD0, 0xD8)})  # markers without a length
_GIF_END, _GIF_IMAGE, _GIF_EXTENSION = 0x3B, 0x2C, 0x21
_BMP_CORE, _BMP_INFO = 12, 40  # sizes of the oldest header and of the least of the others
# Parts of a file that are walked over. A GIF of 32 MB has half as many, others far fewer; a hostile file has millions.
_MOST_PARTS = 1 << 18
_BMP_PLAIN = (0, 3)  # compression: none, or none with masks


class Fault(Exception):
    """name: a key under `fault.`"""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


def _numbers(form: str, data: bytes, position: int) -> tuple[Any, ...]:
    try:
        return struct.unpack_from(form, data, position)
    except struct.error:
        raise Fault("image_cut") from None


def _png(data: bytes) -> Size:
    length, kind = _numbers(">I4s", data, len(_PNG))
    width, height, depth, colour, compression, filters, interlace = _numbers(">IIBBBBB", data, 16)
    sound = (length, kind) == (13, b"IHDR") and depth in _PNG_DEPTHS.get(colour, ())
    if not sound or compression or filters or interlace > 1 or max(width, height) >= 1 << 31:
        raise Fault("image_damaged")
    position, pixels = len(_PNG) + 12 + 13, False
    for _ in range(_MOST_PARTS):
        length, kind = _numbers(">I4s", data, position)
        position += 12 + length
        if position > len(data):
            raise Fault("image_cut")
        pixels = pixels or kind == b"IDAT"
        if kind == b"IEND":
            break
    if not pixels or kind != b"IEND":
        raise Fault("image_damaged")
    return width, height


def _jpeg(data: bytes) -> Size:
    position, size = 2, (0, 0)
    for _ in range(_MOST_PARTS):
        begin, marker = _numbers("BB", data, position)
        if begin != 0xFF:
            raise Fault("image_damaged")
        position += 1
        if marker == 0xFF:  # filling
            continue
        position += 1
        if marker in _JPEG_BARE:
            continue
        if marker in (_JPEG_START, _JPEG_END):
            raise Fault("image_damaged")
        length = _numbers(">H", data, position)[0]
        if length < 2:
            raise Fault("image_damaged")
        if marker in _JPEG_FRAMES:
            depth, height, width = _numbers(">BHH", data, position + 2)
            size = width, height
            if marker not in _JPEG_USUAL or depth != 8:
                raise Fault("image_coding")
        position += length
        if marker == _JPEG_SCAN:
            break
    else:
        raise Fault("image_damaged")
    if size == (0, 0):
        raise Fault("image_damaged")
    # Within the scan the end marker cannot occur by chance: a byte of 0xFF in it is followed by a zero.
    if data.find(b"\xff\xd9", position) < 0:
        raise Fault("image_cut")
    return size


def _gif(data: bytes) -> Size:
    width, height, packed = _numbers("<HHB", data, 6)
    position = 13 + _gif_table(packed)
    parts = iter(range(_MOST_PARTS))
    for _ in parts:
        kind = _numbers("B", data, position)[0]
        if kind == _GIF_EXTENSION:
            position = _gif_blocks(data, position + 2, parts)
        elif kind == _GIF_IMAGE:
            packed = _numbers("<HHHHB", data, position + 1)[4]
            # Decoders that make one image of an animation take the first; what follows it is nobody's concern here.
            _gif_blocks(data, position + 11 + _gif_table(packed), parts)
            return width, height
        else:
            break
    raise Fault("image_damaged")


def _gif_table(packed: int) -> int:
    """The bytes of a table of colours, which the lowest bits of this byte announce."""
    return 3 << ((packed & 7) + 1) if packed & 0x80 else 0


def _gif_blocks(data: bytes, position: int, parts: Iterator[int]) -> int:
    """The position behind a row of blocks, each with its length before it, that an empty one ends."""
    for _ in parts:
        length = _numbers("B", data, position)[0]
        position += 1 + length
        if not length:
            return int(position)
    raise Fault("image_damaged")


def _bmp(data: bytes) -> Size:
    begin, header = _numbers("<II", data, 10)
    if header == _BMP_CORE:
        width, height, planes, bits = _numbers("<HHHH", data, 18)
        compression = 0
    elif header >= _BMP_INFO:
        width, height, planes, bits, compression = _numbers("<iiHHI", data, 18)
    else:
        raise Fault("image_damaged")
    height = abs(height)  # a negative one: the rows go from top to bottom
    if width < 0 or planes != 1 or bits not in (1, 4, 8, 16, 24, 32) or begin < 14 + header:
        raise Fault("image_damaged")
    if compression not in _BMP_PLAIN:
        raise Fault("image_coding")
    row = (width * bits + 31) // 32 * 4
    if begin + row * height > len(data):
        raise Fault("image_cut")
    return width, height


def _webp(data: bytes) -> Size:
    if _numbers("<I", data, 4)[0] + 8 > len(data):
        raise Fault("image_cut")
    kind = data[12:16]
    if kind == b"VP8X":
        low_wide, high_wide, low_high, high_high = _numbers("<HBHB", data, 24)
        return 1 + (low_wide | high_wide << 16), 1 + (low_high | high_high << 16)
    if kind == b"VP8L":
        mark, bits = _numbers("<BI", data, 20)
        if mark != 0x2F:
            raise Fault("image_damaged")
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        mark, width, height = _numbers("<3sHH", data, 23)
        if mark != b"\x9d\x01\x2a":
            raise Fault("image_damaged")
        return width & 0x3FFF, height & 0x3FFF
    raise Fault("image_damaged")


# Format -> whether a file begins like one, and the reader of its size.
FORMATS: dict[str, tuple[Callable[[bytes], bool], Callable[[bytes], Size]]] = {
    "png": (lambda data: data.startswith(_PNG), _png),
    "jpeg": (lambda data: data.startswith(b"\xff\xd8\xff"), _jpeg),
    "webp": (lambda data: data[:4] == b"RIFF" and data[8:12] == b"WEBP", _webp),
    "gif": (lambda data: data.startswith((b"GIF87a", b"GIF89a")), _gif),
    "bmp": (lambda data: data.startswith(b"BM") and len(data) >= 18 and not any(data[6:10]), _bmp),
}
