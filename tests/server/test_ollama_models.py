"""Ollama's paths around models: lists, what is known of one, pulls and deletions, with the client that Ollama makes."""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx2
import ollama
import pytest
from ollama import ListResponse, ProcessResponse, ProgressResponse, ShowResponse

from abierto.runtime.wanted import wanted
from abierto.server.ollama.store import streamed
from tests.server.conftest import Serve, Served
from tests.server.test_ollama import HELLO, checked, lines, refusal
from tests.store.foreign_trees import Ollama
from tests.store.stand_in_index import StandInIndex
from tests.tiny_gguf import CHAT_TEMPLATE, TinyGGUF, Typed

TINY = TinyGGUF(says="abc", dtype="f16").build()
SOURCE = "pypi:tiny-model==1.0#tiny_model/tiny.gguf"
THINKS = "{# tools enable_thinking #}" + CHAT_TEMPLATE


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandInIndex]:
    """An index with a model, which servers that start after it use, as they do the models of an Ollama."""
    place = tmp_path_factory.mktemp("person")
    theirs = TinyGGUF(metadata={"tokenizer.chat_template": Typed("str", THINKS)}, dtype="f16").build()
    Ollama(place / "ollama").add("thinker:latest", theirs)
    with StandInIndex() as stand_in, pytest.MonkeyPatch.context() as patch:
        stand_in.add("tiny-model", "1.0", {"tiny_model/tiny.gguf": TINY})
        for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
            patch.delenv(name)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_INDEX_URL", stand_in.simple)
        patch.setenv("PIP_RETRIES", "0")
        patch.setenv("HOME", str(place))
        patch.setenv("OLLAMA_MODELS", str(place / "ollama"))
        yield stand_in


@pytest.fixture(scope="module")
def server(index: StandInIndex, serve: Serve) -> Served:
    return serve(other_programs="yes")


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[ollama.Client]:
    with ollama.Client(server.address) as client:
        yield client


def names(client: ollama.Client) -> set[str | None]:
    return {model.model for model in client.list().models}


def test_what_is_here_is_listed(client: ollama.Client, server: Served) -> None:
    with server.client() as plain:
        listed = checked(ListResponse, plain.get("/api/tags").text)
    found = {model.model: model for model in listed.models}
    assert {"says:latest", "endless:latest", "thinker:latest", "echo:latest"} <= set(found)
    says = found["says:latest"]
    assert says.size
    assert says.details
    assert (says.details.format, says.details.family, says.details.quantization_level) == ("gguf", "llama", "F16")
    assert says.modified_at
    assert datetime.now(UTC) - says.modified_at < timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "can"),
    [
        ("echo", ["completion", "tools", "embedding"]),
        ("says:latest", ["completion"]),
        ("thinker", ["completion", "tools", "thinking"]),
    ],
)
def test_what_a_model_can_do(server: Served, name: str, can: list[str]) -> None:
    with server.client() as plain:
        shown = checked(ShowResponse, plain.post("/api/show", json={"model": name}).text)
    assert shown.capabilities == can


def test_what_the_header_says_is_shown(client: ollama.Client) -> None:
    shown = client.show("thinker")
    about: Any = shown.modelinfo
    assert about["general.architecture"] == "llama"
    assert about["llama.context_length"] == 512
    assert about["tokenizer.ggml.tokens"] == []
    assert about["general.parameter_count"] > 0
    assert shown.template == THINKS
    assert (shown.modelfile or "").startswith("FROM thinker:latest\n")
    assert shown.details
    assert shown.details.parameter_size == client.list().models[0].details.parameter_size  # type: ignore[union-attr]


def test_an_unknown_model_is_not_shown(server: Served) -> None:
    for path in ("/api/show", "/api/pull"):
        assert refusal(server, path, model="nobody")[0] == 404
    assert refusal(server, "/api/show", model="")[0] == 400
    assert refusal(server, "/api/generate", model="nobody", keep_alive=0)[0] == 404


def test_what_is_loaded_says_how_long(client: ollama.Client, server: Served) -> None:
    client.generate("says", "x", keep_alive="1h30m", options={"num_predict": 1})
    client.generate("endless", "x", keep_alive=-1, options={"num_predict": 1})
    with server.client() as plain:
        loaded = checked(ProcessResponse, plain.get("/api/ps").text)
    left = {model.model: model.expires_at - datetime.now(UTC) for model in loaded.models if model.expires_at}
    assert timedelta(minutes=80) < left["says:latest"] <= timedelta(minutes=90)
    assert left["endless:latest"] > timedelta(days=36_500)
    assert loaded.models[0].model == "endless:latest"
    says = next(model for model in loaded.models if model.model == "says:latest")
    assert says.size
    assert (says.size_vram, says.context_length) == (0, 1024)


def test_a_model_is_pulled_used_and_deleted(client: ollama.Client, server: Served) -> None:
    told = [checked(ProgressResponse, line) for line in lines(server, "/api/pull", model=SOURCE)]
    assert told[0].status == "pulling manifest"
    assert told[-1].status == "success"
    loads = [one for one in told if (one.status or "").startswith("pulling tiny")]
    assert loads
    assert loads[-1].completed == loads[-1].total
    assert "tiny:latest" in names(client)
    assert (client.generate("tiny", "x").response or "").startswith("abc")
    assert client.delete("tiny").status == "success"  # though it is loaded: nobody uses it
    assert "tiny:latest" not in names(client)
    with pytest.raises(ollama.ResponseError) as gone:
        client.delete("tiny")
    assert gone.value.status_code == 404


