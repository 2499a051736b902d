# SPDX-License-Identifier: Apache-2.0
"""The colours of a picture in words, measured from its pixels; and the turning of hues."""

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

# sRGB of what people call by these names, and the names; some have two places.
PALETTE: tuple[tuple[str, str, tuple[int, int, int]], ...] = (
    ("red", "rojo", (220, 30, 40)),
    ("red", "rojo", (160, 20, 30)),
    ("orange", "naranja", (245, 130, 30)),
    ("yellow", "amarillo", (255, 205, 60)),
    ("yellow", "amarillo", (250, 230, 120)),
    ("green", "verde", (60, 170, 70)),
    ("green", "verde", (130, 200, 60)),
    ("green", "verde", (20, 100, 50)),
    ("turquoise", "turquesa", (50, 195, 190)),
    ("blue", "azul", (50, 120, 220)),
    ("blue", "azul", (110, 180, 245)),
    ("blue", "azul", (20, 50, 130)),
    ("purple", "morado", (130, 70, 190)),
    ("purple", "morado", (180, 130, 230)),
    ("pink", "rosa", (245, 130, 180)),
    ("pink", "rosa", (230, 60, 140)),
    ("brown", "marrón", (120, 75, 45)),
    ("brown", "marrón", (165, 115, 75)),
    ("gray", "gris", (130, 135, 140)),
    ("gray", "gris", (185, 190, 195)),
    ("black", "negro", (30, 30, 35)),
    ("white", "blanco", (245, 245, 245)),
)
NAMES = {english: {"en": english, "es": spanish} for english, spanish, _ in PALETTE}
HUED = ("red", "orange", "yellow", "green", "turquoise", "blue", "purple", "pink")
_ENOUGH = 0.14  # of the drawing, to be worth a word
_MOST = 3
_EVERY = 3  # pixel, in both directions: enough to tell shares
_SEEN = 0.5  # opacity from which a pixel counts


def named(picture: "NDArray[np.uint8]") -> list[str]:
    """The colours of a drawing, the largest first, by their English names. picture: [height, width, 4], 0 to 255."""
    pixels = picture[::_EVERY, ::_EVERY].reshape(-1, 4)
    seen = pixels[pixels[:, 3] > _SEEN * 255, :3]
    if not len(seen):
        return []
    places = _even(np.array([place for _, _, place in PALETTE], np.float64))
    nearest = ((_even(seen.astype(np.float64))[:, None] - places) ** 2).sum(-1).argmin(-1)
    shares: dict[str, float] = {}
    for (name, _, _), count in zip(PALETTE, np.bincount(nearest, minlength=len(PALETTE)), strict=True):
        shares[name] = shares.get(name, 0.0) + float(count) / len(seen)
    order = sorted(shares, key=lambda name: -shares[name])
    return [name for name in order[:_MOST] if shares[name] >= _ENOUGH]


def turned(picture: "NDArray[np.uint8]", angle: float) -> "NDArray[np.uint8]":
    """The drawing with every hue turned by an angle in degrees, its grays and its lightness as they were.

    A rotation of the chroma plane of YCbCr (ITU-R BT.601), clipped to what can be shown.
    """
    turn = np.deg2rad(angle)
    cos, sin = np.cos(turn), np.sin(turn)
    luma = np.array([[0.299, 0.587, 0.114], [-0.168736, -0.331264, 0.5], [0.5, -0.418688, -0.081312]])
    rotation = np.array([[1, 0, 0], [0, cos, -sin], [0, sin, cos]])
    matrix = np.linalg.inv(luma) @ rotation @ luma
    rgb = np.clip(np.rint(picture[..., :3].astype(np.float64) @ matrix.T), 0, 255).astype(np.uint8)
    return np.concatenate([rgb, picture[..., 3:]], axis=-1)


def _even(rgb: Any) -> Any:
    """sRGB (0 to 255) in CIELAB, where equal distances look about equally far (CIE 15; white point D65)."""
    linear = np.where(rgb / 255 <= 0.04045, rgb / 255 / 12.92, ((rgb / 255 + 0.055) / 1.055) ** 2.4)
    matrix = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    xyz = linear @ matrix.T / np.array([0.9505, 1.0, 1.089])
    curved = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    x, y, z = curved[..., 0], curved[..., 1], curved[..., 2]
    return np.stack([116 * y - 16, 500 * (x - y), 200 * (y - z)], axis=-1)
