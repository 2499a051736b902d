"""The server takes the engine that was measured as the fastest, and another one for what that one cannot do."""

from pathlib import Path

import pytest

from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.runtime import choice
from abierto.runtime.choice import Measured, Speeds, Variant
from abierto.runtime.resolve import resolve
from tests.server.conftest import Serve, Served
from tests.tiny_gguf import TinyGGUF

ENGINES = {"openvino": Speeds(2, 2000, 100, 100, 400), "llamacpp": Speeds(1, 300, 100, 100, 100)}


@pytest.fixture
def tuned(serve: Serve, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Served:
    """A server on a computer where openvino was measured as the fastest, with a model that both engines read."""
    for package in ("openvino_genai", "xllamacpp"):
        pytest.importorskip(package)
    home = tmp_path / "home"
    path = str(TinyGGUF(says="abc", ends=False, context=1024, dtype="f16").write(tmp_path / "both.gguf"))
    monkeypatch.setenv("ABIERTO_HOME", str(home))
    rows = []
    for engine, speeds in ENGINES.items():
        session = engines.load(engine, [path], LoadOptions())
        rows.append(Measured(Variant(engine), speeds, tuple(session.features)))
        session.close()
    choice.keep(resolve(path, home / "models"), rows)
    return serve(home=home, folders=tmp_path)


@pytest.mark.parametrize(
    ("asked", "seen"),
    [
        ({"logprobs": True, "top_logprobs": 2}, "logprobs"),
        ({"logit_bias": {str(ord("b")): -100}}, "bias"),
        ({"tools": [{"type": "function", "function": {"name": "look", "parameters": {"type": "object"}}}]}, "tools"),
    ],
)
def test_what_the_fastest_engine_lacks_is_asked_of_another(tuned: Served, asked: dict[str, object], seen: str) -> None:
    body = {"model": "both", "messages": [{"role": "user", "content": "Hi"}], "max_tokens": 6, "temperature": 0}
    with tuned.client() as client:
        plain = client.post("/v1/chat/completions", json=body)
        assert plain.status_code == 200, plain.text
        assert [one["engine"] for one in client.get("/abierto/v1/status").json()["residents"]] == ["openvino"]
        moved = client.post("/v1/chat/completions", json={**body, **asked})
        assert moved.status_code == 200, moved.text
        there = sorted(one["engine"] for one in client.get("/abierto/v1/status").json()["residents"])
    assert there == ["llamacpp", "openvino"]
    [choice_made] = moved.json()["choices"]
    if seen == "logprobs":
        assert len(choice_made["logprobs"]["content"][0]["top_logprobs"]) == 2
    if seen == "bias":
        assert "b" in plain.json()["choices"][0]["message"]["content"]
        assert "b" not in choice_made["message"]["content"]


def test_the_engine_that_was_chosen_for_a_model_is_taken_by_the_next_server(serve: Serve, tmp_path: Path) -> None:
    home = tmp_path / "home"
    with (first := serve(home=home)).client() as client:
        assert client.post("/abierto/v1/models/load", json={"model": "says", "engine": "openvino"}).is_success
    first.stop()
    body = {"model": "says", "messages": [{"role": "user", "content": "Hi"}]}
    with (second := serve(home=home)).client() as client:
        chosen = {one["name"]: one["chosen_engine"] for one in client.get("/abierto/v1/models").json()["models"]}
        assert (chosen["says"], chosen["random"]) == ("openvino", None)
        assert client.post("/v1/chat/completions", json=body).is_success
        assert [one["engine"] for one in client.get("/abierto/v1/status").json()["residents"]] == ["openvino"]
        assert client.post("/abierto/v1/models/load", json={"model": "says", "engine": "auto"}).is_success
    second.stop()
    with serve(home=home).client() as client:
        assert {one["chosen_engine"] for one in client.get("/abierto/v1/models").json()["models"]} == {None}
