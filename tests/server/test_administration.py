"""Our own dialect: status, models, pulls, the journal, metrics, events of our own, and the end of the server."""

import json
import os
import re
import stat
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from time import monotonic
from typing import Any

import httpx2
import psutil
import pytest

from abierto.errors import EngineCrashed
from abierto.runtime import serving
from abierto.runtime.tally import MOST_REMEMBERED
from abierto.server.administration import error
from abierto.server.administration.direct import EventLines
from abierto.tasks.chat import ChatRequest, Message
from tests.server.conftest import PATIENCE, Serve, Served
from tests.store.stand_in_index import Manner, Shelf, StandInIndex, alone
from tests.tiny_gguf import TinyGGUF

HELLO: Any = {"messages": [{"role": "user", "content": "hello there you"}]}


def until(found: Callable[[], Any]) -> Any:
    """What is found as soon as it is true; each look is a request that the server answers."""
    end = monotonic() + PATIENCE
    while not (value := found()):
        assert monotonic() < end
    return value


@pytest.fixture
def client(server: Served) -> Iterator[httpx2.Client]:
    with server.client() as client:
        yield client


def residents(client: httpx2.Client) -> dict[str, Any]:
    """The models that are loaded, by name."""
    return {one["model"]: one for one in client.get("/abierto/v1/status").json()["residents"]}


def absent(client: httpx2.Client) -> dict[str, Any]:
    """The models that are not there, by name."""
    return {one["model"]: one for one in client.get("/abierto/v1/status").json()["absent"]}


def test_a_loaded_model_is_measured_and_described(server: Served, client: httpx2.Client) -> None:
    loaded = client.post("/abierto/v1/models/load", json={"model": "says"}).json()["residents"]
    assert [one["model"] for one in loaded] == ["says"]
    answer = client.post("/v1/chat/completions", json={"model": "says", **HELLO})
    assert answer.status_code == 200
    one = residents(client)["says"]
    assert (one["state"], one["task"], one["users"], one["waiting"], one["pinned"]) == ("ready", "chat", 0, 0, False)
    assert one["engine"] in ("llamacpp", "openvino")
    assert one["process_id"] in [child.pid for child in server.children()]
    assert one["memory"] > 1_000_000
    assert one["estimate"] > 0
    assert one["max_users"] >= 1
    assert 0 < one["context"] <= one["trained"] == 1024
    assert one["speed"] > 0
    assert 0 < one["step_seconds"] <= PATIENCE
    assert 0 < one["seconds_left"] <= 300


