# SPDX-License-Identifier: Apache-2.0
"""What a judge sees of a picture. No part of the model has a part in it, and nothing in it is learned.

For what is shown: the picture is cut to what differs from its background, brought to one size, and told by the
directions of its edges over a grid, at two scales (histograms of oriented gradients, Dalal & Triggs 2005: fixed
filters, then averages), and by its colours over a coarser grid. For the style: how often its brightness changes by how
much, at three scales, how many colours it has, which, and how dark its outline is; not where anything is.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    from numpy.typing import NDArray

SIDE = 64  # pixels that a judge looks at
_DIFFERS = 0.12  # of the whole range, in any channel: no background any more
_MARGIN = 1.06
_DIRECTIONS = 8
_CHANGES = (0.004, 0.01, 0.02, 0.04, 0.08, 0.16, 0.32, 0.64)
_AT_ONCE = 256


def shapes(pictures: "NDArray[np.uint8]") -> Tensor:
    """For what is shown: [picture, number]. pictures: [picture, size, size, 3]."""
    return _in_portions(pictures, lambda part: _described(framed(part)))


def textures(pictures: "NDArray[np.uint8]") -> Tensor:
    """For the style: [picture, number]."""

    def of(part: Tensor) -> Tensor:
        return torch.cat([_texture(part), _texture(functional.avg_pool2d(part, 2)), _texture(softened(part))], 1)

    return _in_portions(pictures, of)


def small(pictures: "NDArray[np.uint8]") -> Tensor:
    """Half as wide as a judge sees it, to compare pixels: [picture, number], 0 to 1."""
    return _in_portions(pictures, lambda part: functional.avg_pool2d(framed(part), 2).flatten(1))


def cut_out(pictures: "NDArray[np.uint8]") -> "NDArray[np.uint8]":
    """The pictures with opacity: none where the background is. [picture, size, size, 4]."""
    whole = torch.from_numpy(np.ascontiguousarray(pictures)).permute(0, 3, 1, 2).float() / 255
    shown = _differs(whole, _ground(whole))
    return np.concatenate([pictures, (shown.numpy() * np.uint8(255))[..., None]], -1)


def framed(part: Tensor) -> Tensor:
    """Cut to what differs from the background, which becomes white: [picture, 3, SIDE, SIDE], 0 to 1."""
    count = len(part)
    ground = _ground(part)
    differs = _differs(part, ground)
    top, bottom = _ends(differs.any(2))
    left, right = _ends(differs.any(1))
    side = torch.maximum(bottom - top, right - left).clamp(min=SIDE / 8)
    place = torch.zeros(count, 2, 3)
    place[:, 0, 0] = place[:, 1, 1] = side / SIDE * _MARGIN
    place[:, 0, 2], place[:, 1, 2] = (left + right) / SIDE - 1, (top + bottom) / SIDE - 1
    grid = functional.affine_grid(place, [count, 3, SIDE, SIDE], align_corners=False)
    return (functional.grid_sample(part - ground, grid, align_corners=False) + 1).clamp(0, 1)


def softened(part: Tensor) -> Tensor:
    """Averaged over three pixels, as an autoencoder may."""
    return functional.avg_pool2d(functional.pad(part, (1, 1, 1, 1), mode="replicate"), 3, 1)


def _in_portions(pictures: "NDArray[np.uint8]", of: Callable[[Tensor], Tensor]) -> Tensor:
    found = []
    for start in range(0, len(pictures), _AT_ONCE):
        part = torch.from_numpy(np.ascontiguousarray(pictures[start : start + _AT_ONCE])).permute(0, 3, 1, 2)
        found.append(of(functional.interpolate(part.float() / 255, (SIDE, SIDE), mode="area")))
    return torch.cat(found)


def _ground(part: Tensor) -> Tensor:
    """The colour of the background: the median of the border."""
    edges = [part[:, :, :2], part[:, :, -2:], part[:, :, :, :2], part[:, :, :, -2:]]
    return torch.cat([edge.flatten(2) for edge in edges], 2).median(2).values[:, :, None, None]


def _differs(part: Tensor, ground: Tensor) -> Tensor:
    return (part - ground).abs().amax(1) > _DIFFERS


def _ends(found: Tensor) -> tuple[Tensor, Tensor]:
    """Of each row the first and the place after the last that is true; the whole row where none is."""
    length, some = found.shape[1], found.any(1)
    first = torch.where(some, found.float().argmax(1), 0)
    last = torch.where(some, length - found.flip(1).float().argmax(1), length)
    return first.float(), last.float()


def _described(part: Tensor) -> Tensor:
    coarse = functional.interpolate(functional.avg_pool2d(part, 2), (SIDE, SIDE), mode="bilinear")
    color = functional.adaptive_avg_pool2d(part, 8).flatten(1)
    return torch.cat([0.5 * _edges(part, 8), 0.7 * _edges(coarse, 16), 0.9 * color], 1)


def _edges(part: Tensor, cell: int) -> Tensor:
    wide = functional.pad(part[..., 2:] - part[..., :-2], (1, 1))
    high = functional.pad(part[:, :, 2:] - part[:, :, :-2], (0, 0, 1, 1))
    steep = (wide.square() + high.square()).sqrt()
    channel = steep.argmax(1, keepdim=True)
    wide, high, steep = (one.gather(1, channel) for one in (wide, high, steep))
    direction = torch.atan2(high, wide) % torch.pi / torch.pi * _DIRECTIONS
    below = direction.floor()
    share, lower = direction - below, below.long() % _DIRECTIONS
    told = torch.zeros(len(part), _DIRECTIONS, SIDE, SIDE)
    told.scatter_add_(1, lower, steep.sqrt() * (1 - share))
    told.scatter_add_(1, (lower + 1) % _DIRECTIONS, steep.sqrt() * share)
    cells = functional.avg_pool2d(told, cell, cell // 2)
    around = functional.avg_pool2d(cells.square().sum(1, keepdim=True), 3, 1, 1)
    return (cells / (around + 0.01).sqrt()).flatten(1)


def _texture(part: Tensor) -> Tensor:
    steps = [part.diff(dim=-1).abs().amax(1).flatten(1), part.diff(dim=-2).abs().amax(1).flatten(1)]
    apart = (part - functional.avg_pool2d(part, 3, 1, 1, count_include_pad=False)).abs().amax(1).flatten(1)
    coarse, fine = _colors(part, 4), _colors(part, 12)
    shown = ((part - 1).abs().amax(1, keepdim=True) > _DIFFERS).float()
    rim = functional.max_pool2d(1 - shown, 5, 1, 2) * shown
    around = (part * rim).flatten(2).sum(2) / (rim.flatten(2).sum(2) + 1)
    most = fine.topk(12).values.sqrt()
    many = (fine > 0).float().sum(1, keepdim=True) / 100
    return torch.cat([_shares(torch.cat(steps, 1)), _shares(apart), coarse.sqrt(), most, many, around], 1)


def _shares(values: Tensor) -> Tensor:
    """Of how large the values are: the square roots of the shares between the bounds."""
    place = torch.bucketize(values.contiguous(), torch.tensor(_CHANGES))
    return torch.stack([(place == at).float().mean(1) for at in range(len(_CHANGES) + 1)], 1).sqrt()


def _colors(part: Tensor, levels: int) -> Tensor:
    """The shares of the colours, each channel in so many levels."""
    place = (part.clamp(0, 0.999) * levels).long()
    number = ((place[:, 0] * levels + place[:, 1]) * levels + place[:, 2]).flatten(1)
    found = torch.zeros(len(part), levels**3)
    return found.scatter_add_(1, number, torch.ones(number.shape)) / number.shape[1]
