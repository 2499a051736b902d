# SPDX-License-Identifier: Apache-2.0
"""What the judges say of the pictures that were drawn, one record for each question; and of real drawings."""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch.nn import functional

from abierto.recipes.trazo import colors, hashes, variants
from abierto.recipes.trazo.evaluation import drawing, features, panel
from abierto.recipes.trazo.evaluation.panel import Drawings, Panel
from abierto.recipes.trazo.evaluation.questions import Question
from abierto.recipes.trazo.networks import Trio
from abierto.recipes.trazo.settings import Settings
from abierto.recipes.trazo.steps import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

_TURNED = 4  # one drawing of so many is shown with another hue too
_MOST_TURNS = 7  # as many variants of a drawing are looked through for one with a turned hue


@dataclass(frozen=True, slots=True)
class Seen:
    """Of each picture what it should show, and what was seen in it.

    apart, others: how many names are nearer than the right one, by either kind of judge. taken: the nearest name, by
    the judge apart. colors: the largest first. near, near_pixels: how far the nearest training
    drawing is, by shape and by pixels; neighbor: its place.
    """

    right: list[str]
    apart: "NDArray[np.int64]"
    others: "NDArray[np.int64]"
    taken: list[str]
    colors: list[list[str]]
    near: "NDArray[np.float32]"
    near_pixels: "NDArray[np.float32]"
    neighbor: list[int]


def seen(panel: Panel, pictures: "NDArray[np.uint8]", right: list[str], groups: list[str] | None = None) -> Seen:
    """Look at pictures. groups: of the families that real ones are of; else that of the nearest training drawing."""
    drawings = panel.drawings
    shapes = features.shapes(pictures)
    near, neighbor = panel.nearest(shapes)
    told = panel.apart.likeness(shapes).argmax(1)
    return Seen(
        right,
        panel.apart.ranks(shapes, right),
        panel.ranks_of_others(shapes, right, groups or [drawings.group(place) for place in neighbor]),
        [panel.apart.names[int(at)] for at in told],
        [colors.named(picture) for picture in features.cut_out(pictures)],
        near,
        pixels_apart(drawings, pictures),
        neighbor,
    )


def pixels_apart(drawings: Drawings, pictures: "NDArray[np.uint8]") -> "NDArray[np.float32]":
    """Of each picture how far the nearest training drawing is by pixels: the root of the mean square, 0 to 1."""
    known = drawings.small[drawings.data.used_for("train")]
    apart = torch.cdist(features.small(pictures), known) / known.shape[1] ** 0.5
    nearest: NDArray[np.float32] = apart.min(1).values.numpy()
    return nearest


@dataclass(frozen=True, slots=True)
class Real:
    """Real drawings of training families, through the autoencoder and back: the best that the model could draw.

    places: of the drawings. copied, copied_pixels: how far each is from itself as it was before. turned: the same with
    turned hues, and true_colors, what was measured of them before; none where no hue may be turned.
    """

    places: list[int]
    back: Seen
    pictures: "NDArray[np.uint8]"
    copied: "NDArray[np.float32]"
    copied_pixels: "NDArray[np.float32]"
    turned: Seen | None
    true_colors: list[list[str]]


def real(settings: Settings, trio: Trio, panel_: Panel, pool: list[str], count: int) -> Generator[Progress, None, Real]:
    """Look at so many real drawings of the things in the pool, chosen by the seed."""
    drawings = panel_.drawings
    data, kept = drawings.data, set(pool)
    able = [place for place in data.used_for("train") if data.drawings[place].concept in kept]
    random = np.random.default_rng(hashes.number(settings.seed, "evaluation", "real"))
    places = sorted(int(at) for at in random.permutation(able)[:count])
    back = yield from drawing.returned(trio, panel.on_white(settings, data, places))
    middle = drawings.shapes.mean(0)
    same = functional.cosine_similarity(features.shapes(back) - middle, drawings.shapes[places] - middle)
    pixels = (features.small(back) - drawings.small[places]).square().mean(1).sqrt()
    turns = [(place, angle) for place in places[::_TURNED] if (angle := _angle(settings, panel_, place))]
    turned, true = None, []
    if turns:
        shown = [colors.turned(np.asarray(data.pixels[place]), angle) for place, angle in turns]
        true = [colors.named(pixel) for pixel in shown]
        plain = variants.chosen(settings, data, places[0], 0)
        hued = yield from drawing.returned(trio, np.stack([variants.drawn(pixel, plain) for pixel in shown]))
        turned = _seen_of(panel_, hued, [place for place, _ in turns])
    return Real(places, _seen_of(panel_, back, places), back, (1 - same).numpy(), pixels.numpy(), turned, true)


def _seen_of(panel_: Panel, pictures: "NDArray[np.uint8]", places: list[int]) -> Seen:
    drawings = panel_.drawings
    right = [drawings.data.drawings[place].concept for place in places]
    return seen(panel_, pictures, right, [drawings.group(place) for place in places])


def _angle(settings: Settings, panel_: Panel, place: int) -> int:
    """The first turn of the hue among the variants of a drawing, 0 for none."""
    numbers = range(1, min(settings.data.variants, _MOST_TURNS + 1))
    found = (variants.chosen(settings, panel_.drawings.data, place, number).angle for number in numbers)
    return next((angle for angle in found if angle), 0)


def record(question: Question, found: Seen, at: int, drawings: Drawings) -> dict[str, object]:
    """What is kept of a question."""
    neighbor = drawings.data.drawings[found.neighbor[at]]
    return {
        "kind": question.kind, "language": question.language, "said": question.said, "seed": question.seed,
        "concept": question.concept, "color": question.color, "family": question.family,
        "rank": int(found.apart[at]), "rank_by_others": int(found.others[at]), "taken_for": found.taken[at],
        "colors": found.colors[at], "distance": round(float(found.near[at]), 4),
        "distance_in_pixels": round(float(found.near_pixels[at]), 4), "nearest": f"{neighbor.family}:{neighbor.icon}",
    }  # fmt: skip
