"""Tiny folders of Diffusers with their networks for ONNX Runtime, written byte by byte: they draw in milliseconds.

The denoiser sees a prompt as the mean of its tokens' vectors; the decoder makes of each place a square of one colour.
"""

import json
import random
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.tiny_protobuf import Value, message, onnx

FLOAT, INT64, FLOAT16 = 1, 7, 10  # TensorProto.DataType
_INT, _INTS, _TEXT = 2, 7, 3  # AttributeProto.AttributeType
WORDS = ("<s>", "</s>", "?", "a", "red", "blue", "apple", "boat", "cat", "word", ",", "manzana", "roja")
CHANNELS, WIDTH, TOKENS, SCALE = 4, 6, 12, 4
DPM = {
    "_class_name": "DPMSolverMultistepScheduler",
    "prediction_type": "v_prediction",
    "timestep_spacing": "trailing",
    "rescale_betas_zero_snr": True,
    "beta_schedule": "scaled_linear",
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "num_train_timesteps": 1000,
}


@dataclass(frozen=True)
class TinyDiffusers:
    """side: places of a latent image. half: with weights and images of 16 bits. one_time: the denoiser takes one time
    for all images. fixed: it takes images of one size."""

    side: int = 8
    half: bool = False
    one_time: bool = False
    fixed: bool = False
    scheduler: dict[str, Any] = field(default_factory=lambda: DPM)

    def write(self, folder: Path) -> Path:
        """The folder's main file."""
        for name, body in self._configurations().items():
            place = folder / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(json.dumps(body), "utf-8")
        (folder / "onnx").mkdir(exist_ok=True)
        for name, model in (
            ("text_encoder", self._text()),
            ("unet", self._denoiser()),
            ("vae_decoder", self._decoder()),
        ):
            (folder / "onnx" / f"{name}.onnx").write_bytes(model)
        return folder / "model_index.json"

    def _configurations(self) -> dict[str, Any]:
        blocks = [8, 8, 8]
        return {
            "model_index.json": {
                "_class_name": "StableDiffusionPipeline",
                "unet": ["diffusers", "UNet2DConditionModel"],
            },
            "tokenizer/tokenizer.json": _tokenizer(),
            "tokenizer/tokenizer_config.json": {"model_max_length": TOKENS, "pad_token": "</s>"},
            "scheduler/scheduler_config.json": self.scheduler,
            "unet/config.json": {"in_channels": CHANNELS, "sample_size": self.side, "block_out_channels": [8, 8]},
            "vae/config.json": {"block_out_channels": blocks, "scaling_factor": 0.5},
            "text_encoder/config.json": {"max_position_embeddings": TOKENS},
        }

    @property
    def _type(self) -> int:
        return FLOAT16 if self.half else FLOAT

    def _tensor(self, name: str, dims: Sequence[int], values: Sequence[float]) -> bytes:
        packed = struct.pack(f"<{len(values)}{'e' if self.half else 'f'}", *values)
        return _raw(name, self._type, dims, packed)

    def _random(self, name: str, *dims: int) -> bytes:
        count, source = 1, random.Random(name)
        for dim in dims:
            count *= dim
        return self._tensor(name, dims, [source.gauss(0, 0.7) for _ in range(count)])

    def _text(self) -> bytes:
        graph = [
            (1, _node("Gather", ["vectors", "input_ids"], "last_hidden_state")),
            (5, self._random("vectors", len(WORDS), WIDTH)),
            (11, _value("input_ids", INT64, ["batch", "tokens"])),
            (12, _value("last_hidden_state", self._type, ["batch", "tokens", WIDTH])),
        ]
        return onnx(graph)

    def _denoiser(self) -> bytes:
        """tanh(sample + mean of what is seen, as channels, + time / 1024)."""
        places: list[int | str] = [self.side, self.side] if self.fixed else ["height", "width"]
        image = ["batch", CHANNELS, *places]
        graph = [
            (1, _node("ReduceMean", ["encoder_hidden_states"], "mean", axes=[1], keepdims=0)),
            (1, _node("MatMul", ["mean", "matrix"], "channels")),
            (1, _node("Reshape", ["channels", "as_image"], "shift")),
            (1, _node("Cast", ["timestep"], "time", to=self._type)),
            (1, _node("Mul", ["time", "part"], "share")),
            (1, _node("Reshape", ["share", "as_time"], "shares")),
            (1, _node("Add", ["sample", "shift"], "shifted")),
            (1, _node("Add", ["shifted", "shares"], "whole")),
            (1, _node("Tanh", ["whole"], "out_sample")),
            (5, self._random("matrix", WIDTH, CHANNELS)),
            (5, self._tensor("part", [1], [1 / 1024])),
            (5, _raw("as_image", INT64, [4], struct.pack("<4q", -1, CHANNELS, 1, 1))),
            (5, _raw("as_time", INT64, [4], struct.pack("<4q", -1, 1, 1, 1))),
            (11, _value("sample", self._type, image)),
            (11, _value("timestep", INT64, [] if self.one_time else ["batch"])),
            (11, _value("encoder_hidden_states", self._type, ["batch", "tokens", WIDTH])),
            (12, _value("out_sample", self._type, image)),
        ]
        return onnx(graph)

    def _decoder(self) -> bytes:
        graph = [
            (1, _node("Conv", ["latent_sample", "colours"], "small", kernel_shape=[1, 1])),
            (1, _node("Resize", ["small", "", "scales"], "sample", mode="nearest")),
            (5, self._random("colours", 3, CHANNELS, 1, 1)),
            (5, _raw("scales", FLOAT, [4], struct.pack("<4f", 1, 1, SCALE, SCALE))),
            (11, _value("latent_sample", self._type, ["batch", CHANNELS, "height", "width"])),
            (12, _value("sample", self._type, ["batch", 3, "more", "wider"])),
        ]
        return onnx(graph)


