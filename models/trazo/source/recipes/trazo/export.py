# SPDX-License-Identifier: Apache-2.0
"""Puts a checkpoint into the forms that programs load: a Diffusers folder, and ONNX graphs beside it.

The weight files of the Diffusers folders are those of the checkpoint, byte for byte. The graphs hold no weights: they
take the float16 numbers out of copies of the same files, and compute in float32.
"""

import json
import shutil
import warnings
from pathlib import Path
from typing import Any

import onnx
import torch
from onnx import TensorProto, helper
from torch import nn

from abierto.formats import safetensors
from abierto.recipes.trazo import networks
from abierto.recipes.trazo.networks import NOISE, Trio
from abierto.recipes.trazo.settings import Settings

WEIGHTS = {"vae": "diffusion_pytorch_model", "unet": "diffusion_pytorch_model", "text_encoder": "model"}
GRAPHS = "onnx"
_OPSET = 17


def export(settings: Settings, trio: Trio, tokenizer: Any, checkpoint: Path, folder: Path) -> None:
    """Write both forms of a checkpoint, whose weights `trio` holds, into a folder."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of PyTorch and Diffusers, about themselves
        _diffusers(trio, tokenizer, checkpoint, folder)
        _graphs(settings, trio, checkpoint, folder)


def _graphs(settings: Settings, trio: Trio, checkpoint: Path, folder: Path) -> None:
    graphs = folder / GRAPHS
    graphs.mkdir(exist_ok=True)
    for part in networks.PARTS:
        shutil.copyfile(checkpoint / f"{part}.safetensors", graphs / f"{part}.safetensors")
    side, channels = networks.latent_side(settings), settings.networks.latent_channels
    latent = torch.zeros(2, channels, side, side)
    picture = torch.zeros(2, 3, settings.data.size, settings.data.size)
    tokens = torch.zeros(2, settings.words.tokens, dtype=torch.int64)
    words = torch.zeros(2, settings.words.tokens, settings.networks.text_width)
    square = {0: "batch", 2: "height", 3: "width"}
    text = {0: "batch", 1: "tokens"}
    _graph(
        graphs, "text_encoder", "text_encoder", _Text(trio), {"input_ids": (tokens, text)}, ("last_hidden_state", text)
    )
    given = {"sample": (latent, square), "timestep": (torch.zeros(1, dtype=torch.int64), {}),
             "encoder_hidden_states": (words, text)}  # fmt: skip
    _graph(graphs, "unet", "unet", _Denoise(trio), given, ("out_sample", square))
    _graph(graphs, "vae", "vae_decoder", _Decode(trio), {"latent_sample": (latent, square)}, ("sample", square))
    _graph(graphs, "vae", "vae_encoder", _Encode(trio), {"sample": (picture, square)}, ("latent_sample", square))


class _Text(nn.Module):
    def __init__(self, trio: Trio) -> None:
        super().__init__()
        self.net = trio.text_encoder

    def forward(self, input_ids: Any) -> Any:
        return self.net(input_ids).last_hidden_state


class _Denoise(nn.Module):
    def __init__(self, trio: Trio) -> None:
        super().__init__()
        self.net = trio.unet

    def forward(self, sample: Any, timestep: Any, encoder_hidden_states: Any) -> Any:
        return self.net(sample, timestep.expand(sample.shape[0]), encoder_hidden_states).sample


class _Decode(nn.Module):
    def __init__(self, trio: Trio) -> None:
        super().__init__()
        self.net = trio.vae

    def forward(self, latent_sample: Any) -> Any:
        return self.net.decode(latent_sample).sample


class _Encode(nn.Module):
    def __init__(self, trio: Trio) -> None:
        super().__init__()
        self.net = trio.vae

    def forward(self, sample: Any) -> Any:
        return self.net.encode(sample).latents


def _diffusers(trio: Trio, tokenizer: Any, checkpoint: Path, folder: Path) -> None:
    from diffusers import DDIMScheduler, StableDiffusionPipeline
    from diffusers.utils import logging

    logging.set_verbosity_error()
    trio.vae.register_to_config(scaling_factor=trio.scale)
    trio.text_encoder.config.dtype = torch.float32
    pipeline = StableDiffusionPipeline(
        trio.vae,
        trio.text_encoder,
        tokenizer,
        trio.unet,
        DDIMScheduler(**NOISE),
        None,
        None,
        requires_safety_checker=False,
    )
    pipeline.save_pretrained(folder)
    for part in networks.PARTS:
        shutil.copyfile(checkpoint / f"{part}.safetensors", folder / part / f"{WEIGHTS[part]}.safetensors")
        (folder / part / f"{WEIGHTS[part]}.safetensors").chmod(0o644)
    index = folder / "model_index.json"
    body = json.loads(index.read_text("utf-8"))
    # Versions before 5 of transformers know the tokenizer by this name only.
    body["tokenizer"] = ["transformers", "CLIPTokenizer"]
    index.write_text(json.dumps(body, indent=2) + "\n", "utf-8")


def _graph(
    folder: Path, part: str, name: str, module: nn.Module, given: dict[str, tuple[Any, dict[int, str]]],
    result: tuple[str, dict[int, str]],
) -> None:  # fmt: skip
    """Write one graph, whose weights are read from the file of a part."""
    target = folder / f"{name}.onnx"
    axes = {name: names for name, (_, names) in given.items()} | {result[0]: result[1]}
    torch.onnx.export(
        module.eval(), tuple(value for value, _ in given.values()), str(target), input_names=list(given),
        output_names=[result[0]], dynamic_axes=axes, opset_version=_OPSET, do_constant_folding=False, dynamo=False,
    )  # fmt: skip
    graph = onnx.load(str(target))
    _share(graph.graph, folder / f"{part}.safetensors")
    graph.producer_version, graph.doc_string = "", ""
    target.write_bytes(graph.SerializeToString(deterministic=True))


def _share(graph: Any, weights: Path) -> None:
    """Let a graph take its weights from a file: each as it lies there, and cast."""
    known = safetensors.read_header(weights)
    kept, casts = [], []
    for value in graph.initializer:
        found = known.get(value.name.removeprefix("net."))
        if found is None:
            kept.append(value)
            continue
        outside = TensorProto(name=f"{value.name}.half", data_type=TensorProto.FLOAT16, dims=value.dims)
        outside.data_location = TensorProto.EXTERNAL
        place = {"location": weights.name, "offset": str(found.offset), "length": str(found.size)}
        for key, fact in place.items():
            outside.external_data.add(key=key, value=fact)
        kept.append(outside)
        casts.append(helper.make_node("Cast", [outside.name], [value.name], to=TensorProto.FLOAT))
    nodes = list(graph.node)
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend([*casts, *nodes])