def test_a_pinned_model_has_no_end_and_an_unloaded_one_says_why_it_went(client: httpx2.Client) -> None:
    client.post("/abierto/v1/models/load", json={"model": "echo", "keep_alive": 1000})
    assert 300 < residents(client)["echo"]["seconds_left"] <= 1000
    assert client.post("/abierto/v1/models/pin", json={"model": "echo"}).json() == {"model": "echo", "pinned": True}
    assert residents(client)["echo"]["seconds_left"] is None
    client.post("/abierto/v1/models/pin", json={"model": "echo", "pinned": False})
    assert residents(client)["echo"]["seconds_left"] is not None
    assert client.post("/abierto/v1/models/unload", json={"model": "echo"}).status_code == 200
    until(lambda: "echo" not in residents(client))
    assert absent(client)["echo"]["reason"] == "stopped"


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("models/load", {"model": "nobody"}, 404, "unknown_model"),
        ("models/load", {"model": "echo", "task": "dance"}, 400, "invalid_request"),
        ("models/load", {"model": "/etc/passwd"}, 404, "unknown_model"),
        ("models/unload", {"model": "nobody"}, 404, "not_loaded"),
        ("models/pin", {"model": "nobody"}, 404, "not_loaded"),
        ("pulls", {"model": "file:/etc/passwd"}, 400, "invalid_request"),
        ("pulls", {"model": "/etc/passwd"}, 404, "unknown_model"),
        ("pulls", {"model": "https://example.org/tiny.gguf"}, 400, "hash_missing"),
        ("pulls", {"model": "http://example.org/tiny.gguf"}, 404, "unknown_model"),
        ("run", {"model": "echo", "task": "chat", "request": {"messages": 3}}, 400, "invalid_request"),
        ("run", {"model": "echo", "task": "embed", "request": {"texts": []}}, 400, "invalid_request"),
        ("count", {"model": "nobody", "task": "embed", "request": {"texts": ["a"]}}, 404, "unknown_model"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_code_and_facts(
    client: httpx2.Client, path: str, body: dict[str, Any], status: int, code: str
) -> None:
    answer = client.post(f"/abierto/v1/{path}", json=body)
    assert (answer.status_code, answer.json()["error"]["code"]) == (status, code)
    assert answer.json()["error"]["message"]
    assert isinstance(answer.json()["error"]["facts"], dict)


def test_of_names_that_lead_nowhere_few_are_kept(client: httpx2.Client) -> None:
    for number in range(MOST_REMEMBERED + 2):
        client.post("/v1/chat/completions", json={"model": f"nobody-{number}", **HELLO})
    kept = [name for name in absent(client) if name.startswith("nobody-")]
    assert len(kept) == MOST_REMEMBERED
    assert kept[-1] == f"nobody-{MOST_REMEMBERED + 1}"
    assert "nobody-" not in client.get("/metrics").text


def test_why_a_model_was_refused_is_told(serve: Serve) -> None:
    with serve(memory_margin=10**9).client() as client:
        answer = client.post("/abierto/v1/models/load", json={"model": "says"})
        assert (answer.status_code, answer.json()["error"]["code"]) == (503, "not_enough_memory")
        told = absent(client)["says"]
        assert (told["reason"], told["code"]) == ("failed", "not_enough_memory")
        assert told["facts"]["needed"] > 0
        assert told["hint"]


def test_the_models_of_this_computer(client: httpx2.Client) -> None:
    found = {one["name"]: one for one in client.get("/abierto/v1/models").json()["models"]}
    assert {"says", "endless", "echo"} <= set(found)
    assert (found["says"]["format"], found["says"]["context"]) == ("gguf", 1024)


def test_events_of_our_own(client: httpx2.Client) -> None:
    asked = {"model": "echo", "task": "chat", "request": ChatRequest((Message("user", "one two"),)).to_wire()}
    lines = [json.loads(line) for line in client.post("/abierto/v1/run", json=asked).text.splitlines()]
    assert [line.get("event") for line in lines] == ["text", "text", "usage", "finish", None]
    assert lines[-1] == {"end": True}
    assert client.post("/abierto/v1/count", json=asked).json() == {"tokens": 3}
    long = {"messages": [{"role": "user", "content": "word" + " word" * 4999}]}
    answer = client.post("/abierto/v1/run", json={"model": "echo", "task": "chat", "request": long})
    told = answer.json()["error"]
    assert (answer.status_code, told["code"], told["facts"]["tokens"]) == (400, "prompt_too_long", 5001)


def test_an_error_in_the_middle_can_be_raised_again() -> None:
    crash = EngineCrashed("echo", "SIGKILL", "words")
    line = json.loads(EventLines().failed(error(crash, 500, "sentences")))
    assert line == {"event": "failure", "code": crash.code, "facts": crash.facts}


def test_the_journal_has_numbers_and_no_words(client: httpx2.Client) -> None:
    secret = "unrepeatable"
    client.post("/v1/chat/completions", json={"model": "echo", "messages": [{"role": "user", "content": secret}]})
    answer = client.get("/abierto/v1/journal", params={"kind": "runs", "limit": "1"})
    [entry] = answer.json()["entries"]
    assert (entry["model"], entry["completion_tokens"], entry["outcome"]) == ("echo", 1, "stop")
    assert secret not in answer.text
    for wrong in ({"limit": "0"}, {"limit": "1001"}, {"limit": "٣"}, {"kind": "chats"}):
        assert client.get("/abierto/v1/journal", params=wrong).status_code == 400


def test_health_and_metrics(client: httpx2.Client) -> None:
    assert client.get("/health").json() == {"status": "ok"}
    client.post("/v1/chat/completions", json={"model": "echo", **HELLO})
    client.get("/nowhere/at/all")
    answer = client.get("/metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    sample = re.compile(r'abierto_\w+(\{\w+="(?:[^"\\]|\\.)*"(,\w+="(?:[^"\\]|\\.)*")*\})? \d+(\.\d+)?(e[+-]\d+)?')
    lines = answer.text.splitlines()
    assert all(re.fullmatch(r"# (HELP|TYPE) abierto_\w+ .+", line) or sample.fullmatch(line) for line in lines), lines
    route = 'dialect="openai",method="POST",route="/v1/chat/completions",status="200"'
    assert re.search(rf"(?m)^abierto_requests_total{{{re.escape(route)}}} \d+$", answer.text)
    assert re.search(r'(?m)^abierto_completion_tokens_total{model="echo"} \d+$', answer.text)
    assert re.search(r'(?m)^abierto_model_loads_total{model="echo"} \d+$', answer.text)
    assert "/nowhere" not in answer.text
    assert 'route="other",status="404"' in answer.text


def test_only_who_knows_the_key_proves_it(server: Served, client: httpx2.Client) -> None:
    file = server.home / "data" / serving.FILE_NAME
    if os.name == "posix":
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    assert (told["address"], told["pid"]) == (server.address, server.process.pid)
    proof = client.get("/abierto/v1/identity", params={"challenge": "abc"}).json()["proof"]
    assert proof == serving.proof(told["key"], "abc")
    assert told["key"] not in client.get("/abierto/v1/status").text
    assert client.get("/abierto/v1/identity", params={"challenge": "a" * 129}).status_code == 400
    assert client.get("/abierto/v1/identity").status_code == 400


@pytest.fixture(scope="module")
def index() -> Iterator[StandInIndex]:
    with alone() as stand_in:
        yield stand_in


@pytest.fixture(scope="module")
def puller(index: StandInIndex, serve: Serve) -> Served:
    """A server that fetches from the index of this module."""
    return serve()


def put(index: StandInIndex, name: str, folder: Path) -> tuple[str, Shelf]:
    """A tiny model on the index: its source, and its shelf."""
    body = TinyGGUF().write(folder / "tiny.gguf").read_bytes() + bytes(200_000)
    return f"pypi:{name}==1.0#{name}/{name}.gguf", index.add(name, "1.0", {f"{name}/{name}.gguf": body})


def told(client: httpx2.Client, name: str, begun: threading.Event | None = None) -> list[dict[str, Any]]:
    """All that a watcher of a pull hears. begun: set when it has heard something."""
    heard: list[dict[str, Any]] = []
    with client.stream("GET", f"/abierto/v1/pulls/{name}/events") as answer:
        assert answer.headers["content-type"] == "text/event-stream"
        for line in answer.iter_lines():
            if line.startswith("data: "):
                heard.append(json.loads(line.removeprefix("data: ")))
                if begun:
                    begun.set()
    return heard


def test_a_pull_is_watched_by_several_and_ends_in_the_journal(
    puller: Served, index: StandInIndex, tmp_path: Path
) -> None:
    source, _ = put(index, "pulled", tmp_path)
    with puller.client() as client:
        begun = client.post("/abierto/v1/pulls", json={"model": source})
        assert begun.status_code == 202
        name = begun.json()["id"]
        first, late = told(client, name), told(client, name)
        assert first[-1]["state"] == "done"
        assert first[-1]["stage"] in ("verify", "unpack")
        assert late == [first[-1]]  # who comes late hears how it is
        assert client.get(f"/abierto/v1/pulls/{name}").json() == first[-1]
        assert name in [one["id"] for one in client.get("/abierto/v1/pulls").json()["pulls"]]
        [entry] = client.get("/abierto/v1/journal", params={"kind": "pulls", "limit": "1"}).json()["entries"]
        assert (entry["model"], entry["source"], entry["outcome"]) == ("pulled", source, "done")
        assert "pulled" in [one["name"] for one in client.get("/abierto/v1/models").json()["models"]]
        again = client.post("/abierto/v1/pulls", json={"model": source}).json()["id"]
        assert told(client, again)[-1]["state"] == "done"


def test_a_pull_is_cancelled_for_all_who_watch(puller: Served, index: StandInIndex, tmp_path: Path) -> None:
    source, shelf = put(index, "stalled", tmp_path)
    shelf.manners = [Manner(stall_after=50_000)]
    with puller.client() as client, puller.client() as watcher:
        name = client.post("/abierto/v1/pulls", json={"model": source}).json()["id"]
        assert client.post("/abierto/v1/pulls", json={"model": source}).json()["id"] == name  # joined, not begun twice
        heard: list[dict[str, Any]] = []
        started = threading.Event()
        watching = threading.Thread(target=lambda: heard.extend(told(watcher, name, started)))
        watching.start()
        assert started.wait(PATIENCE)
        assert client.delete(f"/abierto/v1/pulls/{name}").json()["state"] in ("cancelling", "cancelled")
        watching.join(PATIENCE)
        assert heard[-1]["state"] == "cancelled"
        assert client.get(f"/abierto/v1/pulls/{name}").json()["error"] is None
        assert "stalled" not in [one["name"] for one in client.get("/abierto/v1/models").json()["models"]]


def test_a_pull_that_fails_says_why(puller: Served) -> None:
    with puller.client() as client:
        name = client.post("/abierto/v1/pulls", json={"model": "pypi:no-such==1.0#a/b.gguf"}).json()["id"]
        last = told(client, name)[-1]
        assert (last["state"], last["error"]["code"]) == ("failed", "package_not_found")
        assert last["error"]["message"]
        for method, path in (("GET", "none"), ("DELETE", "none"), ("GET", "none/events")):
            answer = client.request(method, f"/abierto/v1/pulls/{path}")
            assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_pull")


def test_a_web_page_cannot_end_the_server_and_a_program_can(serve: Serve) -> None:
    served = serve()
    with served.client() as client:
        own_page = {"origin": served.address}
        assert client.post("/abierto/v1/stop", headers=own_page).status_code == 401
        client.post("/abierto/v1/models/load", json={"model": "echo"})
        children = served.children()
        assert children
        assert client.post("/abierto/v1/stop").status_code == 202
    assert served.process.wait(PATIENCE) == 0
    assert not (served.home / "data" / serving.FILE_NAME).exists()
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]


@pytest.mark.parametrize(
    ("header", "words"),
    [("es-ES,es;q=0.9", "No hay"), ("fr, es;q=0.5", "No hay"), ("en", "There is no"), ("fr", "There is no")],
)
def test_errors_are_told_in_the_language_that_was_asked_for(server: Served, header: str, words: str) -> None:
    with server.client(headers={"accept-language": header}) as client:
        assert words in client.get("/abierto/v1/openness?model=nobody:7b").json()["error"]["message"]
