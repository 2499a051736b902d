# SPDX-License-Identifier: Apache-2.0
"""Replays a segment of the published chain, and compares what comes out with what was published.

On the same kind of processor, with the same packages and number of threads, every bit must be the same. Elsewhere the
order of additions differs, and with it the last bits, which hundreds of steps make larger. There the losses must have
gone the same course, and the weights the same way. Segment 49, made on an Intel Xeon, came on an AMD EPYC to weights
that were apart by 0.49 of its way, with losses that differed by 0.5 % on average (of 340 of its 400 steps); the same
segment with another seed to 1.04 and 3.3 %. What is allowed lies between.
"""

from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from abierto.errors import CheckpointMissing, MadeOtherwise
from abierto.recipes.trazo import chain, packages, pictures, provenance
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.networks import PARTS
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.published import Published, take_over
from abierto.recipes.trazo.settings import Plan
from abierto.recipes.trazo.steps import Progress

TOLERANCE = 0.7  # of the way, of the weights
COURSE = 0.015  # of the losses, on average over the segment


@dataclass(frozen=True, slots=True)
class Outcome:
    """number: of the segment. exact: bit for bit. distance: between both results, over the way from the start.

    course: by how much the losses differ, as a share, on average. same: whether code, packages and processor are those
    that the record tells; other: the first of them that is not.
    """

    number: int
    exact: bool
    distance: float
    course: float
    same: bool
    other: str

    @property
    def proven(self) -> bool:
        """Whether the replay shows what it should, here."""
        return self.exact or (not self.same and self.distance <= TOLERANCE and self.course <= COURSE)


def prepare(workshop: Workshop, registry: str = packages.REGISTRY) -> Generator[Progress, None, DataSet]:
    """Fetch the sources and make the data set."""
    for step in packages.fetch(workshop.settings.sources, workshop.place("archives"), registry):
        yield Progress("fetch", step.done, step.total or step.done)
    return (yield from pictures.build(workshop.settings, workshop.place("archives"), workshop.place("data")))


def replay(
    workshop: Workshop, published: Published, number: int | None = None, registry: str = packages.REGISTRY
) -> Generator[Progress, None, Outcome]:
    """Replay one segment, the last one if none is named.

    Raises CheckpointMissing where its start is not at hand, MadeOtherwise where settings or data are other ones,
    CorruptFile, and what fetching and building raise.
    """
    records = take_over(published, workshop)
    number = number or len(records)
    if not 1 <= number <= len(records):
        raise CheckpointMissing(number)
    record = records[number - 1]
    if number > 1 and not (workshop.checkpoint(number - 1) / chain.SCALE).is_file():
        raise CheckpointMissing(number)
    _hold("settings", record["settings"], provenance.settings_hash(workshop.settings))
    data = yield from prepare(workshop, registry)
    _hold("data", record["data"], data.digest)
    plan = msgspec.convert(record["plan"], Plan)
    target = workshop.place("replay", f"{number:03}")
    made = yield from chain.play(workshop, data, plan, number, target)
    other = _other(made, record)
    exact = made["to"] == record["to"]
    distance = 0.0 if exact else _distance(workshop, number, target)
    return Outcome(number, exact, distance, _course(made["loss"], record["loss"]), not other, other)


def _hold(what: str, expected: str, actual: str) -> None:
    if expected != actual:
        raise MadeOtherwise(what, expected, actual)


def _other(made: dict[str, Any], record: dict[str, Any]) -> str:
    return next((name for name in ("code", "packages", "processor") if made[name] != record[name]), "")


def _course(ours: list[float], theirs: list[float]) -> float:
    pairs = zip(ours, theirs, strict=True)
    return sum(abs(our - their) / their for our, their in pairs) / len(theirs)


def _distance(workshop: Workshop, number: int, made: Path) -> float:
    """The length of the difference of both results over the length of the way; infinite without the published one."""
    there, start = workshop.checkpoint(number), workshop.checkpoint(number - 1)
    if not (there / chain.SCALE).is_file():
        return float("inf")
    apart, way = 0.0, 0.0
    for part in PARTS:
        ours, theirs, before = (weights(folder / f"{part}.safetensors") for folder in (made, there, start))
        for name, value in theirs.items():
            apart += float(((ours[name] - value) ** 2).sum())
            way += float(((value - before[name]) ** 2).sum())
    return float(np.sqrt(apart / way)) if way else float("inf")


def weights(path: Path) -> dict[str, Any]:
    """The weights in a file, in float64 and by name."""
    from safetensors.numpy import load_file

    return {name: value.astype(np.float64) for name, value in load_file(path).items()}
