"""The log: what is in it, what is not, and how a person sees it."""

import json
import os
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

from abierto.server import log
from abierto.server.log import Entry, Log
from abierto.server.tokens import Tokens
from abierto.tasks.events import Usage
from tests.server.conftest import Serve, Served
from tests.server.raw import logged, written

WORD = "xylophonist"
CHAT = "/v1/chat/completions"
SAYS = {"model": "echo", "messages": [{"role": "user", "content": f"the {WORD} said"}]}
# One request for each dialect that there may be; one that a server has not yet answers 404, and logs it all the same.
BODIES: dict[str, Any] = {
    CHAT: SAYS,
    "/v1/completions": {"model": "echo", "prompt": WORD},
    "/v1/embeddings": {"model": "echo", "input": WORD},
    "/v1/responses": {"model": "echo", "input": WORD, "store": False},
    "/v1/rerank": {"model": "echo", "query": WORD, "documents": [WORD]},
    "/v1/messages": {**SAYS, "max_tokens": 9},
    "/v1/messages/count_tokens": SAYS,
    "/api/chat": {**SAYS, "stream": False},
    "/api/generate": {"model": "echo", "prompt": WORD, "stream": False},
    "/api/embed": {"model": "echo", "input": WORD},
    "/api/embeddings": {"model": "echo", "prompt": WORD},
}


def files_with(word: str, folder: Path) -> list[str]:
    return [path.name for path in folder.rglob("*") if path.is_file() and word.encode() in path.read_bytes()]


def entries(server: Served) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.path(server.home / "data" / "logs").read_text("utf-8").splitlines()]


def shown(server: Served, *options: str, language: str = "en") -> str:
    environment = {**os.environ, "ABIERTO_HOME": str(server.home), "ABIERTO_LANGUAGE": language}
    command = [sys.executable, "-m", "abierto", "logs", *options]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=True).stdout


def test_no_word_that_was_said_is_kept_anywhere(serve: Serve) -> None:
    server = serve()
    with server.client() as client:
        for path, body in BODIES.items():
            client.post(path, json=body)
            # And of a request that fails, in one way and another, nothing either.
            client.post(path, json={**body, "model": "nobody"})
            client.post(path, json={**body, "temperature": WORD, "model": 3})
            client.post(path, content=json.dumps(body).encode()[:-1])
            client.post(f"{path}?key={WORD}", json=body, headers={"x-api-key": WORD, "cookie": WORD})
        streamed = client.post(CHAT, json={**SAYS, "stream": True})
    assert WORD in streamed.text
    server.stop()  # nothing is written any more
    assert len(entries(server)) == 5 * len(BODIES) + 1
    assert files_with("/v1/chat/completions", server.home)
    assert files_with(WORD, server.home) == []


def test_what_is_told_of_a_request(serve: Serve) -> None:
    server = serve()
    token = Tokens(server.home / "data").add("ana")
    with server.client(headers={"x-api-key": token}) as client:
        client.post(CHAT, json=SAYS)
    entry = logged(server, "ana")
    assert (entry["method"], entry["path"], entry["status"], entry["model"]) == ("POST", CHAT, 200, "echo")
    assert (entry["prompt_tokens"], entry["completion_tokens"]) == (4, 3)
    assert 0 < entry["seconds"] < 60
    with server.client() as client:
        client.post(CHAT, json={**SAYS, "model": "nobody"})
        client.get("/nowhere", headers={"host": "evil.example"})
    [_, unknown, foreign] = islice(written(server), 3)
    assert (unknown["status"], unknown["error"]) == (404, "unknown_model")
    assert (foreign["status"], foreign["error"], foreign["path"]) == (403, "forbidden_host", "/nowhere")
    people = shown(server).splitlines()
    assert "200  POST /v1/chat/completions  echo" in people[0]
    assert "4+3 tokens  ana" in people[0]
    assert len(shown(server, "--lines", "1").splitlines()) == 1
    assert json.loads(shown(server, "--lines", "1", "--json")) == foreign
    file = log.path(server.home / "data" / "logs")
    assert file.stat().st_mode & 0o077 == 0


def test_what_was_said_is_kept_where_a_setting_asks_for_it(serve: Serve) -> None:
    server = serve(log_prompts="yes")
    with server.client() as client:
        client.post(CHAT, json=SAYS)
        client.get("/nowhere")
    assert json.loads(next(written(server))["body"]) == SAYS


def test_what_is_no_request_is_told_without_its_words(server: Served) -> None:
    from tests.server.raw import connect, until_closed

    connection = connect(server)
    connection.sendall(f"{WORD}\r\n\r\n".encode())
    until_closed(connection)
    assert files_with(WORD, server.home) == []


def test_a_log_that_is_large_is_begun_anew(tmp_path: Path) -> None:
    written = Log(tmp_path)
    line = Entry(path="/" + "x" * 150, body="x" * 1_000_000)
    for _ in range(45):
        written.write(line)
    written.close()
    sizes = {path.name: path.stat().st_size for path in tmp_path.iterdir()}
    assert sorted(sizes) == ["server.log", "server.log.1", "server.log.2", "server.log.3"]
    assert max(sizes.values()) <= log.LARGEST


def test_a_folder_that_cannot_be_written_costs_no_request(tmp_path: Path) -> None:
    (tmp_path / "logs").write_text("in the way")
    written = Log(tmp_path / "logs")
    written.write(Entry(path="/"))
    written.close()


def test_the_tokens_of_several_answers() -> None:
    entry = Entry()
    for _ in range(3):
        entry.note(Usage(10, 5))
    assert (entry.prompt_tokens, entry.completion_tokens) == (10, 15)
