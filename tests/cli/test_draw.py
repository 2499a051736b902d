"""`abierto draw`: where the files go, what is in them, and everything that can be wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from abierto.formats import png
from abierto.formats.images import ImageInfo, examine
from tests.cli.conftest import Abierto
from tests.shipped import DRAWS


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder."""
    place = tmp_path / "here"
    place.mkdir()
    monkeypatch.chdir(place)
    return place


def test_the_file_is_named_after_the_prompt_and_never_written_over(abierto: Abierto, folder: Path) -> None:
    for name in ("una-piñata-y-3-gatos-1.png", "una-piñata-y-3-gatos-1-2.png"):
        done = abierto("draw", "-m", "echo", "Una piñata, y 3 gatos", "--seed", "1")
        assert (done.status, done.out) == (0, f"{name}\n")
        assert examine((folder / name).read_bytes(), name) == ImageInfo("png", 128, 128)
        assert "4 of 4" in done.err


def test_the_file_tells_how_it_was_made(abierto: Abierto, folder: Path) -> None:
    options = ["--negative", "a, b", "--steps", "3", "--guidance", "2.5", "--size", "96x64", "--seed", "5"]
    assert abierto("draw", "-m", "echo", "a cat", *options, "-o", "cat.png").out == "cat.png\n"
    told = png.texts((folder / "cat.png").read_bytes())
    lines = told["parameters"].split("\n")
    assert lines[:2] == ["a cat", "Negative prompt: a, b"]
    assert lines[2].startswith("Steps: 3, Sampler: echo, CFG scale: 2.5, Seed: 5, Size: 96x64, Model: echo, Version: ")
    assert told["DigitalSourceType"].endswith("/trainedAlgorithmicMedia")
    assert told["Software"].startswith("Abierto ")


def test_the_same_seed_gives_the_same_file(abierto: Abierto, folder: Path) -> None:
    for name in ("one.png", "other.png"):
        abierto("draw", "-m", "echo", "a cat", "--seed", "5", "-o", name)
    assert (folder / "one.png").read_bytes() == (folder / "other.png").read_bytes()


def test_several_images(abierto: Abierto, folder: Path) -> None:
    done = abierto("draw", "-m", "echo", "a cat", "--count", "3", "--seed", "1", "-o", "cat.png")
    assert done.out == "cat-1.png\ncat-2.png\ncat-3.png\n"
    assert len({path.read_bytes() for path in folder.iterdir()}) == 3


def test_json(abierto: Abierto) -> None:
    done = abierto("draw", "-m", "echo", "a cat", "--json", "--seed", "4", "--count", "2")
    body = json.loads(done.out)
    assert (body["model"], body["engine"]) == ("echo", "echo")
    assert [(one["file"], one["seed"], one["width"]) for one in body["images"]] == [
        ("a-cat-4.png", 4, 128),
        ("a-cat-5.png", 5, 128),
    ]
    assert body["stats"]["memory"] > 0


def test_standard_output(folder: Path) -> None:
    command = [sys.executable, "-m", "abierto", "draw", "-m", "echo", "a cat", "-o", "-"]
    done = subprocess.run(command, capture_output=True, check=True, env=dict(os.environ))
    assert examine(done.stdout, "x") == ImageInfo("png", 128, 128)
    assert not list(folder.iterdir())


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--size", "big"], "--size"),
        (["--size", "8"], "width"),
        (["--steps", "0"], "num_inference_steps"),
        (["--count", "99"], "num_images_per_prompt"),
        (["-o", "-", "--count", "2"], "one image"),
        (["-m", "all-minilm-l6-v2"], "does not draw"),
        (["-m", "no-such-model"], "no-such-model"),
        (["-m", "sdxl-turbo"], "safetensors"),
        (["-m", "flux.1-schnell"], "gguf"),  # which here is read for models that talk
        (["-m", "qwen3:4b"], f"Models that draw here: {', '.join(['echo', *DRAWS])}. "),
        (["-o", "there.png"], "there.png"),
        (["-o", "nowhere/cat.png"], "nowhere"),
    ],
    ids=str,
)
def test_what_is_wrong_is_told_and_nothing_is_written(
    abierto: Abierto, folder: Path, options: list[str], said: str
) -> None:
    (folder / "there.png").write_bytes(b"mine")
    done = abierto("draw", "a cat", *options)
    assert done.status not in (0, 1)
    assert said in done.err
    assert [path.name for path in folder.iterdir()] == ["there.png"]
    assert (folder / "there.png").read_bytes() == b"mine"


def test_nothing_cannot_be_drawn(abierto: Abierto) -> None:
    assert abierto("draw", "  ").status == 2


def test_without_a_model_that_draws_the_echo_says_that_it_is_one(abierto: Abierto) -> None:
    done = abierto("draw", "un gato", ABIERTO_LANGUAGE="es", ABIERTO_IMAGE_MODEL="echo")
    assert "patrón" in done.err


def test_the_model_that_is_made_here_draws_when_none_is_named(abierto: Abierto, folder: Path) -> None:
    abierto("draw", "a red apple", "--seed", "3", "-o", "apple.png")
    abierto("draw", "a blue apple", "--seed", "3", "-o", "blue.png")
    means = []
    for name in ("apple.png", "blue.png"):
        image = Image.open(folder / name)
        assert image.size == (128, 128)
        assert "Model: trazo" in png.texts((folder / name).read_bytes())["parameters"]
        means.append(np.asarray(image.convert("RGB"), float).mean((0, 1)))
    red, blue = means
    assert red[0] - red[2] > blue[0] - blue[2]
