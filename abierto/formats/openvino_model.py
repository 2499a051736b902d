"""Reads what the folder of an OpenVINO model says about itself, and estimates the memory that the model takes.

    openvino_model.xml, .bin             the network and its weights; of a model that sees, its part for language is
    openvino_language_model.xml, .bin    called so, and others lie beside it
    openvino_tokenizer.xml, .bin         text to tokens, and openvino_detokenizer back again
    config.json                          the sizes of the layers, as Transformers writes them; may be missing

The constants under `MEASURED` come from the resident memory of openvino-genai 2026.4 on Linux, with models of 0.1 and
1.1 billion parameters in 4 bits. It reads no network and no weights, and knows no engine.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing, NotAModel
from abierto.formats.detect import detect
from abierto.formats.faults import corrupt
from abierto.formats.footprint import Footprint

MAIN = ("openvino_model.xml", "openvino_language_model.xml")
CELLS = 256  # the largest context is told in multiples of this many tokens
MAX_CONFIG = 10_000_000  # bytes
# What the sizes in a config.json may be.
_LIMITS = {"num_hidden_layers": 10_000, "num_key_value_heads": 10_000, "num_attention_heads": 10_000}
_LIMITS |= {"head_dim": 100_000, "hidden_size": 1_000_000, "max_position_embeddings": 1_000_000_000}

# MEASURED
WEIGHTS_FACTOR = 2.3  # the weights are mapped from the file, and copied into the layout that suits the processor
ENGINE_BYTES = 200_000_000
SCALE_BYTES = 8  # of each key and each value of a head, which are kept in 8 bits


@dataclass(frozen=True, slots=True)
class OpenVINOModel:
    """context_length: tokens it was trained to take in at once, None where it does not say. weights_size: bytes.

    token_size: bytes that a token takes in the cache of keys and values, 0 where that is not known.
    """

    context_length: int | None
    weights_size: int
    token_size: int

    def footprint(self, context: int, max_concurrent: int = 1) -> Footprint:
        """What it takes with `context` tokens for each of `max_concurrent` conversations. What lies between the layers
        is counted with the engine."""
        weights = int(self.weights_size * WEIGHTS_FACTOR)
        return Footprint(weights, self.token_size * context * max_concurrent, 0, ENGINE_BYTES)

    def largest_context(self, available: int, max_concurrent: int = 1) -> int:
        """The most tokens for each conversation with which it fits into `available` bytes; 0 when it fits with none."""
        left = available - self.footprint(0).total
        if left < 0 or not self.context_length:
            return 0
        fitting = left // (self.token_size * max_concurrent) if self.token_size else self.context_length
        return min(fitting, self.context_length) // CELLS * CELLS


def main_file(folder: Path) -> Path | None:
    """The file of a folder that stands for the model, or None for a folder of something else."""
    return next((folder / name for name in MAIN if (folder / name).is_file()), None)


def read(path: str | Path) -> OpenVINOModel:
    """What is known of the model whose main file this is.

    Raises FileMissing, NotAModel when it is no network of OpenVINO, CorruptFile when its weights are missing.
    """
    path = Path(path)
    found = detect(path)
    if found != "openvino":
        raise NotAModel(str(path), found)
    weights = path.with_suffix(".bin")
    if not weights.is_file():
        raise corrupt(str(path), "no_weights", file=weights.name)
    config = _config(path.parent)
    try:
        size = sum(part.stat().st_size for part in path.parent.glob("*.bin"))
    except OSError as error:
        raise FileMissing(str(path.parent)) from error
    return OpenVINOModel(config.get("max_position_embeddings"), size, _token_size(config))


def _config(folder: Path) -> dict[str, int]:
    """The numbers of a config.json that can be true; those of its part for text, where it has one."""
    try:
        with (folder / "config.json").open("rb") as file:
            body = json.loads(file.read(MAX_CONFIG))
    except (OSError, ValueError, RecursionError):
        return {}
    found: dict[str, int] = {}
    for part in _parts(body):
        found |= {name: part[name] for name, high in _LIMITS.items() if _is_number(part.get(name), high)}
    return found


def _parts(body: Any) -> Iterator[dict[str, Any]]:
    if isinstance(body, dict):
        yield body
        if isinstance(text := body.get("text_config"), dict):
            yield text


def _is_number(value: Any, high: int) -> bool:
    return type(value) is int and 0 < value <= high


def _token_size(config: dict[str, int]) -> int:
    heads = config.get("num_attention_heads", 0)
    width = config.get("head_dim") or (config.get("hidden_size", 0) // heads if heads else 0)
    if not width:
        return 0
    return 2 * config.get("num_hidden_layers", 0) * config.get("num_key_value_heads", heads) * (width + SCALE_BYTES)
