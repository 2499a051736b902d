# SPDX-License-Identifier: Apache-2.0
"""The folder of the published model: the forms that programs load, and `records/` with what proves them.

records/chain.json       the manifest · records/chain.json.sig, where a maintainer has signed it
records/before.xz        the checkpoint before the last segment, as it differs from the published weights
records/scale.json       of the last checkpoint · records/scale-before.json of the one before
"""

import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import CheckpointMissing
from abierto.formats.faults import corrupt
from abierto.recipes.trazo import cards, chain, delta, export, hashes, opening, tracing, vocabulary
from abierto.recipes.trazo.chain import MANIFEST, SCALE, Workshop
from abierto.recipes.trazo.networks import PARTS
from abierto.recipes.trazo.pictures import THANKS, DataSet

_BEFORE, _SCALE_BEFORE, _KEPT = "before.xz", "scale-before.json", "checkpoint.xz"


@dataclass(frozen=True, slots=True)
class Published:
    """A folder with the model."""

    folder: Path

    @property
    def records(self) -> Path:
        """The folder of the proofs."""
        return self.folder / "records"

    @property
    def manifest(self) -> Path:
        """The file of the records."""
        return self.records / MANIFEST

    @property
    def whole(self) -> bool:
        """Whether the model is there, and not only the records of its training so far."""
        return (self.folder / "model_index.json").is_file()

    def weights(self) -> dict[str, Path]:
        """The weight files of the last checkpoint, by the names that they have in one."""
        return {f"{part}.safetensors": self.folder / part / f"{export.WEIGHTS[part]}.safetensors" for part in PARTS}


def publish(workshop: Workshop, data: DataSet, published: Published) -> None:
    """Write the last checkpoint of a chain, with all that proves it, into a folder."""
    number = len(chain.records(workshop.manifest))
    if not number:
        raise CheckpointMissing(1)
    tokenizer = chain.open_vocabulary(workshop, data)
    last, before = workshop.checkpoint(number), workshop.checkpoint(number - 1)
    trio = chain.begin(workshop, number, tokenizer)
    published.records.mkdir(parents=True, exist_ok=True)
    export.export(workshop.settings, trio, tokenizer, last, published.folder)
    for name in vocabulary.FILES:
        shutil.copyfile(workshop.place("vocabulary", name), published.folder / "tokenizer" / name)
    shutil.copyfile(workshop.place("data", THANKS), published.folder / THANKS)
    shutil.copyfile(last / SCALE, published.records / SCALE)
    if number > 1:  # the one before the first is made anew from its seed
        shutil.copyfile(before / SCALE, published.records / _SCALE_BEFORE)
        delta.pack(_weights_in(before), published.weights(), published.records / _BEFORE)
    tracing.write_index(workshop.settings, data, trio, workshop.place("data"), published.records / tracing.NEIGHBORS)
    shutil.copyfile(workshop.manifest, published.manifest)
    (published.records / _KEPT).unlink(missing_ok=True)
    cards.write(workshop, data, published.folder)
    opening.write(workshop, data, published.folder)


def keep(workshop: Workshop, data: DataSet, published: Published) -> None:
    """Write what another computer needs to go on with a training that is not far enough to be published."""
    number = len(chain.records(workshop.manifest))
    if not number:
        raise CheckpointMissing(1)
    chain.begin(workshop, 0, chain.open_vocabulary(workshop, data))
    published.records.mkdir(parents=True, exist_ok=True)
    last = workshop.checkpoint(number)
    delta.pack(_weights_in(last), _weights_in(workshop.checkpoint(0)), published.records / _KEPT)
    for name in vocabulary.FILES:
        _copy(workshop.place("vocabulary", name), published.folder / "tokenizer" / name)
    _copy(workshop.place("data", THANKS), published.folder / THANKS)
    _copy(last / SCALE, published.records / SCALE)
    _copy(workshop.manifest, published.manifest)
    cards.write(workshop, data, published.folder)
    opening.write(workshop, data, published.folder)


def take_over(published: Published, workshop: Workshop) -> list[dict[str, Any]]:
    """Bring what was published into a workshop that has none of it, so that it can be replayed or gone on with.

    Returns the records. Raises CorruptFile for what does not have the hash that its record says, CheckpointMissing.
    """
    records = chain.records(published.manifest)
    verify(records, published.manifest)
    if not records:
        raise CheckpointMissing(1)
    number = len(records)
    target, before = workshop.checkpoint(number), workshop.checkpoint(number - 1)
    for name in vocabulary.FILES:
        _copy(published.folder / "tokenizer" / name, workshop.place("vocabulary", name))
    _copy(published.records / SCALE, target / SCALE)
    if not published.whole:
        chain.begin(workshop, 0, vocabulary.load(workshop.place("vocabulary"), workshop.settings.words.tokens))
        delta.unpack(published.records / _KEPT, _weights_in(workshop.checkpoint(0)), _weights_in(target))
        _check(target, records[-1]["to"])
        return records
    for name, path in published.weights().items():
        _copy(path, target / name)
    if number > 1 and not (before / SCALE).is_file():
        delta.unpack(published.records / _BEFORE, published.weights(), _weights_in(before))
        _copy(published.records / _SCALE_BEFORE, before / SCALE)
    _check(target, records[-1]["to"])
    if number > 1:
        _check(before, records[-1]["from"])
    return records


def go_on(published: Published, workshop: Workshop) -> list[dict[str, Any]]:
    """Let a workshop without segments go on from what was published. Returns the records; none where none is there."""
    if not published.manifest.is_file():
        return []
    records = take_over(published, workshop)
    shutil.copyfile(published.manifest, workshop.manifest)
    return records


def verify(records: list[dict[str, Any]], manifest: Path) -> None:
    """Raise CorruptFile unless every record has the hash it says, and begins where the one before it ended."""
    previous, reached = "", None
    for record in records:
        body = {name: fact for name, fact in record.items() if name != "sha256"}
        joined = record["previous"] == previous and (reached is None or record["from"] == reached)
        if not joined or hashes.digest(body) != record["sha256"]:
            raise corrupt(str(manifest), "record", number=record["number"])
        previous, reached = record["sha256"], record["to"]


def _weights_in(checkpoint: Path) -> dict[str, Path]:
    return {f"{part}.safetensors": checkpoint / f"{part}.safetensors" for part in PARTS}


def _check(folder: Path, expected: dict[str, str]) -> None:
    for name, sha256 in expected.items():
        if hashes.sha256_of(folder / name) != sha256:
            raise corrupt(str(folder / name), "other_hash", expected=sha256)


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, target)
