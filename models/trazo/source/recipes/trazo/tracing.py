# SPDX-License-Identifier: Apache-2.0
"""Which drawings of the training set an image is nearest to, whom they are by and under which licence.

By two measures: in the latents of the model's own autoencoder, averaged over a grid (what is where, and what it looks
like), and by the colours of a small copy. `records/drawings.npz` holds both for every training drawing, not the
drawings. A near neighbour does not mean that the image was made of it, nor a far one that it was not.
"""

import json
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from abierto.errors import FileMissing
from abierto.formats.faults import corrupt
from abierto.recipes.trazo import latents
from abierto.recipes.trazo.networks import Trio
from abierto.recipes.trazo.pictures import INDEX, DataSet
from abierto.recipes.trazo.settings import LANGUAGES, Settings

if TYPE_CHECKING:
    from numpy.typing import NDArray

NEIGHBORS = "drawings.npz"
GRID = 4  # averages of the latents, of a side
_SMALL = 8  # pixels of a side of the small copy
_PORTION = 32


@dataclass(frozen=True, slots=True)
class Neighbor:
    """A training drawing. likeness: by latents, the cosine, -1 to 1; by pixels, 1 less the mean difference, 0 to 1."""

    measure: str
    likeness: float
    labels: dict[str, str]
    icon: str
    family: str
    author: str
    license: str


def write_index(settings: Settings, data: DataSet, trio: Trio, folder: Path, target: Path) -> None:
    """Measure every training drawing as it is, on white, and write the index. folder: of the data set."""
    places = data.used_for("train")
    features, copies = [], []
    for start in range(0, len(places), _PORTION):
        pictures = latents.pictures(settings, data, places[start : start + _PORTION], 0)
        features.append(_pooled(_encoded(trio, pictures)))
        copies.append(_shrunk((pictures.permute(0, 2, 3, 1).numpy() + 1) * 127.5))
    whole = np.concatenate(features)
    middle, spread = whole.mean(0), whole.std(0) + 1e-6
    told = [_told(data, place) for place in places]
    families = json.loads((folder / INDEX).read_text("utf-8"))["families"]
    by = {
        one["family"]: {"author": one["author"], "license": one["license"], "title": one["title"]} for one in families
    }
    words = json.dumps({"drawings": told, "families": by}, ensure_ascii=False).encode()
    # Sixteenths of a standard deviation, up to eight of them, are as exact as the measure deserves.
    coarse = np.clip(np.rint((whole - middle) / spread * 16), -127, 127).astype(np.int8)
    np.savez_compressed(
        target, features=coarse, middle=middle.astype(np.float32), spread=spread.astype(np.float32),
        copies=np.concatenate(copies), words=np.frombuffer(words, np.uint8),
    )  # fmt: skip


def trace(image: bytes, folder: Path, count: int) -> list[Neighbor]:
    """The nearest drawings by either measure, `count` of each. folder: the published model.

    Raises FileMissing where the model has no index, CorruptFile for one that cannot be read.
    """
    import onnxruntime
    from PIL import Image

    place = folder / "records" / NEIGHBORS
    if not place.is_file():
        raise FileMissing(str(place))
    try:
        with np.load(place, allow_pickle=False) as found:
            index = dict(found)
        words = json.loads(index["words"].tobytes())
    except (ValueError, OSError, KeyError):
        raise corrupt(str(place), "archive") from None
    session = onnxruntime.InferenceSession(
        str(folder / "onnx" / "vae_encoder.onnx"), providers=["CPUExecutionProvider"]
    )
    size = int(json.loads((folder / "unet" / "config.json").read_text("utf-8"))["sample_size"]) * _factor(folder)
    with Image.open(BytesIO(image)) as opened:
        drawn = opened.convert("RGBA")
    ground = Image.new("RGBA", drawn.size, "white")
    ground.alpha_composite(drawn)
    pixels = np.asarray(ground.convert("RGB").resize((size, size)), np.float32)[None]
    latent = session.run(None, {"sample": np.ascontiguousarray(pixels.transpose(0, 3, 1, 2) / 127.5 - 1)})[0]
    feature = ((_pooled(latent) - index["middle"]) / index["spread"])[0]
    known = index["features"].astype(np.float32)
    alike = known @ feature / (np.linalg.norm(known, axis=1) * np.linalg.norm(feature) + 1e-9)
    apart = np.abs(index["copies"].astype(np.float32) - _shrunk(pixels)[0]).mean((1, 2, 3)) / 255
    return [*_nearest("latents", alike, words, count), *_nearest("pixels", 1 - apart, words, count)]


def _nearest(measure: str, likeness: "NDArray[np.float32]", words: dict[str, Any], count: int) -> list[Neighbor]:
    order = np.argsort(-likeness, kind="stable")[:count]
    return [_neighbor(measure, float(likeness[at]), words["drawings"][at], words["families"]) for at in order]


def _neighbor(measure: str, likeness: float, told: list[str], families: dict[str, Any]) -> Neighbor:
    family, icon, *labels = told
    by = families[family]
    named = dict(zip(LANGUAGES, labels, strict=True))
    return Neighbor(measure, round(likeness, 4), named, icon, by["title"], by["author"], by["license"])


def _told(data: DataSet, place: int) -> list[str]:
    drawing = data.drawings[place]
    labels = data.concepts[drawing.concept].labels
    return [drawing.family, drawing.icon, *(labels[language] for language in LANGUAGES)]


def _encoded(trio: Trio, pictures: Any) -> "NDArray[np.float32]":
    import torch

    trio.vae.to(memory_format=torch.channels_last)  # a third of the time, with the next line
    with torch.no_grad(), torch.autocast("cpu", torch.bfloat16):
        found: NDArray[np.float32] = trio.vae.encode(pictures).latents.float().numpy()
    return found


def _pooled(latent: "NDArray[np.float32]") -> "NDArray[np.float32]":
    """The averages over a grid: [picture, channels, side, side] -> [picture, channels x GRID x GRID]."""
    count, channels, side, _ = latent.shape
    step = side // GRID
    cut = latent[:, :, : step * GRID, : step * GRID]
    return np.asarray(cut.reshape(count, channels, GRID, step, GRID, step).mean((3, 5)).reshape(count, -1))


def _shrunk(pixels: "NDArray[np.float32]") -> "NDArray[np.uint8]":
    """Averages of squares: [picture, size, size, 3] -> [picture, 8, 8, 3]."""
    count, size = pixels.shape[:2]
    step = size // _SMALL
    return np.asarray(np.rint(pixels.reshape(count, _SMALL, step, _SMALL, step, 3).mean((2, 4))), np.uint8)


def _factor(folder: Path) -> int:
    """Pixels to a latent: as the blocks of the autoencoder say."""
    shape = json.loads((folder / "vae" / "config.json").read_text("utf-8"))
    return 1 << (len(shape["num_encoder_blocks"]) - 1)
