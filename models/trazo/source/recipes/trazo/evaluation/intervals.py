# SPDX-License-Identifier: Apache-2.0
"""Shares and differences with intervals of 95 %, by the bootstrap (Efron 1979): the same sample drawn again many times
with replacement, and the range in which 95 of 100 of its means lie. Where all are true or none is, which the bootstrap
takes for certain, by the rule of three (Hanley & Lippman-Hand 1983)."""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

_LEVEL = (2.5, 97.5)
_AT_ONCE = 64


def share(values: Iterable[Any], resamples: int) -> dict[str, float | int | None]:
    """The mean of the values, which are true or false, or numbers; of none, no number."""
    found = np.array(list(values), np.float64)
    if not len(found):
        return {"value": None, "low": None, "high": None, "count": 0}
    low, high = np.percentile(_means(found, resamples), _LEVEL)
    if (found == 0).all():
        high = min(1.0, 3 / len(found))
    if (found == 1).all():
        low = max(0.0, 1 - 3 / len(found))
    return {"value": _rounded(found.mean()), "low": _rounded(low), "high": _rounded(high), "count": len(found)}


def difference(one: Iterable[Any], other: Iterable[Any], resamples: int) -> dict[str, float | int | None]:
    """By how much the mean of the one is above that of the other, value by value of the same things."""
    apart = [float(a) - float(b) for a, b in zip(one, other, strict=True)]
    found = share(apart, resamples)
    return found if any(apart) else {**found, "high": found["low"]}


def _means(values: "NDArray[np.float64]", resamples: int) -> "NDArray[np.float64]":
    random = np.random.default_rng(0)
    parts = [
        values[random.integers(0, len(values), (min(_AT_ONCE, resamples - start), len(values)))].mean(1)
        for start in range(0, resamples, _AT_ONCE)
    ]
    return np.concatenate(parts)


def _rounded(value: Any) -> float:
    return round(float(value), 4)