def _tokenizer() -> dict[str, Any]:
    special = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    marks = {mark: {"id": mark, "ids": [WORDS.index(mark)], "tokens": [mark]} for mark in WORDS[:2]}
    frame = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}]
    frame += [{"SpecialToken": {"id": "</s>", "type_id": 0}}]
    return {
        "version": "1.0",
        "truncation": {"max_length": 5, "strategy": "LongestFirst", "stride": 0, "direction": "Right"},
        "padding": None,
        "added_tokens": [{"id": WORDS.index(mark), "content": mark, **special} for mark in WORDS[:2]],
        "normalizer": {"type": "Lowercase"},
        "pre_tokenizer": {"type": "Whitespace"},
        "post_processor": {"type": "TemplateProcessing", "single": frame, "pair": frame, "special_tokens": marks},
        "decoder": None,
        "model": {
            "type": "WordLevel",
            "vocab": {word: number for number, word in enumerate(WORDS)},
            "unk_token": "?",
        },
    }


def _raw(name: str, kind: int, dims: Sequence[int], packed: bytes) -> bytes:
    return message(*((1, dim) for dim in dims), (2, kind), (8, name), (9, packed))


def _node(operator: str, inputs: Sequence[str], output: str, **attributes: int | str | list[int]) -> bytes:
    parts: list[tuple[int, Value]] = [*((1, name) for name in inputs), (2, output), (4, operator)]
    return message(*parts, *((5, _attribute(name, value)) for name, value in attributes.items()))


def _attribute(name: str, value: int | str | list[int]) -> bytes:
    match value:
        case int():
            return message((1, name), (3, value), (20, _INT))
        case str():
            return message((1, name), (4, value), (20, _TEXT))
        case _:
            return message((1, name), *((8, one) for one in value), (20, _INTS))


def _value(name: str, kind: int, dims: Sequence[int | str]) -> bytes:
    shape = message(*((1, message((1 if isinstance(dim, int) else 2, dim))) for dim in dims))
    return message((1, name), (2, message((1, message((1, kind), (2, shape))))))
