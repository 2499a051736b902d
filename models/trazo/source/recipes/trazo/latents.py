# SPDX-License-Identifier: Apache-2.0
"""What the autoencoder makes of a variant of every drawing, kept in files, with what the captions can say of it.

One file for each variant, made when it is first needed, always in the same portions: the same bytes on the same kind
of processor. Drawings that nothing is trained with have zeros there.
"""

import json
from collections.abc import Generator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from abierto.recipes.trazo import networks, variants
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import Settings
from abierto.recipes.trazo.steps import Progress
from abierto.recipes.trazo.variants import Variant
from abierto.store import disk

if TYPE_CHECKING:
    from numpy.typing import NDArray

_PORTION = 32


@dataclass(frozen=True, slots=True)
class Encoded:
    """values: a memory-mapped file, [drawing, channels, side, side] float16, not scaled. shown: what each is."""

    values: "NDArray[np.float16]"
    shown: list[Variant]


def encoded(
    settings: Settings, data: DataSet, vae: Any, number: int, folder: Path
) -> Generator[Progress, None, Encoded]:
    """A variant of every drawing, as latents. folder: for this data set and these weights of the encoder alone."""
    values, told = folder / f"variant-{number}.npy", folder / f"variant-{number}.json"
    if not told.is_file():
        with disk.writing(folder):
            folder.mkdir(parents=True, exist_ok=True)
            yield from _write(settings, data, vae, number, values)
            shown = [_measured(settings, data, place, number) for place in range(len(data.drawings))]
            growing = told.with_suffix(".part")
            growing.write_text(json.dumps([asdict(one) for one in shown]), "utf-8")
            disk.replace(growing, told)
    found = [Variant(**{**one, "colors": tuple(one["colors"])}) for one in json.loads(told.read_text("utf-8"))]
    return Encoded(np.load(values, mmap_mode="r"), found)


def _write(settings: Settings, data: DataSet, vae: Any, number: int, target: Path) -> Generator[Progress, None, None]:
    import torch

    side, used = networks.latent_side(settings), data.used_for("train")
    growing = target.with_suffix(".part")
    shape = (len(data.drawings), settings.networks.latent_channels, side, side)
    values = np.lib.format.open_memmap(growing, "w+", np.float16, shape)
    vae.to(memory_format=torch.channels_last)
    for start in range(0, len(used), _PORTION):
        places = used[start : start + _PORTION]
        given = pictures(settings, data, places, number).contiguous(memory_format=torch.channels_last)
        with torch.no_grad(), torch.autocast("cpu", enabled=False):  # it may be asked for in the midst of a step
            values[places] = vae.encode(given).latents.numpy()
        yield Progress("encode", start + len(places), len(used))
    values.flush()
    disk.replace(growing, target)


def pictures(settings: Settings, data: DataSet, places: Any, number: int) -> Any:
    """The pictures of a variant as the autoencoder takes them: a tensor [picture, 3, size, size], -1 to 1."""
    import torch

    drawn = [variants.drawn(data.pixels[place], variants.chosen(settings, data, place, number)) for place in places]
    return torch.from_numpy(np.stack(drawn)).permute(0, 3, 1, 2).contiguous().float() / 127.5 - 1


def _measured(settings: Settings, data: DataSet, place: int, number: int) -> Variant:
    return variants.measured(data.pixels[place], variants.chosen(settings, data, place, number))
