# SPDX-License-Identifier: Apache-2.0
"""The judges of the pictures.

apart    has seen the families alone that are kept from the model
others   one for each group of training families, which has seen every drawing but those of that group. A picture is
         judged by the one that has not seen the group of the training drawing that it is nearest to, so that a copy is
         not recognised for being one. Families whose names begin alike are a group: one may be the other redrawn.
"""

from collections.abc import Generator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from abierto.recipes.trazo import variants
from abierto.recipes.trazo.evaluation import features, judges
from abierto.recipes.trazo.evaluation.judges import Judge
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import Settings
from abierto.recipes.trazo.steps import Progress

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PORTION = 256


@dataclass(frozen=True, slots=True)
class Drawings:
    """The drawings of the data set as they are, on white. shapes, small: see `features`; in their order."""

    data: DataSet
    shapes: Tensor
    small: Tensor

    def group(self, place: int) -> str:
        """Of the family of a drawing."""
        return self.data.drawings[place].family.partition("-")[0]


@dataclass(frozen=True, slots=True)
class Panel:
    """The judges, and the drawings that they have seen."""

    drawings: Drawings
    apart: Judge
    others: dict[str, Judge]

    def ranks_of_others(self, shapes: Tensor, right: list[str], groups: list[str]) -> "NDArray[np.int64]":
        """How many names the judge that has not seen the group of a picture finds nearer than the right one."""
        found = np.zeros(len(right), np.int64)
        for group, judge in self.others.items():
            places = [at for at, name in enumerate(groups) if name == group]
            if places:
                found[places] = judge.ranks(shapes[places], [right[at] for at in places])
        return found

    def nearest(self, shapes: Tensor) -> tuple["NDArray[np.float32]", list[int]]:
        """Of each picture how far the nearest training drawing is by shape (1 less the cosine), and its place."""
        places = self.drawings.data.used_for("train")
        middle = self.drawings.shapes.mean(0)
        known = functional.normalize(self.drawings.shapes[places] - middle, dim=1)
        near, at = (functional.normalize(shapes - middle, dim=1) @ known.T).max(1)
        return 1 - near.numpy(), [places[int(one)] for one in at]


def on_white(settings: Settings, data: DataSet, places: list[int]) -> "NDArray[np.uint8]":
    """The drawings as they are: [place, size, size, 3]."""
    return np.stack([variants.drawn(data.pixels[place], variants.chosen(settings, data, place, 0)) for place in places])


def looked_at(settings: Settings, data: DataSet) -> Generator[Progress, None, Drawings]:
    """Look at every drawing."""
    parts: list[tuple[Tensor, Tensor]] = []
    for start in range(0, len(data.drawings), _PORTION):
        places = list(range(start, min(start + _PORTION, len(data.drawings))))
        pictures = on_white(settings, data, places)
        parts.append((features.shapes(pictures), features.small(pictures)))
        yield Progress("look", places[-1] + 1, len(data.drawings))
    shapes, small = (torch.cat(part) for part in zip(*parts, strict=True))
    return Drawings(data, shapes, small)


def assembled(drawings: Drawings) -> Generator[Progress, None, Panel]:
    """Teach every judge."""
    data = drawings.data
    groups = sorted({drawings.group(place) for place in data.used_for("train")})
    everything = range(len(data.drawings))
    apart = _taught(drawings, data.used_for("judge"))
    others = {}
    for done, group in enumerate(groups):
        others[group] = _taught(drawings, [place for place in everything if drawings.group(place) != group])
        yield Progress("teach", done + 1, len(groups))
    return Panel(drawings, apart, others)


def _taught(drawings: Drawings, places: list[int]) -> Judge:
    return judges.taught(drawings.shapes[places], [drawings.data.drawings[place].concept for place in places])
