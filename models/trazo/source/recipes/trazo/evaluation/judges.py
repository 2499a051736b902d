# SPDX-License-Identifier: Apache-2.0
"""Names what a picture shows, or in which style it is: by Fisher's linear discriminant (Fisher 1936), in closed form.

Features are turned so that drawings of one thing differ equally little in every direction; what is looked for is then
where the angle is smallest. There is nothing to train step by step: a judge is made in seconds, and the same drawings
make the same one.
"""

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch import Tensor
from torch.nn import functional

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KEPT = 200  # directions in which drawings differ most
_NOTHING = 1e-9  # of the largest variance: rounding
_SPREAD = 0.1  # share of what differs at all in what one thing differs in: few drawings tell too little of it


@dataclass(frozen=True, slots=True)
class Judge:
    """names: what it knows. axes: [number, directions]. places: of the names, [name, directions], of length 1."""

    names: list[str]
    middle: Tensor
    axes: Tensor
    places: Tensor

    def likeness(self, features: Tensor) -> Tensor:
        """How near pictures are to each name: [picture, name], -1 to 1."""
        return functional.normalize((features - self.middle) @ self.axes, dim=1) @ self.places.T

    def ranks(self, features: Tensor, right: list[str]) -> "NDArray[np.int64]":
        """How many names are nearer than the right one. Every name must be known."""
        found = self.likeness(features)
        at = torch.tensor([self.names.index(name) for name in right])
        ranks: NDArray[np.int64] = (found > found.gather(1, at[:, None])).sum(1).numpy()
        return ranks

    @property
    def sha256(self) -> str:
        """Of all its numbers."""
        found = hashlib.sha256("\0".join(self.names).encode())
        for part in (self.middle, self.axes, self.places):
            found.update(part.contiguous().numpy().tobytes())
        return found.hexdigest()


def taught(features: Tensor, names: list[str], kept: int = KEPT, spread: float = _SPREAD) -> Judge:
    """A judge that has seen these pictures and been told their names."""
    known = sorted(set(names))
    number = {name: at for at, name in enumerate(known)}
    of = torch.tensor([number[name] for name in names])
    middle = features.mean(0)
    apart = features - middle
    most = _directions(apart, kept)
    seen = apart @ most
    count = torch.bincount(of, minlength=len(known))[:, None]
    means = torch.zeros(len(known), seen.shape[1]).index_add_(0, of, seen) / count
    around = seen - means[of]
    within = around.T @ around / max(1, len(names) - len(known))
    overall = (seen.square().mean(0) + 1e-6).diag()
    axes = torch.linalg.cholesky(torch.linalg.inv((1 - spread) * within + spread * overall))
    return Judge(known, middle, most @ axes, functional.normalize(means @ axes, dim=1))


def _directions(apart: Tensor, kept: int) -> Tensor:
    """The directions in which the rows differ most, [number, kept at most], of length 1: principal components."""
    rows = apart.double()
    few = len(rows) < rows.shape[1]  # then the same directions are found from the smaller of both products
    size, found = torch.linalg.eigh(rows @ rows.T if few else rows.T @ rows)
    told = size > size[-1] * _NOTHING
    most = found[:, told][:, -kept:]
    return functional.normalize(rows.T @ most if few else most, dim=0).float()
