# SPDX-License-Identifier: Apache-2.0
"""The variants of a drawing: other backgrounds, places, sizes, mirrored, with turned hues. Each is chosen by numbers
that depend on the seed, the drawing and the variant alone, so that any of them can be made again by itself.

Variant 0 is the drawing as it is, on white. A turned hue changes the colours that the caption names, which teaches what
colour words mean; some pairs of concept and colour are never shown, so that they can be asked for afterwards.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from abierto.recipes.trazo import colors, hashes
from abierto.recipes.trazo.concepts import Concept
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

BACKGROUNDS: dict[str, tuple[int, int, int]] = {
    "white": (255, 255, 255),
    "black": (24, 24, 27),
    "gray": (203, 206, 210),
    "red": (226, 88, 88),
    "yellow": (253, 231, 150),
    "green": (150, 208, 150),
    "blue": (150, 190, 240),
    "purple": (190, 160, 235),
    "pink": (250, 190, 215),
}
_WHITE = 0.55  # share of the variants on white
_TURNED = 0.6
_IN_PLACE = 0.6
_SMALLEST = 0.78
# What reads or points the other way in a mirror.
_NOT_MIRRORED = ("symbols", "objects", "people-body")
_COLOR_WORDS = {word for names in colors.NAMES.values() for word in names.values()}


@dataclass(frozen=True, slots=True)
class Variant:
    """What was chosen. size and place: pixels; angle: of the hue, in degrees; colors: measured, English names."""

    size: int
    left: int
    top: int
    mirrored: bool
    angle: int
    background: str
    colors: tuple[str, ...] = ()


def chosen(settings: Settings, data: DataSet, place: int, number: int) -> Variant:
    """One variant of the drawing at a place, without its colours."""
    size = settings.data.size
    if number == 0:
        return Variant(size, 0, 0, False, 0, "white")
    random = np.random.default_rng(hashes.number(settings.seed, "variant", place, number))
    concept = data.concepts[data.drawings[place].concept]
    smaller = size if random.random() < _IN_PLACE else int(random.uniform(_SMALLEST, 1.0) * size)
    left, top = (int(random.integers(0, size - smaller + 1)) for _ in range(2))
    mirrored = bool(random.random() < 0.5) and concept.group not in _NOT_MIRRORED
    background = "white" if random.random() < _WHITE else str(random.choice(list(BACKGROUNDS)[1:]))
    angle = int(random.integers(50, 311)) if random.random() < _TURNED else 0
    if angle and (names_a_color(concept) or _shows_unseen(settings, data, place, angle)):
        angle = 0
    return Variant(smaller, left, top, mirrored, angle, background)


def drawn(pixels: "NDArray[np.uint8]", variant: Variant) -> "NDArray[np.uint8]":
    """The picture of a variant. pixels: [size, size, 4]; returns [size, size, 3]."""
    from PIL import Image, ImageOps

    if variant.angle:
        pixels = colors.turned(pixels, variant.angle)
    image = Image.fromarray(np.asarray(pixels))
    if variant.mirrored:
        image = ImageOps.mirror(image)
    if variant.size != image.width:
        image = image.resize((variant.size, variant.size), Image.Resampling.BOX, reducing_gap=None)
    ground = Image.new("RGBA", pixels.shape[:2], (*BACKGROUNDS[variant.background], 255))
    ground.alpha_composite(image, (variant.left, variant.top))
    return np.asarray(ground)[..., :3]


def measured(pixels: "NDArray[np.uint8]", variant: Variant) -> Variant:
    """The variant with the names of the colours that it shows."""
    turned = colors.turned(pixels, variant.angle) if variant.angle else pixels
    names = tuple(colors.named(np.asarray(turned)))
    return Variant(variant.size, variant.left, variant.top, variant.mirrored, variant.angle, variant.background, names)


def held_back(settings: Settings, concept: str, color: str) -> bool:
    """Whether no variant shows this concept mainly in this colour, unless its drawings have it by themselves."""
    share = hashes.number(settings.seed, "unseen", concept, color) / (1 << 63)
    return color in colors.HUED and share < settings.data.unseen_pairs


def names_a_color(concept: Concept) -> bool:
    """Whether what it shows is of a colour by its very name, as a red heart is."""
    return any(_COLOR_WORDS & set(concept.labels[language].replace(",", " ").split()) for language in LANGUAGES)


def _shows_unseen(settings: Settings, data: DataSet, place: int, angle: int) -> bool:
    found = colors.named(colors.turned(np.asarray(data.pixels[place]), angle))
    return bool(found) and held_back(settings, data.drawings[place].concept, found[0])
