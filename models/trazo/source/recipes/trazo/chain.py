# SPDX-License-Identifier: Apache-2.0
"""The chain of segments: its records, the checkpoints between them, and the replay that proves one.

`chain.json` is the manifest. Every segment has a record there with all that its result depends on: the record before
it, the checkpoint that it began from, plan, seed, data, vocabulary, source code, package versions, processor and
threads; and with what came of it: the hashes of the new checkpoint, the course of the loss, the time it took. The hash
of a record holds the hash of the one before, so that the last one vouches for all.
"""

import json
import shutil
from collections.abc import Generator
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from abierto.recipes.trazo import concepts as naming
from abierto.recipes.trazo import hashes, latents, networks, provenance, segment, vocabulary
from abierto.recipes.trazo.latents import Encoded
from abierto.recipes.trazo.networks import PARTS, Trio
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import Plan, Settings
from abierto.recipes.trazo.stages import Material
from abierto.recipes.trazo.steps import Progress
from abierto.store import disk

MANIFEST, SCALE = "chain.json", "scale.json"
_MEASURED_ON = 512  # drawings: enough to tell by how much latents vary


@dataclass(frozen=True, slots=True)
class Workshop:
    """Where the recipe works. archives, data, vocabulary, latents, chain (checkpoints 000, 001, ...), state."""

    settings: Settings
    folder: Path

    def place(self, *names: str) -> Path:
        """A folder in it."""
        return self.folder.joinpath(*names)

    def checkpoint(self, number: int) -> Path:
        """The folder of a checkpoint: 0 for the networks before they have learned anything."""
        return self.place("chain", f"{number:03}")

    @property
    def manifest(self) -> Path:
        """The file of the records."""
        return self.place("chain", MANIFEST)


def records(manifest: Path) -> list[dict[str, Any]]:
    """The records of a manifest, none where there is none."""
    if not manifest.is_file():
        return []
    found: list[dict[str, Any]] = json.loads(manifest.read_text("utf-8"))["segments"]
    return found


def extend(workshop: Workshop, data: DataSet, plan: Plan) -> Generator[Progress, None, dict[str, Any]]:
    """Train one more segment and add its record. A segment that was stopped is taken up where it was."""
    known = records(workshop.manifest)
    number = len(known) + 1
    made = yield from play(workshop, data, plan, number, workshop.checkpoint(number))
    record = {**made, "previous": known[-1]["sha256"] if known else ""}
    record["sha256"] = hashes.digest(record)
    write_manifest(workshop.manifest, workshop.settings.name, [*known, record])
    shutil.rmtree(workshop.place("state", f"{number:03}"), ignore_errors=True)
    return record


def play(
    workshop: Workshop, data: DataSet, plan: Plan, number: int, target: Path
) -> Generator[Progress, None, dict[str, Any]]:
    """Train one segment from the checkpoint before it, and write the next one into `target`. Returns its record."""
    settings, state = workshop.settings, workshop.place("state", target.name)
    tokenizer = open_vocabulary(workshop, data)
    trio = begin(workshop, number - 1, tokenizer)
    before = checkpoint_hashes(workshop.checkpoint(number - 1))
    here = provenance.of_this_computer(plan.threads, plan.device)
    material = learned_from(workshop, data, tokenizer, trio)
    seed = hashes.number(settings.seed, "segment", number)
    course = yield from segment.run(plan, seed, trio, material, state / "state.pt")
    networks.save(trio, target)
    if plan.stage == "autoencoder" and "encoder" in "".join(plan.trains or ("encoder",)):
        networks.load(trio, target)
        write_scale(target, _scale(settings, data, trio))
    else:
        write_scale(target, trio.scale)
    return {
        "number": number,
        "plan": asdict(plan),
        "seed": seed,
        "settings": provenance.settings_hash(settings),
        "data": data.digest,
        "vocabulary": {name: hashes.sha256_of(workshop.place("vocabulary", name)) for name in vocabulary.FILES},
        **here,
        "from": before,
        "to": checkpoint_hashes(target),
        "loss": course.losses,
        "spent": provenance.spent(course.busy),
    }


def learned_from(workshop: Workshop, data: DataSet, tokenizer: Any, trio: Trio) -> Material:
    """What a segment that begins with these networks learns from."""
    latents_of = _latents(workshop, data, trio)
    return Material(workshop.settings, data, tokenizer, latents_of, taken=naming.ambiguous(data.concepts))


def begin(workshop: Workshop, number: int, tokenizer: Any) -> Trio:
    """The networks of a checkpoint. Those of checkpoint 0 are made here, and rounded like every other."""
    folder = workshop.checkpoint(number)
    trio = networks.fresh(workshop.settings, tokenizer.eos_token_id)
    if number == 0:
        networks.save(trio, folder)
        write_scale(folder, 1.0)
    networks.load(trio, folder)
    scale = json.loads((folder / SCALE).read_text("utf-8"))["scale"]
    return Trio(trio.vae, trio.text_encoder, trio.unet, scale)


def open_vocabulary(workshop: Workshop, data: DataSet) -> Any:
    """The tokenizer; its files are made where there are none."""
    folder = workshop.place("vocabulary")
    if not all((folder / name).is_file() for name in vocabulary.FILES):
        vocabulary.learn(workshop.settings, data, folder)
    return vocabulary.load(folder, workshop.settings.words.tokens)


def checkpoint_hashes(folder: Path) -> dict[str, str]:
    """The SHA-256 of every file of a checkpoint, by name."""
    return {name: hashes.sha256_of(folder / name) for name in [*(f"{part}.safetensors" for part in PARTS), SCALE]}


def write_manifest(path: Path, name: str, segments: list[dict[str, Any]]) -> None:
    """Write the records, the hash of the last one with them."""
    body = {"name": name, "segments": segments, "sha256": segments[-1]["sha256"]}
    with disk.writing(path.parent):
        growing = path.with_suffix(".part")
        growing.write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")
        disk.replace(growing, path)


def write_scale(folder: Path, scale: float) -> None:
    """Keep what latents are multiplied with beside the weights."""
    (folder / SCALE).write_text(json.dumps({"scale": scale}) + "\n", "utf-8")


def _latents(workshop: Workshop, data: DataSet, trio: Trio) -> Any:
    folder = workshop.place("latents", f"{data.digest[:12]}-{_digest(trio.vae.encoder)[:12]}")

    @cache
    def encoded(number: int) -> Encoded:
        with closing(latents.encoded(workshop.settings, data, trio.vae, number, folder)) as making:
            while True:
                try:
                    next(making)
                except StopIteration as end:
                    found: Encoded = end.value
                    return found

    return encoded


def _digest(network: Any) -> str:
    """The SHA-256 of a network's weights. Of the encoder alone: what the decoder learns changes no latents."""
    found = sha256()
    for name, value in network.state_dict().items():
        found.update(name.encode() + b"\0" + value.contiguous().numpy().tobytes())
    return found.hexdigest()


def _scale(settings: Settings, data: DataSet, trio: Trio) -> float:
    """One over the standard deviation of latents, to three digits, so that other processors come to the same."""
    import torch

    places = data.used_for("train")[:: max(1, len(data.used_for("train")) // _MEASURED_ON)]
    with torch.no_grad():
        found = [trio.vae.encode(latents.pictures(settings, data, [place], 0)).latents for place in places]
    return float(f"{1 / float(torch.cat(found).std()):.3g}")
