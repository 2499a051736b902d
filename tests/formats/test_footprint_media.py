"""The memory of models that listen and draw: against sums made by hand, from files as their makers write them."""

import json
import struct
from pathlib import Path
from typing import Any

import pytest

from abierto.formats import footprint_images, footprint_whisper
from abierto.formats.footprint_images import Pipeline
from abierto.formats.footprint_whisper import BEAMS, PLACES, TOKENS, Whisper

TYPES = {"F32": (0, 4), "I8": (1, 1), "F16": (4, 2)}


def ctranslate2(folder: Path, dtype: str, *, spec: str = "WhisperSpec", width: int = 64, layers: int = 2) -> Path:
    """A folder with a `model.bin`: embeddings and one matrix in each layer of the decoder."""
    code, each = TYPES[dtype]
    shapes = {"decoder/embeddings/weight": (10, width)}
    shapes |= {f"decoder/layer_{layer}/ffn/linear_0/weight": (4 * width, width) for layer in range(layers)}
    body = struct.pack("<IH", 6, len(spec) + 1) + spec.encode() + bytes(1) + struct.pack("<II", 3, len(shapes))
    for name, shape in shapes.items():
        size = shape[0] * shape[1] * each
        body += struct.pack("<H", len(name) + 1) + name.encode() + bytes(1)
        body += struct.pack("<BIIBI", 2, *shape, code, size) + bytes(size)
    folder.mkdir()
    (folder / "model.bin").write_bytes(body + struct.pack("<I", 0))
    return folder


def written(folder: Path, part: str, config: dict[str, Any], *files: tuple[str, int]) -> None:
    """A part of a pipeline: its configuration, and files of so many bytes."""
    (folder / part).mkdir(parents=True)
    (folder / part / "config.json").write_text(json.dumps(config))
    for name, size in files:
        (folder / part / name).write_bytes(bytes(size))


@pytest.mark.parametrize(("dtype", "times"), [("F16", 2.0), ("F32", 1.0), ("I8", 1.06)])
def test_numbers_of_16_bits_become_32_on_a_processor(tmp_path: Path, dtype: str, times: float) -> None:
    found = footprint_whisper.read(ctranslate2(tmp_path / "whisper", dtype))
    assert found is not None
    assert (found.width, found.layers) == (64, 2)
    assert found.size == (10 * 64 + 2 * 4 * 64 * 64) * TYPES[dtype][1]
    assert abs(found.weights - times * found.size) <= 3


def test_what_is_no_whisper_is_not_told(tmp_path: Path) -> None:
    assert footprint_whisper.read(ctranslate2(tmp_path / "translator", "F32", spec="TransformerSpec")) is None
    (tmp_path / "config.json").write_text('{"model_type": "bert", "d_model": 64, "decoder_layers": 2}')
    assert footprint_whisper.read(tmp_path) is None


def test_a_folder_of_transformers(tmp_path: Path) -> None:
    written(tmp_path, "w", {"model_type": "whisper", "d_model": 512, "decoder_layers": 6}, ("model.safetensors", 1000))
    assert footprint_whisper.read(tmp_path / "w") == Whisper(512, 6, 1000, 1000)


def test_beams_share_what_was_heard_and_recordings_do_not() -> None:
    small = Whisper(width=512, layers=6, size=1, weights=1)
    one, three = small.footprint(), small.footprint(3)
    assert one.kv_cache == 2 * 6 * (BEAMS * TOKENS + PLACES) * 512 * 4
    heads = 512 // 64
    assert one.compute + one.kv_cache == (heads * PLACES**2 + 9 * PLACES * 512) * 4
    assert three.kv_cache == 3 * one.kv_cache


def test_where_the_decoder_needs_more_than_the_encoder_nothing_is_added() -> None:
    assert Whisper(width=1280, layers=32, size=1, weights=1).footprint().compute == 0


