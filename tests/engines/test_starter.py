"""The engine of the starter model for images, with tiny networks that ONNX Runtime runs."""

import base64
import json
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from abierto import engines
from abierto.engines.session import LoadOptions, Session
from abierto.errors import CorruptFile, LoadFailed, MissingFeature, NoEngineForFile, NotAModel, SizeNotDrawn
from abierto.formats import diffusers_folder
from abierto.machine import process_memory
from abierto.runtime.resolve import resolve
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image, ImagePreview
from tests.cli.conftest import Abierto, abierto, forked
from tests.tiny_diffusers import DPM, TinyDiffusers

__all__ = ["abierto", "forked"]
REQUEST = DrawRequest("a red apple", seed=7, num_inference_steps=4)


def load(main: Path) -> Session:
    return engines.load("starter", [str(main)], LoadOptions(0, 1, 1, task="draw"))


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Session]:
    made = load(TinyDiffusers().write(tmp_path_factory.mktemp("tiny")))
    yield made
    made.close()


def image(session: Session, request: DrawRequest) -> Image:
    [found] = [event for event in session.draw(request) if isinstance(event, Image)]
    return found


def pixels(png: str) -> bytes:
    """Of a file as this engine writes it: one chunk, no filters."""
    data = base64.b64decode(png)
    rows, width = zlib.decompress(data[data.index(b"IDAT") + 4 :]), int.from_bytes(data[16:20])
    return b"".join(rows[first + 1 : first + 1 + 3 * width] for first in range(0, len(rows), 3 * width + 1))


def distance(one: str, other: str) -> float:
    """The mean over all channels of all pixels, of 255."""
    pairs = list(zip(pixels(one), pixels(other), strict=True))
    return sum(abs(left - right) for left, right in pairs) / len(pairs)


def test_what_is_told_of_an_image(session: Session) -> None:
    made = image(session, REQUEST)
    assert (made.width, made.height, made.num_inference_steps, made.guidance_scale) == (32, 32, 4, 4.0)
    assert made.sampler == "DPM++ 2M"
    assert (session.context, session.count_tokens(REQUEST)) == (12, 5)


@pytest.mark.parametrize(
    "other",
    [
        {"prompt": "a blue boat"},
        {"negative_prompt": "a blue boat"},
        {"guidance_scale": 2.0},
        {"num_inference_steps": 5},
        {"seed": 8},
    ],
    ids=str,
)
def test_everything_that_is_asked_for_counts(session: Session, other: dict[str, Any]) -> None:
    assert image(session, REQUEST).png != image(session, replace(REQUEST, **other)).png


def test_without_guidance_what_shall_not_be_seen_is_not_looked_at(session: Session) -> None:
    plain = replace(REQUEST, guidance_scale=1.0)
    assert image(session, plain).png == image(session, replace(plain, negative_prompt="a cat")).png
    # Looking twice and taking the difference once is the same as looking once.
    assert distance(image(session, plain).png, image(session, replace(REQUEST, guidance_scale=1.0001)).png) < 1


def test_a_preview_shows_what_the_image_will_show(session: Session) -> None:
    events = list(session.draw(replace(REQUEST, num_inference_steps=20)))
    previews = [event.png for event in events if isinstance(event, ImagePreview)]
    whole = next(event.png for event in events if isinstance(event, Image))
    other = image(session, replace(REQUEST, seed=9)).png
    # Blended between places, where the tiny decoder has edges.
    assert distance(previews[-1], whole) < distance(other, whole) / 2


@pytest.mark.parametrize(("width", "height"), [(64, 32), (16, 24), (None, 64)])
def test_other_sizes(session: Session, width: int | None, height: int) -> None:
    made = image(session, replace(REQUEST, width=width, height=height))
    assert (made.width, made.height) == (width or 32, height)
    assert len(pixels(made.png)) == 3 * made.width * made.height


