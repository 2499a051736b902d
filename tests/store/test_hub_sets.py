"""Which files of a repository without GGUF files are one model."""

import pytest

from abierto.errors import AmbiguousFile, FileNotInRepository
from tests.store.test_hub_choice import chosen

OPENVINO = ["openvino_model.xml", "openvino_model.bin"]
WORDS = ["openvino_tokenizer.xml", "openvino_tokenizer.bin", "openvino_detokenizer.xml", "openvino_detokenizer.bin"]
SEES = [f"openvino_{part}_model.{end}" for part in ("language", "text_embeddings", "vision_embeddings") for end in
        ("xml", "bin")]  # fmt: skip
TEXTS = ["LICENSE", "config.json", "generation_config.json", "merges.txt", "chat_template.jinja"]
NEVER = [
    ".gitattributes",
    "README.md",
    "modeling.py",
    "pytorch_model.bin",
    "model.pt",
    "flax_model.msgpack",
    "m.pickle",
]
WHISPER = ["model.safetensors", "model.fp32-00001-of-00002.safetensors", "model.fp32-00002-of-00002.safetensors"]
PARTS = ["model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"]
UNET = ["unet/diffusion_pytorch_model.safetensors", "unet/diffusion_pytorch_model.fp16.safetensors"]
PIPELINE = ["model_index.json", *UNET, "unet/config.json", "vae/diffusion_pytorch_model.bin", "vae/config.json"]
PIPELINE += ["vae/model.fp16.safetensors", "tokenizer/vocab.json", "sd_1.0.safetensors", "unet/deep/deeper.json"]
BOTH = [*OPENVINO, "config.json", "int8/openvino_model.xml", "int8/openvino_model.bin", "int8/config.json"]
DESCRIBED = ["model_index.json", "unet/config.json", "vae/config.json", "tokenizer/vocab.json"]
NETWORKS = ["onnx/en_q4.onnx", "onnx/en_q4.onnx_data", "onnx/de_q4.onnx"]
VOICES = ["es/ana.onnx", "es/ana.onnx.json", "es/eva.onnx", "es/eva.onnx.json", "config.json"]


@pytest.mark.parametrize(
    ("pattern", "paths", "expected"),
    [
        ("", [*OPENVINO, *WORDS, *TEXTS, *NEVER], [*OPENVINO, *WORDS, *TEXTS]),
        ("", [*SEES, *WORDS, *TEXTS], [*SEES, *WORDS, *TEXTS]),
        ("", BOTH, BOTH[:3]),
        ("int8", BOTH, BOTH[3:]),
        ("INT8", BOTH, BOTH[3:]),
        ("int8/openvino_model.xml", BOTH, BOTH[3:]),
        ("", BOTH[3:], BOTH[3:]),
        ("", [*WHISPER, *TEXTS, *NEVER], [WHISPER[0], *TEXTS]),
        ("*fp32*", [*WHISPER, *TEXTS], [*WHISPER[1:], *TEXTS]),
        ("", [*PARTS, "consolidated.safetensors", "config.json"], [*PARTS, "config.json"]),
        ("", ["consolidated.safetensors", "params.json"], ["consolidated.safetensors", "params.json"]),
        ("", [*PARTS, "x/a.safetensors", *BOTH[3:], "params.json"], [*PARTS, "params.json"]),
        ("", PIPELINE, [UNET[0], "vae/model.fp16.safetensors", *DESCRIBED]),
        ("*fp16*", PIPELINE, [UNET[1], "vae/model.fp16.safetensors", *DESCRIBED]),
        ("sd_1.0.safetensors", PIPELINE, ["sd_1.0.safetensors", *DESCRIBED]),
        ("", ["model_index.json", "unet/openvino_model.xml", "unet/openvino_model.bin", "unet/config.json"],
             ["unet/openvino_model.xml", "unet/openvino_model.bin", "model_index.json", "unet/config.json"]),
        ("", ["model.safetensors", "config.json", "modules.json", "1_Pooling/config.json", "onnx/model.onnx"],
             ["model.safetensors", "config.json", "modules.json", "1_Pooling/config.json"]),
        ("ana.onnx", VOICES, ["es/ana.onnx", "es/ana.onnx.json", "config.json"]),
        ("es/ana.onnx", VOICES[:2], ["es/ana.onnx", "es/ana.onnx.json"]),
        ("onnx/*_q4.onnx", [*NETWORKS, "onnx/de.onnx", "config.json"], [*NETWORKS, "config.json"]),
        ("", [*OPENVINO, "a.gguf"], ["a.gguf"]),
        ("*.xml", [*OPENVINO, "a.gguf"], OPENVINO),
    ],
)  # fmt: skip
def test_what_belongs_together(pattern: str, paths: list[str], expected: list[str]) -> None:
    found = chosen(pattern, paths)
    assert sorted(found) == sorted(expected)
    assert found[0] == expected[0]


@pytest.mark.parametrize(
    ("paths", "choices"),
    [
        (["a.safetensors", "bb.safetensors"], ["a.safetensors", "bb.safetensors"]),
        (VOICES[:4], ["es/ana.onnx", "es/eva.onnx"]),
        ([f"{folder}/{name}" for folder in ("int4", "int8") for name in OPENVINO], ["int4", "int8"]),
    ],
)
def test_several_models_are_listed(paths: list[str], choices: list[str]) -> None:
    with pytest.raises(AmbiguousFile) as raised:
        chosen("", paths)
    assert list(raised.value.choices) == choices
    for choice in choices:
        assert chosen(choice, paths)


@pytest.mark.parametrize(
    ("pattern", "paths", "missing"),
    [
        ("", NEVER, "*.gguf"),
        ("*.bin", [*OPENVINO, *NEVER], "*.bin"),
        ("", ["config.json"], "*.gguf"),
        ("", ["openvino_model.xml"], "openvino_model.bin"),
        ("", [*OPENVINO, "openvino_tokenizer.xml"], "openvino_tokenizer.bin"),
        ("", [PARTS[1], "config.json"], PARTS[0]),
        ("openvino_tokenizer.xml", [*OPENVINO, *WORDS], "openvino_tokenizer.xml"),
    ],
)
def test_what_is_missing_is_named(pattern: str, paths: list[str], missing: str) -> None:
    with pytest.raises(FileNotInRepository) as raised:
        chosen(pattern, paths)
    assert raised.value.path == missing
