"""Reports on models over HTTP: what is open about one, and whether it will run here."""

from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from abierto.store import layout, records
from abierto.store.records import ModelFile, Record
from tests.server.conftest import Served
from tests.tiny_pipeline import pipeline


@pytest.fixture
def client(server: Served) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def test_what_is_open_about_a_card_is_told(client: httpx2.Client) -> None:
    body = client.get("/abierto/v1/openness", params={"model": "qwen3:4b"}).json()
    assert body["inventory"]["name"] == "qwen3:4b"
    assert len(body["inventory"]["findings"]) == 17
    assert {"mof_strict", "mof_as_published", "osi", "european", "ai_act", "freedoms", "to_run"} <= set(body)


def test_a_report_is_told_in_words_in_both_languages(client: httpx2.Client) -> None:
    told = {}
    for language in ("en", "es"):
        body = client.get("/abierto/v1/openness", params={"model": "qwen3:4b", "language": language}).json()
        told[language] = {one["key"]: one for one in body["sections"]}
    assert set(told["en"]) == set(told["es"])
    assert {"licenses", "european", "ai_act", "freedoms", "next"} <= set(told["en"])
    assert told["en"]["licenses"]["title"] != told["es"]["licenses"]["title"]
    assert len(told["es"]["european"]["lines"]) == 12
    refused = client.get("/abierto/v1/openness", params={"model": "qwen3:4b", "language": "fr"})
    assert refused.status_code == 400
    assert "sections" not in client.get("/abierto/v1/openness", params={"model": "qwen3:4b"}).json()


def test_two_models_are_compared(client: httpx2.Client) -> None:
    body = client.get("/abierto/v1/openness", params={"model": "qwen3:4b", "compare": "llama3.2:3b"}).json()
    assert (body["first"], body["second"]) == ("qwen3:4b", "llama3.2:3b")
    assert any(change["section"] == "freedoms" for change in body["changes"])


def test_the_memory_of_a_model_that_is_here_is_told_in_parts(client: httpx2.Client) -> None:
    body = client.get("/abierto/v1/fit", params={"model": "smollm2:135m", "context": "1024", "users": "2"}).json()
    assert (body["context"], body["users"]) == (1024, 2)
    for one in body["fits"]:
        parts = one["footprint"]
        assert parts["total"] == sum(parts[part] for part in ("weights", "kv_cache", "compute", "overhead"))
    assert body["memory"]["total"] > body["room"]


def computing(client: httpx2.Client, **query: str) -> int:
    body = client.get("/abierto/v1/fit", params=query).raise_for_status().json()
    return int(body["fits"][0]["footprint"]["compute"])


def test_the_memory_for_speech_is_told_by_its_seconds(client: httpx2.Client) -> None:
    name = "piper:es_es-davefx-medium"
    assert computing(client, model=name, seconds="60") == 3 * computing(client, model=name) > 0


def test_the_memory_for_images_is_told_by_their_size(client: httpx2.Client, server: Served) -> None:
    models = server.home / "data" / "models"
    place = layout.model_folder(models, "draws")
    main = pipeline(place)
    state = main.stat()
    file = ModelFile(main, state.st_size, state.st_mtime_ns, "ab" * 32)
    records.write(models, Record("draws", "hf:a/b", (file,), "2026-11-30T03:04:05+00:00"))
    usual = computing(client, model="draws")
    assert computing(client, model="draws", size="512x512") == computing(client, model="draws", size="512") == usual
    assert computing(client, model="draws", size="1024x512") > usual > 0


@pytest.mark.parametrize("route", ["openness", "fit"])
def test_no_file_is_reported_to_whoever_asks_over_the_network(
    client: httpx2.Client, tmp_path: Path, route: str
) -> None:
    (tmp_path / "README.md").write_text("---\nlicense: mit\n---\n", "utf-8")
    (tmp_path / "model.gguf").write_bytes(b"GGUF")
    for name in (str(tmp_path), f"file:{tmp_path}", str(tmp_path / "model.gguf"), "../..", "~"):
        answer = client.get(f"/abierto/v1/{route}", params={"model": name})
        assert answer.status_code == 404, answer.text


@pytest.mark.parametrize(
    ("route", "query"),
    [
        ("openness", {}),
        ("fit", {}),
        ("fit", {"model": "qwen3:4b", "context": "-1"}),
        ("fit", {"model": "qwen3:4b", "users": "0"}),
        ("fit", {"model": "qwen3:4b", "users": "\u0663"}),
        ("fit", {"model": "qwen3:4b", "context": "9" * 30}),
        ("fit", {"model": "qwen3:4b", "size": "large"}),
        ("fit", {"model": "qwen3:4b", "size": "0x512"}),
        ("fit", {"model": "kokoro", "seconds": "3601"}),
    ],
)
def test_what_makes_no_sense_is_refused(client: httpx2.Client, route: str, query: dict[str, str]) -> None:
    assert client.get(f"/abierto/v1/{route}", params=query).status_code == 400


def test_models_are_recommended_for_a_task(client: httpx2.Client) -> None:
    found = client.get("/abierto/v1/recommend", params={"task": "chat", "language": "es", "all": "yes"}).json()
    qualities = [one["quality"] for one in found["models"] if one["fits"]]
    rated = [one["share"] for one in qualities if one]
    assert len(rated) > 3
    assert None not in qualities[: len(rated)]
    wrong = client.get("/abierto/v1/recommend", params={"task": "cook"})
    assert wrong.status_code == 400
    assert "chat, see" in wrong.json()["error"]["message"]
