# SPDX-License-Identifier: Apache-2.0
"""Reads what the folder of a Diffusers pipeline says about itself, and estimates the memory that the model takes.

    model_index.json                    which pipeline it is, and of which parts
    onnx/unet.onnx, text_encoder.onnx,  the networks for ONNX Runtime; without them it takes PyTorch to run the model
    vae_decoder.onnx
    unet/config.json and so on          the sizes of the parts
    tokenizer/, scheduler/              text to tokens; how noise and steps belong together

The constants under `MEASURED` come from the memory of the process that computes, with onnxruntime 1.32 on Linux and
latent images of 16 by 16: 171 MB with networks of 13 million parameters in 16 bits, of which the estimate says 185 MB,
and 214 MB with 17 million in 32 bits, of which it says 267 MB. It reads no network and no weights, and knows no engine.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing, NotAModel
from abierto.formats.faults import corrupt
from abierto.formats.footprint import Footprint
from abierto.formats.json_file import read_object

MAIN = "model_index.json"
NETWORKS = ("text_encoder", "unet", "vae_decoder")
# The pipeline whose parts are read here.
PIPELINE = "StableDiffusionPipeline"
_PARTS = ("tokenizer/tokenizer.json", "scheduler/scheduler_config.json", "unet/config.json", "vae/config.json")
_MOST = 1 << 20  # of any number in a configuration
_MOST_BLOCKS = 16

# MEASURED
WEIGHTS_FACTOR = 2.0  # the file, and the copy in the layout that suits the processor
LATENT_BYTES = 160_000  # between the layers, for each place of a latent image
ENGINE_BYTES = 90_000_000


@dataclass(frozen=True, slots=True)
class DiffusersFolder:
    """channels: of a latent image. side: of the latent image that the model was trained with. scale: pixels of a place
    in it. step: of which each side of an image, in pixels, must be a multiple. tokens: the most that a prompt may have.
    scaling: by which latent images are divided before they are decoded. weights_size: bytes of the networks."""

    channels: int
    side: int
    scale: int
    step: int
    tokens: int
    scaling: float
    weights_size: int

    @property
    def size(self) -> int:
        """Each side of the image that the model was trained with, in pixels."""
        return self.side * self.scale

    def footprint(self) -> Footprint:
        """What it takes while an image of the usual size is drawn; images of one model are drawn step by step in turn,
        so that several take no more."""
        weights = int(self.weights_size * WEIGHTS_FACTOR)
        return Footprint(weights, 0, LATENT_BYTES * self.side**2, ENGINE_BYTES)


def main_file(folder: Path) -> Path | None:
    """The file of a folder that stands for the model, or None for a folder of something else."""
    return folder / MAIN if (folder / MAIN).is_file() else None


def format_of(main: Path) -> str:
    """`diffusers_onnx` where the networks lie beside it for ONNX Runtime, else `diffusers`."""
    return "diffusers_onnx" if network(main, "unet").is_file() else "diffusers"


def network(main: Path, name: str) -> Path:
    """The file of one of the networks."""
    return main.parent / "onnx" / f"{name}.onnx"


def read(path: str | Path) -> DiffusersFolder:
    """What is known of the model whose main file this is.

    Raises FileMissing, NotAModel for another kind of pipeline, CorruptFile for parts that are missing or say what
    cannot be.
    """
    main = Path(path)
    if read_object(main).get("_class_name") != PIPELINE:
        raise NotAModel(str(main), "json")
    files = [main.parent / part for part in _PARTS] + [network(main, name) for name in NETWORKS]
    for file in files:
        if not file.is_file():
            raise corrupt(str(main), "no_part", file=file.relative_to(main.parent).as_posix())
    unet, vae = (read_object(main.parent / part / "config.json") for part in ("unet", "vae"))
    scale = 2 ** (_blocks(main, vae) - 1)
    return DiffusersFolder(
        channels=_number(main, unet, "in_channels"),
        side=_number(main, unet, "sample_size"),
        scale=scale,
        step=scale * 2 ** (_blocks(main, unet) - 1),
        tokens=_tokens(main),
        scaling=_scaling(main, vae),
        weights_size=_size(main),
    )


def _blocks(main: Path, config: dict[str, Any]) -> int:
    widths = config.get("block_out_channels") or config.get("decoder_block_out_channels")
    if not isinstance(widths, list) or not 1 <= len(widths) <= _MOST_BLOCKS:
        raise corrupt(str(main), "bad_number", name="block_out_channels", value=str(widths))
    return len(widths)


def _number(main: Path, config: dict[str, Any], name: str) -> int:
    value = config.get(name)
    if type(value) is not int or not 0 < value <= _MOST:
        raise corrupt(str(main), "bad_number", name=name, value=str(value))
    return value


def _scaling(main: Path, vae: dict[str, Any]) -> float:
    value = vae.get("scaling_factor", 1.0)
    if type(value) not in (int, float) or not 1e-6 < value < 1e6:
        raise corrupt(str(main), "bad_number", name="scaling_factor", value=str(value))
    return float(value)


def _tokens(main: Path) -> int:
    """As the tokenizer's configuration says; where it does not, as many as the text encoder has places for."""
    config = main.parent / "tokenizer" / "tokenizer_config.json"
    value = read_object(config).get("model_max_length") if config.is_file() else None
    if type(value) is int and 0 < value <= _MOST:
        return value
    return _number(main, read_object(main.parent / "text_encoder" / "config.json"), "max_position_embeddings")


def _size(main: Path) -> int:
    """Of the networks, with weights that lie in files of their own."""
    try:
        return sum(part.stat().st_size for part in (main.parent / "onnx").iterdir() if part.is_file())
    except OSError as error:
        raise FileMissing(str(main.parent / "onnx")) from error
