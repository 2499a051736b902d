"""How far a pull is. It knows no clock: whoever shows it computes speed and time left."""

from dataclasses import dataclass
from typing import Literal

Stage = Literal["resolve", "download", "verify", "unpack"]


@dataclass(frozen=True, slots=True)
class PullProgress:
    """One step of a pull. `resolve` counts packages, the other stages count bytes.

    total: None where nobody has said yet how much it will be.
    resumed: how many of the `done` bytes an earlier pull had already fetched.
    """

    stage: Stage
    done: int
    total: int | None = None
    resumed: int = 0