def test_a_pull_may_answer_at_once(client: ollama.Client) -> None:
    assert client.pull(SOURCE, stream=False).status == "success"
    assert client.pull(SOURCE).status == "success"  # is here already
    with pytest.raises(ollama.ResponseError) as missing:
        client.pull("pypi:tiny-model==2.0#tiny_model/tiny.gguf")
    assert missing.value.status_code == 502
    client.delete("tiny")


def test_a_pull_that_fails_says_so_in_the_stream(server: Served) -> None:
    told = list(lines(server, "/api/pull", model="pypi:tiny-model==1.0#tiny_model/other.gguf"))
    assert '"error":' in told[-1]
    assert "other.gguf" in told[-1]


def test_a_pull_that_is_stopped_is_written_down(index: StandInIndex, home: Path) -> None:
    lines = streamed(wanted(SOURCE))
    assert next(lines) == b'{"status":"pulling manifest"}\n'
    next(lines)
    lines.close()
    with closing(sqlite3.connect(home / "data" / "journal.db")) as journal:
        assert journal.execute("select model, outcome from pulls").fetchall() == [("tiny", "cancelled")]


@pytest.mark.parametrize("source", ["file:/etc/passwd", "/etc/passwd", "./x.gguf", "https://127.0.0.1/x.gguf", "hf:x"])
def test_what_no_request_may_name(server: Served, source: str) -> None:
    for path in ("pull", "show", "chat"):
        status, words = refusal(server, f"/api/{path}", model=source, messages=[{"role": "user", "content": "x"}])
        assert status in (400, 404)
        assert "root:" not in words


def test_a_copy_is_a_model_of_its_own_and_takes_no_room(client: ollama.Client, server: Served) -> None:
    client.pull(SOURCE)
    assert client.copy("tiny", "mine").status == "success"
    one, other = (server.home / "data" / "models" / name / "tiny.gguf" for name in ("tiny", "mine"))
    assert one.samefile(other)
    assert {"tiny:latest", "mine:latest"} <= names(client)
    with pytest.raises(ollama.ResponseError, match="mine") as taken:
        client.copy("tiny", "mine")
    assert taken.value.status_code == 409
    client.delete("tiny")
    assert client.chat("mine", HELLO).message.content == "abc"
    client.delete("mine")
    assert not other.exists()
    for absent in ("tiny", "never-seen"):
        with pytest.raises(ollama.ResponseError) as missing:
            client.copy(absent, "mine")
        assert missing.value.status_code == 404
    for wrong in ("a b", "../up", "file:x", ""):
        with pytest.raises(ollama.ResponseError) as refused:
            client.copy("echo", wrong)
        assert refused.value.status_code in (400, 404)


def test_who_shall_think_must_be_able_to(client: ollama.Client, server: Served) -> None:
    client.pull(SOURCE)
    with pytest.raises(ollama.ResponseError, match="does not think") as refused:
        client.chat("tiny", HELLO, think=True)
    assert refused.value.status_code == 400
    assert client.chat("tiny", HELLO, think=False).message.content == "abc"
    assert client.chat("thinker:latest", HELLO, think=True, options={"num_predict": 3}).done
    body = {"model": "tiny", "messages": HELLO, "reasoning_effort": "low"}
    with server.client() as plain:
        told = plain.post("/v1/chat/completions", json=body)
    assert told.status_code == 400
    assert "does not think" in told.json()["error"]["message"]
    client.delete("tiny")


def test_a_model_of_another_program_is_not_deleted(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="thinker:latest belongs to Ollama") as refused:
        client.delete("thinker")
    assert refused.value.status_code == 400
    assert "thinker:latest" in names(client)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("create", {"model": "mine", "from": "echo"}),
        ("push", {"model": "echo"}),
        ("blobs/sha256:0", {}),
    ],
)
def test_what_is_not_offered_says_what_to_do(server: Served, path: str, body: dict[str, str]) -> None:
    status, words = refusal(server, f"/api/{path}", **body)
    assert status == 501
    assert path.partition("/")[0] in words


def test_probes(server: Served) -> None:
    with server.client() as plain:
        assert plain.get("/").text == "Ollama is running"
        assert plain.head("/").status_code == 200
        version = plain.get("/api/version").json()["version"]
        assert tuple(map(int, version.split("."))) >= (0, 6, 4)
        for path in ("/api/version", "/api/tags", "/api/ps"):
            assert plain.head(path).status_code == 200
        assert plain.head(f"/api/blobs/sha256:{sha256(b'').hexdigest()}").status_code == 404
        unknown = plain.get("/api/experimental/web_search")
        assert unknown.status_code == 404
        assert list(unknown.json()) == ["error"]


def test_a_web_page_may_not_delete(server: Served) -> None:
    answer = httpx2.request(
        "DELETE", f"{server.address}/api/delete", json={"model": "tiny"}, headers={"origin": "https://example.org"}
    )
    assert answer.status_code == 403
    assert list(answer.json()) == ["error"]
