# SPDX-License-Identifier: Apache-2.0
"""How far a part of the recipe is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Progress:
    """stage: `fetch`, `draw`, `encode`, `train`, ...; done of total, in pictures, bytes or steps. loss: of training."""

    stage: str
    done: int
    total: int
    loss: float = float("nan")
