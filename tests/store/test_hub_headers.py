"""Models of a hub of which only the headers are fetched."""

import json
import zipfile
from io import BytesIO
from math import prod
from pathlib import Path
from typing import Any

import h5py
import joblib
import numpy
import pytest

from abierto.errors import SourceUnreachable
from abierto.formats.inspection import Report, inspect_headers
from abierto.store import hub_headers
from abierto.store.sources import HubSource
from tests import tiny_torch
from tests.formats.test_inspection import CARD, codes
from tests.store.stand_in_hub import StandInHub
from tests.store.stand_in_index import Manner
from tests.tiny_gguf import TinyGGUF
from tests.tiny_protobuf import message, onnx

SOURCE = HubSource("maker/Large")
WIDE, INNER, LAYERS, SHARDS = 8192, 28_672, 80, 30


def large() -> tuple[dict[str, bytes], dict[str, int]]:
    """The headers of 70,553,706,496 parameters in 30 files, and how large those would be."""
    shapes: dict[str, tuple[int, ...]] = {"model.embed_tokens.weight": (128_256, WIDE)}
    for layer in range(LAYERS):
        parts = {"q_proj": (WIDE, WIDE), "k_proj": (1024, WIDE), "v_proj": (1024, WIDE), "o_proj": (WIDE, WIDE)}
        inner = {"gate_proj": (INNER, WIDE), "up_proj": (INNER, WIDE), "down_proj": (WIDE, INNER)}
        shapes |= {f"model.layers.{layer}.self_attn.{name}.weight": shape for name, shape in parts.items()}
        shapes |= {f"model.layers.{layer}.mlp.{name}.weight": shape for name, shape in inner.items()}
        norms = ("input_layernorm", "post_attention_layernorm")
        shapes |= {f"model.layers.{layer}.{name}.weight": (WIDE,) for name in norms}
    shapes |= {"model.norm.weight": (WIDE,), "lm_head.weight": (128_256, WIDE)}
    files, sizes, index = {}, {}, {}
    names = list(shapes)
    for shard in range(SHARDS):
        file = f"model-{shard + 1:05}-of-{SHARDS:05}.safetensors"
        header: dict[str, Any] = {}
        at = 0
        for name in names[shard * len(names) // SHARDS : (shard + 1) * len(names) // SHARDS]:
            end = at + 2 * prod(shapes[name])
            header[name] = {"dtype": "BF16", "shape": shapes[name], "data_offsets": [at, end]}
            index[name], at = file, end
        body = json.dumps(header).encode()
        files[file] = len(body).to_bytes(8, "little") + body
        sizes[file] = len(files[file]) + at
    files["model.safetensors.index.json"] = json.dumps({"weight_map": index}).encode()
    return files, sizes


def fetched(tmp_path: Path, source: HubSource = SOURCE) -> tuple[Report, hub_headers.Fetched]:
    found = hub_headers.fetch(source, tmp_path / "headers")
    others = {file.path: file.size for file in found.left_out}
    return inspect_headers(found.folder, str(source), found.hashes, others), found


def test_the_headers_of_70_billion_parameters_are_few_bytes(hub: StandInHub, tmp_path: Path) -> None:
    files, sizes = large()
    more = {"README.md": CARD.encode(), "config.json": b'{"architectures": ["LlamaForCausalLM"]}'}
    hub.add("maker/Large", {**files, **more}, sizes=sizes, git=frozenset(more))
    report, found = fetched(tmp_path)
    assert (report.parameters, len(report.parts[0].files)) == (70_553_706_496, SHARDS)
    assert report.size == 2 * report.parameters
    assert report.facts.architecture == "LlamaForCausalLM"
    assert report.facts.lineage == ("maker/first",)
    (inner,) = [top for top in report.parts[0].tree if top.name == "model"]
    assert "layers.0-79" in {child.name for child in inner.children}
    assert not report.findings
    assert all(file.sha256 for file in report.files if file.name.endswith(".safetensors"))
    assert hub.sent < 20_000_000
    assert found.bytes < 1_000_000


def test_other_formats_are_read_by_parts(hub: StandInHub, tmp_path: Path) -> None:
    weights = tiny_torch.archive(tiny_torch.state({"w": tiny_torch.tensor("0", [1_000_000])}), {"0": bytes(4_000_000)})
    tensor = message((1, 3_000_000), (2, 1), (8, "big"), (9, bytes(12_000_000)))
    gguf = TinyGGUF().build()
    files = {
        "pytorch_model.bin": weights,
        "model.onnx": onnx([(5, tensor)]),
        "model.gguf": gguf,
        "run.py": b"import os",
    }
    hub.add("maker/Large", files, sizes={"model.gguf": len(gguf) + 10**9})
    report, found = fetched(tmp_path)
    assert {part.name: part.parameters for part in report.parts if part.format != "gguf"} == {
        "pytorch_model.bin": 1_000_000,
        "model.onnx": 3_000_000,
    }
    assert next(part for part in report.parts if part.format == "gguf").tensors
    assert ("run.py", "code_file") in codes(report, "executes")
    assert found.bytes < 3_000_000


def keras(layers: int, notes: int = 0) -> tuple[bytes, bytes]:
    """A network as a `.keras` archive, and its variables as a file of their own."""
    weights, made = BytesIO(), BytesIO()
    with h5py.File(weights, "w") as file:
        for layer in range(layers):
            file.create_dataset(f"layers/dense_{layer}/vars/0", data=numpy.ones((300, 300), "float32"))
        file.attrs["notes"] = "x" * notes
    with zipfile.ZipFile(made, "w") as archive:
        archive.writestr("config.json", json.dumps({"class_name": "Sequential", "layers": [{"class_name": "Lambda"}]}))
        archive.writestr("metadata.json", "{}")
        archive.writestr("model.weights.h5", weights.getvalue())
    return made.getvalue(), weights.getvalue()


def test_networks_of_keras_are_read_by_parts(hub: StandInHub, tmp_path: Path) -> None:
    whole, weights = keras(6)
    hub.add("maker/Large", {"m.keras": whole, "m.weights.h5": weights})
    report, found = fetched(tmp_path)
    assert [(part.name, part.parameters) for part in report.parts] == [("m.keras", 540_000), ("m.weights.h5", 540_000)]
    assert codes(report) == {("m.keras", "lambda_layer")}
    assert found.bytes < (len(whole) + len(weights)) // 2


def test_arrays_of_numpy_are_read_by_parts(hub: StandInHub, tmp_path: Path) -> None:
    archive, alone, packed = BytesIO(), BytesIO(), BytesIO()
    numpy.savez(archive, first=numpy.ones(500_000, "float32"), second=numpy.ones((3, 2), "int8"))
    numpy.save(alone, numpy.ones((1000, 500), "float32"))
    joblib.dump({"w": numpy.ones(7)}, packed, compress=("gzip", 3))
    files = {"a.npz": archive.getvalue(), "b.npy": alone.getvalue(), "c.joblib": packed.getvalue()}
    hub.add("maker/Large", files)
    report, found = fetched(tmp_path)
    assert {part.name: part.parameters for part in report.parts} == {"a.npz": 500_006, "b.npy": 500_000, "c.joblib": 7}
    assert not codes(report, "fault")
    assert found.bytes < 200_000


def test_variables_of_which_too_much_would_be_read_do_not_hide_the_layers(hub: StandInHub, tmp_path: Path) -> None:
    hub.add("maker/Large", {"m.keras": keras(1, notes=12_000_000)[0]})
    report, _ = fetched(tmp_path)
    assert codes(report) == {("m.keras", "lambda_layer"), ("m.keras", "not_fetched")}


def test_what_is_too_much_is_left_out_and_told(hub: StandInHub, tmp_path: Path) -> None:
    files = {
        "model.safetensors": (50_000_000).to_bytes(8, "little") + b"{",
        "config.json": b"{" + b" " * 100,
        "huge.gguf": TinyGGUF().build()[:100],
    }
    sizes = {"model.safetensors": 10**12, "config.json": 10**9, "huge.gguf": 10**18 * 9}
    hub.add("maker/Large", files, sizes=sizes)
    report, found = fetched(tmp_path)
    assert {("model.safetensors", "not_fetched"), ("config.json", "not_fetched")} <= codes(report)
    assert {file.name for file in report.files} == set(files)
    assert found.bytes < 12_000_000


@pytest.mark.parametrize("manner", [Manner(ranges=False), Manner(drop_after=3), Manner(status=404)], ids=str)
def test_a_server_that_misbehaves_is_told(hub: StandInHub, tmp_path: Path, manner: Manner) -> None:
    files, sizes = large()
    name = f"model-00001-of-{SHARDS:05}.safetensors"
    hub.add("maker/Large", {name: files[name]}, sizes={name: sizes[name]}, sending=[manner])
    report, found = fetched(tmp_path)
    assert codes(report) == {(name, "not_fetched")}
    assert found.bytes < 1_000_000


def test_a_server_that_knows_no_parts_sends_the_beginning(hub: StandInHub, tmp_path: Path) -> None:
    hub.add("maker/Large", {"m.gguf": TinyGGUF().build()}, sending=[Manner(ranges=False)])
    assert fetched(tmp_path)[0].parameters


def test_a_hub_that_is_silent(hub: StandInHub, tmp_path: Path) -> None:
    hub.add("maker/Large", {"a.gguf": b""}, manners=[Manner(status=503)])
    with pytest.raises(SourceUnreachable):
        hub_headers.fetch(SOURCE, tmp_path)