@pytest.fixture
def pipeline(tmp_path: Path) -> Path:
    """Parts as Stable Diffusion has them, with copies of 16 bits beside, and a scheduler without weights."""
    written(tmp_path, "unet", {"block_out_channels": [320, 640], "layers_per_block": 2}, ("d.safetensors", 4000))
    (tmp_path / "unet" / "d.fp16.safetensors").write_bytes(bytes(2000))
    written(tmp_path, "vae", {"block_out_channels": [64, 128, 256, 256], "latent_channels": 4}, ("d.bin", 300))
    written(tmp_path, "text_encoder", {}, ("m.safetensors", 20))
    (tmp_path / "scheduler").mkdir()
    index = {name: ["diffusers", "X"] for name in ("unet", "vae", "text_encoder", "scheduler", "safety_checker")}
    main = tmp_path / "model_index.json"
    main.write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **index}))
    return main


def test_the_parts_of_a_pipeline_are_told_once(pipeline: Path) -> None:
    found = footprint_images.read(pipeline)
    assert found is not None
    assert found.parts == {"unet": 4000, "vae": 300, "text_encoder": 20}
    assert found.footprint(512, 512).weights == 4320


def test_the_decoder_counts_where_it_needs_more_than_the_unet(pipeline: Path) -> None:
    found = footprint_images.read(pipeline)
    assert found is not None
    places = 64 * 64
    passed = (places * 320 + places // 4 * 640) * 3
    denoising = 100_000_000 + (passed + 28 * places * 320) * 4 * 2
    decoding = (3 * 128 + 2 * 64) * 512 * 512 * 4
    assert found.footprint(512, 512).compute == max(denoising, decoding)
    assert found.footprint(1024, 512, 3).compute == 3 * 2 * decoding


@pytest.mark.parametrize(
    ("channels", "side", "weights", "measured"),
    [
        ((96, 192, 384), 256, 124_567_324, 823),
        ((64, 128), 256, 13_385_884, 617),
        ((64, 128, 256, 256), 512, 83_782_300, 989),
    ],
)
def test_small_pieces_that_the_c_library_does_not_give_back_count(
    channels: tuple[int, ...], side: int, weights: int, measured: int
) -> None:
    """As measured with decoders of random weights (`bench/RESULTS.md`)."""
    found = Pipeline({"vae": weights}, unet=(1,), vae=channels).footprint(side, side)
    assert abs(found.total / 1e6 - measured) < 25


def test_a_transformer_sees_pieces_of_several_places(tmp_path: Path) -> None:
    written(tmp_path, "vae", {"block_out_channels": [8, 8, 8, 8], "latent_channels": 16}, ("v.safetensors", 1))
    sizes = {"num_attention_heads": 24, "attention_head_dim": 64}
    for number, channels in enumerate(({"patch_size": 2, "in_channels": 16}, {"patch_size": 1, "in_channels": 64})):
        part = f"{number}/transformer"
        written(tmp_path, part, sizes | channels, ("t.safetensors", 1))
        (tmp_path / str(number) / "vae").symlink_to(tmp_path / "vae")
        main = tmp_path / str(number) / "model_index.json"
        main.write_text('{"transformer": ["diffusers", "X"], "vae": ["diffusers", "Y"]}')
        found = footprint_images.read(main)
        assert found is not None
        assert (found.width, found.patch) == (1536, 4)
        assert found.footprint(1024, 1024).compute == (64 * 64 + 512) * 1536 * 20 * 4 * 2


@pytest.mark.parametrize("told", ["{}", '{"unet": ["diffusers", "X"]}', '{"unet": 3}'])
def test_a_folder_without_weights_is_not_told(tmp_path: Path, told: str) -> None:
    (tmp_path / "model_index.json").write_text(told)
    assert footprint_images.read(tmp_path / "model_index.json") is None


@pytest.mark.parametrize("channels", [[0], [10**9], "many", [64.5], [True], list(range(1, 99))])
def test_numbers_that_cannot_be_true_leave_the_weights(pipeline: Path, channels: Any) -> None:
    (pipeline.parent / "vae" / "config.json").write_text(json.dumps({"block_out_channels": channels}))
    found = footprint_images.read(pipeline)
    assert found is not None
    assert not found.known
    assert found.footprint(512, 512).compute == 0
