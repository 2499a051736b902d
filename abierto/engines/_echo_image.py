"""What the echo engine draws: a pattern of squares, the right half as the left, in two colours on a pale ground.

The SHA-256 of the words and the seed decides which squares are filled, and with which colour.
"""

import base64
import colorsys
import secrets
from collections.abc import Iterator
from hashlib import sha256

from abierto.formats import png
from abierto.tasks.draw import SEEDS, DrawRequest
from abierto.tasks.events import Event, Image, ImagePreview, Progress

USUAL_SIZE, USUAL_STEPS, USUAL_GUIDANCE = 128, 4, 1.0
SQUARES = 8  # in each row and in each column
_HALF = SQUARES // 2

_Colour = tuple[float, float, float]


def draw(request: DrawRequest) -> Iterator[Event]:
    """The events of a drawing but for the last two."""
    width, height = request.width or USUAL_SIZE, request.height or USUAL_SIZE
    steps = request.num_inference_steps or USUAL_STEPS
    guidance = USUAL_GUIDANCE if request.guidance_scale is None else request.guidance_scale
    seeds = request.seeds(secrets.randbelow(SEEDS) if request.seed is None else request.seed)
    for index, seed in enumerate(seeds):
        digest = sha256(f"{request.prompt}\0{request.negative_prompt}\0{seed}".encode("utf-8", "replace")).digest()
        for step in range(1, steps + 1):
            yield Progress("steps", index * steps + step, len(seeds) * steps)
            if request.previews and step < steps:
                yield ImagePreview(index, _file(digest, width, height, step / steps))
        yield Image(index, _file(digest, width, height, 1.0), width, height, seed, steps, guidance, "echo")


def _file(digest: bytes, width: int, height: int, share: float) -> str:
    return base64.b64encode(png.encode(width, height, _pixels(digest, width, height, share))).decode()


def _pixels(digest: bytes, width: int, height: int, share: float) -> bytes:
    """share: of the squares that may be filled by now."""
    ground, first, second = _colours(digest)
    reached = round(share * SQUARES * _HALF)
    places = [column * SQUARES // width for column in range(width)]
    halves = [min(place, SQUARES - 1 - place) for place in places]
    rows: list[bytes] = []
    for row in range(SQUARES):
        cells = [row * _HALF + half for half in range(_HALF)]
        colours = [
            (first, second)[digest[cell] & 1] if digest[cell] & 2 and cell < reached else ground for cell in cells
        ]
        rows.append(b"".join(bytes(round(255 * part) for part in colours[half]) for half in halves))
    return b"".join(rows[line * SQUARES // height] for line in range(height))


def _colours(digest: bytes) -> tuple[_Colour, _Colour, _Colour]:
    hue, other = digest[0] / 256, digest[1] / 256
    return (
        colorsys.hls_to_rgb(hue, 0.94, 0.5),
        colorsys.hls_to_rgb(hue, 0.45, 0.6),
        colorsys.hls_to_rgb(other, 0.35, 0.7),
    )
