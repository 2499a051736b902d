"""OpenAI's images with OpenAI's own client, and as our own programs and a running server share a model that draws."""

import base64
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import openai
import pytest
from openai.types import ImageGenCompletedEvent, ImageGenPartialImageEvent

from abierto.formats import png
from abierto.formats.images import ImageInfo, examine
from tests.runtime.test_package_folder import CARD
from tests.server.conftest import Serve, Served
from tests.tiny_diffusers import TinyDiffusers


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_an_image(client: openai.OpenAI) -> None:
    made = client.images.generate(model="echo", prompt="a red apple", size="1024x1024", extra_body={"seed": 5})
    assert made.data
    data = base64.b64decode(made.data[0].b64_json or "")
    assert examine(data, "x") == ImageInfo("png", 1024, 1024)
    assert "Seed: 5" in png.texts(data)["parameters"]
    assert made.usage
    assert (made.usage.input_tokens, made.usage.total_tokens) == (3, 3)


def test_several_images_have_the_seeds_that_follow(client: openai.OpenAI) -> None:
    made = client.images.generate(model="echo", prompt="a", n=3, extra_body={"seed": 5})
    assert made.data
    assert [getattr(one, "seed") for one in made.data] == [5, 6, 7]  # noqa: B009 - ours, and not in their type
    assert len({one.b64_json for one in made.data}) == 3


def test_the_model_that_draws_is_the_one_of_the_settings(client: openai.OpenAI) -> None:
    assert client.images.generate(prompt="a").data


def test_an_address_holds_the_image_itself(client: openai.OpenAI) -> None:
    made = client.images.generate(model="echo", prompt="a", response_format="url")
    assert made.data
    head, _, data = (made.data[0].url or "").partition(",")
    assert head == "data:image/png;base64"
    assert examine(base64.b64decode(data), "x").format == "png"


@pytest.mark.parametrize("partial", [0, 1, 3])
def test_what_is_seen_before(client: openai.OpenAI, partial: int) -> None:
    more = {"seed": 5, "num_inference_steps": 9}
    stream = client.images.generate(
        model="echo", prompt="a red apple", stream=True, partial_images=partial, n=2, extra_body=more
    )
    events = list(stream)
    early = [event for event in events if isinstance(event, ImageGenPartialImageEvent)]
    late = [event for event in events if isinstance(event, ImageGenCompletedEvent)]
    assert [event.partial_image_index for event in early] == list(range(partial)) * 2
    assert len(late) == 2
    assert late[1].usage.input_tokens == 3
    whole = client.images.generate(model="echo", prompt="a red apple", n=2, extra_body=more)
    assert [event.b64_json for event in late] == [one.b64_json for one in whole.data or []]
    for event in early:
        assert examine(base64.b64decode(event.b64_json), "x").width == 128


@pytest.mark.parametrize(
    ("asked", "where"),
    [
        ({"size": "big"}, "$.size"),
        ({"size": "8x8"}, "width"),
        ({"n": 17}, "num_images_per_prompt"),
        ({"quality": "hd"}, "$.quality"),
        ({"style": "vivid"}, "$.style"),
        ({"background": "transparent"}, "$.background"),
        ({"output_format": "webp"}, "$.output_format"),
        ({"output_compression": 50}, "$.output_compression"),
        ({"response_format": "file"}, "$.response_format"),
        ({"partial_images": -1}, "partial_images"),
        ({"seed": -1}, "seed"),
    ],
    ids=str,
)
def test_what_nobody_here_can_do_is_refused(server: Served, asked: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/images/generations", json={"model": "echo", "prompt": "a", **asked})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == where


def test_a_model_that_does_not_draw_says_which_do(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError, match="echo") as caught:
        client.images.generate(model="smollm2:135m", prompt="a")
    assert caught.value.code == "no_image_model"


def test_a_prompt_of_nothing(client: openai.OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        client.images.generate(model="echo", prompt=" ")


def test_a_command_uses_the_model_that_the_server_has_loaded(server: Served, tmp_path: Path) -> None:
    with server.client() as client:
        client.post("/abierto/v1/models/load", json={"model": "echo", "task": "draw"}).raise_for_status()
        environment = {**os.environ, "ABIERTO_HOME": str(server.home)}
        command = [sys.executable, "-m", "abierto", "draw", "-m", "echo", "a cat", "--seed", "1", "-o", "cat.png"]
        subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, check=True)
        assert 'route="/abierto/v1/run"' in client.get("/metrics").text
    assert png.texts((tmp_path / "cat.png").read_bytes())["parameters"].count("Seed: 1") == 1


def test_a_model_of_networks_draws_in_a_process_of_its_own(
    serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    (home / "data" / "cards").mkdir(parents=True)
    (home / "data" / "cards" / "tiny-draw.yaml").write_text(CARD, "utf-8")
    TinyDiffusers().write(tmp_path / "packages" / "tiny_draw_folder")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    served = serve(home=home, image_model="tiny-draw")
    with openai.OpenAI(base_url=f"{served.address}/v1", api_key="none", max_retries=0) as client:
        stream = client.images.generate(prompt="a red apple", stream=True, partial_images=2, extra_body={"seed": 3})
        assert [event.type.rpartition(".")[2] for event in stream] == ["partial_image", "partial_image", "completed"]
        with pytest.raises(openai.BadRequestError, match="multiples of 8"):
            client.images.generate(prompt="a red apple", size="1024x1024")
    with served.client() as plain:
        [resident] = plain.get("/abierto/v1/status").json()["residents"]
    assert (resident["engine"], resident["task"]) == ("starter", "draw")
    assert resident["process_id"] in [child.pid for child in served.children()]
    assert resident["memory"] > 1_000_000
