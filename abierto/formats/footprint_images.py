"""The memory that a pipeline of Diffusers takes with PyTorch on a processor, from its configurations and the sizes of
its files: the weights of each part, and what lies between the layers by the size and number of the images.

Noise is taken away in latent images, each seen twice in a batch, with the words and without (`guidance_scale`). A UNet
holds what its way down passes to its way up, and its widest block; a transformer some vectors of each piece of the
latent image. Then the decoder makes pixels of it: at full size, its last block holds three times as many channels as
the block before has and twice its own. One follows the other, so the larger of both counts. Of small images the C
library holds more there: pieces of 32 MiB it gives back to the system as soon as they are free, and smaller ones not
(`M_MMAP_THRESHOLD`, https://man7.org/linux/man-pages/man3/mallopt.3.html).
(`UNet2DConditionModel`, `SD3Transformer2DModel`, `AutoencoderKL`, https://github.com/huggingface/diffusers.)

Weights count as the files store them: computing in 32 bits takes twice as much of files of 16. The constants under
`MEASURED` come from the most that a process held with PyTorch 2.13 and Diffusers 0.42 on Linux in 32 bits, with models
of 53 to 446 MB of weights. Text encoders and real pipelines were not measured.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

from abierto.formats import json_file
from abierto.formats.footprint import FLOAT_BYTES, Footprint

MAIN = "model_index.json"
USUAL_SIDE = 512  # pixels, where nobody said
GUIDED = 2  # images in a batch for each that is asked for
WORDS = 512  # tokens of a prompt in a transformer, at most
_SUFFIXES = (".safetensors", ".bin", ".onnx")
_MOST = 1 << 20
GIVEN_BACK = 32 << 20  # bytes of the smallest piece that the C library gives back

# MEASURED
ENGINE_BYTES = 376_000_000  # Python, PyTorch, Diffusers, Transformers
SCRATCH_BYTES = 100_000_000  # of convolutions in a UNet
UNET_WIDTHS = 28  # vectors of a place side by side in the widest block of a UNet
PIECE_WIDTHS = 20  # vectors of a piece side by side in a transformer
BEFORE_LAST, LAST = 3, 2  # times the channels of these blocks of the decoder
KEPT = 5  # times the largest piece of the last block that is not given back


@dataclass(frozen=True, slots=True)
class Pipeline:
    """parts: bytes of the files of each part with weights. unet, vae: the numbers of channels of their blocks, the
    widest picture first; empty for a pipeline without. width, patch: of a transformer, numbers of a piece and places of
    the latent image in it; 0 without."""

    parts: Mapping[str, int]
    unet: tuple[int, ...] = ()
    vae: tuple[int, ...] = ()
    layers: int = 2
    width: int = 0
    patch: int = 1

    @property
    def size(self) -> int:
        """Bytes of the weights of all parts."""
        return sum(self.parts.values())

    @property
    def known(self) -> bool:
        """Whether the parts say what computing takes."""
        return bool(self.vae and (self.unet or self.width))

    def footprint(self, width: int, height: int, images: int = 1) -> Footprint:
        """width, height: pixels of each of `images` that are drawn at once."""
        places = width * height >> 2 * (len(self.vae) - 1) if self.vae else 0
        compute = max(self.denoising(places, GUIDED * images), self._pixels(width * height, images))
        return Footprint(self.size, 0, compute if self.known else 0, ENGINE_BYTES)

    def denoising(self, places: int, images: int) -> int:
        """Bytes between the layers for `images` latent images in a batch, of so many places each."""
        if self.width:
            return (places // self.patch + WORDS) * self.width * PIECE_WIDTHS * FLOAT_BYTES * images
        sizes = [places >> 2 * level for level in range(len(self.unet))]
        passed = sum(size * (self.layers + 1) * channels for size, channels in zip(sizes, self.unet, strict=True))
        widest = max((size * channels for size, channels in zip(sizes, self.unet, strict=True)), default=0)
        return SCRATCH_BYTES + (passed + UNET_WIDTHS * widest) * FLOAT_BYTES * images

    def _pixels(self, pixels: int, images: int) -> int:
        last, before = (*self.vae, *self.vae[-1:], 0, 0)[:2]
        pieces = [channels * pixels * FLOAT_BYTES * images for channels in (last, before)]
        kept = max((piece for piece in pieces if piece < GIVEN_BACK), default=0)
        return BEFORE_LAST * pieces[1] + LAST * pieces[0] + KEPT * kept


def read(main: Path) -> Pipeline | None:
    """What is known of the pipeline whose `model_index.json` this is; None where no part of it has weights.

    Raises FileMissing, CorruptFile.
    """
    index = json_file.read_object(main)
    names = [name for name, value in index.items() if isinstance(value, list) and (main.parent / name).is_dir()]
    parts = {name: size for name in names if (size := _weights(main.parent / name))}
    if not parts:
        return None
    unet, vae, dit = (_config(main.parent / name) for name in ("unet", "vae", "transformer"))
    decoder = vae.get("decoder_block_out_channels") or vae.get("block_out_channels")
    return Pipeline(
        parts=parts,
        unet=_channels(unet.get("block_out_channels")),
        vae=_channels(decoder),
        layers=_number(unet.get("layers_per_block")) or 2,
        width=_number(dit.get("num_attention_heads")) * _number(dit.get("attention_head_dim")),
        patch=_patch(dit, vae),
    )


def _patch(dit: dict[str, Any], vae: dict[str, Any]) -> int:
    """Places in a piece: told, or seen in the number of channels that a transformer takes in."""
    latent = _number(vae.get("latent_channels")) or _number(vae.get("z_dim"))
    packed = _number(dit.get("in_channels")) // latent if latent else 1
    return max(_number(dit.get("patch_size")) ** 2, packed, 1)


def _weights(folder: Path) -> int:
    """Bytes of the weights in a folder, of the first format that is there, without their copies of 16 bits."""
    for suffix in _SUFFIXES:
        files = [file for file in folder.iterdir() if file.suffix == suffix and file.is_file()]
        whole = [file for file in files if ".fp16." not in file.name] or files
        if whole:
            return sum(file.stat().st_size for file in whole)
    return 0


def _config(folder: Path) -> dict[str, Any]:
    path = folder / "config.json"
    return json_file.read_object(path) if path.is_file() else {}


def _channels(told: Any) -> tuple[int, ...]:
    found = tuple(_number(one) for one in told) if isinstance(told, list) else ()
    return found if prod(found) and len(found) <= 16 else ()


def _number(told: Any) -> int:
    return told if type(told) is int and 0 < told <= _MOST else 0
