"""The memory that Whisper, and what has its shape, takes with CTranslate2 on a processor, from its files alone.

It hears windows of 30 seconds, 1,500 places after the convolutions (Radford et al. 2022,
https://arxiv.org/abs/2212.04356). The decoder keeps keys and values of what it writes for each beam, and those of what
was heard once for all beams (`TransformerDecoder::replicate_state`, https://github.com/OpenNMT/CTranslate2). Numbers of
16 bits become 32, because processors do not compute with them there; those of 8 bits stay.

The constants under `MEASURED` come from the most that a process held with CTranslate2 4.8 on Linux, two threads: beside
the weights, at width 512 (8 heads) 136 MB with numbers of 8, 16 and 32 bits, at width 1280 (20 heads) 285 MB. Of ggml
files and of PyTorch nothing was measured.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from abierto.formats import ctranslate2_file, json_file
from abierto.formats.contents import Tensor
from abierto.formats.footprint import FLOAT_BYTES, Footprint

PLACES = 1500
TOKENS = 448  # the most that the decoder writes and is told before
BEAMS = 5  # as faster-whisper searches, if nobody says otherwise
HEAD = 64  # numbers of a head, in all of them
SPEC = "WhisperSpec"

# MEASURED
ENGINE_BYTES = 87_000_000  # Python, CTranslate2, and what its threads compute in
SCALED = 1.06  # of numbers of 8 bits, with what makes up for their sign
WIDTHS = 9  # vectors of a place side by side in the widest layer


@dataclass(frozen=True, slots=True)
class Whisper:
    """width: numbers of a place. layers: of the decoder. size: bytes of the files. weights: bytes in memory."""

    width: int
    layers: int
    size: int
    weights: int

    def footprint(self, recordings: int = 1) -> Footprint:
        """With so many recordings at once. What the encoder needs is given back before the decoder begins, so that
        only what it needs beyond the decoder's is told beside that."""
        written = BEAMS * TOKENS * self.width
        kept = 2 * self.layers * (written + PLACES * self.width) * FLOAT_BYTES * recordings
        scores = self.width // HEAD * PLACES**2
        heard = (scores + WIDTHS * PLACES * self.width) * FLOAT_BYTES * recordings
        return Footprint(self.weights, kept, max(heard - kept, 0), ENGINE_BYTES)


def read(folder: Path) -> Whisper | None:
    """What a folder of CTranslate2 or of Transformers says; None for one of something else.

    Raises FileMissing, CorruptFile.
    """
    if (folder / "model.bin").is_file():
        contents = ctranslate2_file.read(folder / "model.bin")
        return _of_tensors(contents.tensors) if contents.facts.architecture == SPEC else None
    config = json_file.read_object(folder / "config.json") if (folder / "config.json").is_file() else {}
    width, layers = config.get("d_model"), config.get("decoder_layers")
    if config.get("model_type") != "whisper" or type(width) is not int or type(layers) is not int:
        return None
    size = sum(file.stat().st_size for file in folder.glob("*.safetensors"))
    return Whisper(width, layers, size, size) if size and width > 0 and layers > 0 else None


def _of_tensors(tensors: Iterable[Tensor]) -> Whisper | None:
    size = weights = width = 0
    layers = set()
    for tensor in tensors:
        size += tensor.size
        weights += _computed(tensor)
        if tensor.name == "decoder/embeddings/weight" and tensor.shape:
            width = tensor.shape[-1]
        if tensor.name.startswith("decoder/layer_"):
            layers.add(tensor.name.split("/")[1])
    return Whisper(width, len(layers), size, weights) if width and layers else None


def _computed(tensor: Tensor) -> int:
    if tensor.dtype in ("F16", "BF16"):
        return 2 * tensor.size
    return round(SCALED * tensor.size) if tensor.dtype == "I8" else tensor.size
