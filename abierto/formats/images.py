"""What an image file is, from its header: PNG, JPEG, WebP, GIF or BMP, how wide and how high, and whether it is whole.

No pixel is decoded, and no number in a header is believed that cannot be true. It knows no engine: which of these
formats one reads, the engine says.
"""

from dataclasses import dataclass

from abierto.errors import BadImage, NotAnImage
from abierto.formats import image_headers
from abierto.formats.detect import PROBE_SIZE, looks_like

# An engine holds the file, its base64 form and its decoded pixels at once; photographs of telephones have 2 to 15 MB.
MAX_BYTES = 32 << 20
# A decoder takes three to eight bytes for each pixel before the model scales the image down; telephones make 12 to 50
# million pixels. A header of a few bytes may claim 900 million.
MAX_PIXELS = 100_000_000
# How much longer than wide: beyond it the preprocessing of Qwen2-VL refuses an image, and others see a single line.
MAX_RATIO = 200

# The first bytes of images that are none of the five, by the names that `found.` words.
_OTHERS: tuple[tuple[int, bytes, str], ...] = (
    (0, b"II*\x00", "tiff"),
    (0, b"MM\x00*", "tiff"),
    (4, b"ftypheic", "heic"),
    (4, b"ftypheix", "heic"),
    (4, b"ftypmif1", "heic"),
    (4, b"ftypavif", "avif"),
    (0, b"\xff\x0a", "jpeg_xl"),
    (0, b"\x00\x00\x00\x0cJXL ", "jpeg_xl"),
    (0, b"8BPS", "psd"),
)


@dataclass(frozen=True, slots=True)
class ImageInfo:
    """format: `png`, `jpeg`, `webp`, `gif` or `bmp`. width, height: in pixels, as the header says."""

    format: str
    width: int
    height: int

    @property
    def media_type(self) -> str:
        """As in `image/png`."""
        return f"image/{self.format}"


def recognize(data: bytes) -> str:
    """The name of the format by the file's first bytes, or what it looks like otherwise, as `formats.detect` says."""
    for name, (signature, _) in image_headers.FORMATS.items():
        if signature(data):
            return name
    for position, start, name in _OTHERS:
        if data[position : position + len(start)] == start:
            return name
    found = looks_like(data[:PROBE_SIZE])
    return "svg" if found in ("text", "xml", "html") and b"<svg" in data[:PROBE_SIZE].lower() else found


def examine(data: bytes, name: str) -> ImageInfo:
    """Format and size of a whole image file. name: what a person calls it, for the errors.

    Raises NotAnImage for what is no image or one in another format, BadImage for one that is cut short, damaged,
    or too large.
    """
    found = recognize(data)
    if found not in image_headers.FORMATS:
        raise NotAnImage(name, found)
    if len(data) > MAX_BYTES:
        raise BadImage(name, "too_many_bytes", {"bytes": len(data), "limit": MAX_BYTES})
    try:
        width, height = image_headers.FORMATS[found][1](data)
    except image_headers.Fault as fault:
        raise BadImage(name, fault.name, {"format": found}) from None
    if not (width and height):
        raise BadImage(name, "no_pixels", {"width": width, "height": height})
    if width * height > MAX_PIXELS:
        raise BadImage(name, "too_many_pixels", {"width": width, "height": height, "limit": MAX_PIXELS})
    if max(width, height) > MAX_RATIO * min(width, height):
        raise BadImage(name, "too_narrow", {"width": width, "height": height, "limit": MAX_RATIO})
    return ImageInfo(found, width, height)