@pytest.mark.parametrize(("width", "height"), [(20, 32), (32, 1024)])
def test_a_size_that_cannot_be_drawn_is_refused_with_those_that_can(session: Session, width: int, height: int) -> None:
    with pytest.raises(SizeNotDrawn) as caught:
        list(session.draw(replace(REQUEST, width=width, height=height)))
    assert (caught.value.step, caught.value.least, caught.value.most) == (8, 8, 64)


def test_an_export_for_one_size(tmp_path: Path) -> None:
    session = load(TinyDiffusers(fixed=True).write(tmp_path))
    assert image(session, REQUEST).width == 32
    with pytest.raises(SizeNotDrawn) as caught:
        list(session.draw(replace(REQUEST, width=64)))
    assert (caught.value.least, caught.value.most) == (32, 32)


@pytest.mark.parametrize("model", [TinyDiffusers(half=True), TinyDiffusers(one_time=True)], ids=str)
def test_other_exports_draw_the_same(session: Session, tmp_path: Path, model: TinyDiffusers) -> None:
    assert distance(image(session, REQUEST).png, image(load(model.write(tmp_path)), REQUEST).png) < 2


def test_ddim_where_the_folder_says_so(tmp_path: Path) -> None:
    made = image(load(TinyDiffusers(scheduler={**DPM, "_class_name": "DDIMScheduler"}).write(tmp_path)), REQUEST)
    assert made.sampler == "DDIM"


def test_it_has_no_other_task(session: Session) -> None:
    with pytest.raises(MissingFeature):
        list(session.chat(ChatRequest((Message("user", "x"),))))


def test_the_estimate_holds_for_a_tiny_model(session: Session, tmp_path: Path) -> None:
    estimate = diffusers_folder.read(TinyDiffusers().write(tmp_path)).footprint()
    assert estimate.total < process_memory(session.pid) * 4


@pytest.mark.parametrize(
    ("name", "body", "error"),
    [
        ("onnx/unet.onnx", b"\x08\x08rubbish", LoadFailed),
        ("onnx/vae_decoder.onnx", None, CorruptFile),
        ("scheduler/scheduler_config.json", b'{"prediction_type": "other"}', LoadFailed),
        ("unet/config.json", b'{"in_channels": 4, "sample_size": -1, "block_out_channels": [1]}', CorruptFile),
        ("unet/config.json", b"[]", CorruptFile),
        ("vae/config.json", b'{"block_out_channels": "x"}', CorruptFile),
        ("vae/config.json", b'{"block_out_channels": [1], "scaling_factor": 0}', CorruptFile),
        ("tokenizer/tokenizer.json", b'{"model": 3}', LoadFailed),
        ("model_index.json", b'{"_class_name": "FluxPipeline"}', NotAModel),
    ],
)
def test_a_folder_that_is_damaged(tmp_path: Path, name: str, body: bytes | None, error: type[Exception]) -> None:
    main = TinyDiffusers().write(tmp_path)
    if body is None:
        (tmp_path / name).unlink()
    else:
        (tmp_path / name).write_bytes(body)
    with pytest.raises(error):
        load(main)


def test_a_folder_without_networks_for_onnx_has_no_engine_here(tmp_path: Path) -> None:
    TinyDiffusers().write(tmp_path)
    (tmp_path / "onnx" / "unet.onnx").unlink()
    with pytest.raises(NoEngineForFile) as caught:
        resolve(str(tmp_path), tmp_path / "models")
    assert caught.value.format == "diffusers"


def test_by_its_path_on_the_command_line(abierto: Abierto, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TinyDiffusers().write(tmp_path / "tiny")
    monkeypatch.chdir(tmp_path)
    done = abierto("draw", "a red apple", "-m", "./tiny", "--seed", "1", "--steps", "3", "--json")
    body = json.loads(done.out)
    assert (body["engine"], body["images"][0]["num_inference_steps"]) == ("starter", 3)
    assert (tmp_path / body["images"][0]["file"]).stat().st_size > 100
    refused = abierto("draw", "a red apple, " * 9, "-m", "./tiny")
    assert "38 tokens; this model reads 12" in refused.err
    assert refused.status == 2
    assert abierto("draw", "a cat", "-m", "./tiny", "--size", "20").status == 2
