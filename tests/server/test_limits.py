"""Requests that are too large, too deep or too slow, and clients that go away. Nobody else shall notice."""

import json
import socket
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import psutil
import pytest

from abierto.errors import InvalidRequest
from abierto.server.limits import MAX_BODY, MAX_DEPTH, MAX_HEAD, check_depth
from abierto.server.tokens import Tokens
from tests.server.conftest import PATIENCE, Serve, Served
from tests.server.raw import connect, logged, place, request, until_closed

CHAT = "/v1/chat/completions"
HELLO: Any = [{"role": "user", "content": "hello"}]


@pytest.fixture(scope="module")
def hasty(serve: Serve) -> Served:
    """A server that waits for no client longer than a second."""
    return serve(client_seconds=1)


def ask(server: Served, **body: Any) -> tuple[int, Any]:
    with server.client() as client:
        answer = client.post(CHAT, json={"model": "echo", "messages": HELLO, **body})
        return answer.status_code, answer.json()


def nested(depth: int, begin: str = "[", end: str = "]") -> bytes:
    return (begin * depth + end * depth).encode()


@pytest.mark.parametrize("begin", ["[", '{"a":'])
def test_the_depth_of_json(begin: str) -> None:
    end = {"[": "]", '{"a":': "}"}[begin]
    check_depth((begin * MAX_DEPTH + "1" + end * MAX_DEPTH).encode())
    with pytest.raises(InvalidRequest):
        check_depth((begin * (MAX_DEPTH + 1) + "1" + end * (MAX_DEPTH + 1)).encode())


@pytest.mark.parametrize("text", ["[" * 100, '"[' * 100, "\\" * 7 + "[{" * 100, '\\"' * 3 + "[" * 100, "[[\n" * 100])
def test_brackets_in_a_text_are_no_depth(text: str) -> None:
    check_depth(json.dumps({"a": text, "b": [text, "\\"], "c": [[]] * 200}).encode())
    with pytest.raises(InvalidRequest):
        check_depth(json.dumps({"a": text}).encode()[:-1] + b',"b":' + nested(MAX_DEPTH) + b"}")


@pytest.mark.parametrize("depth", [MAX_DEPTH, 1_000, 100_000, 5_000_000])
@pytest.mark.parametrize("place", ['{"messages":%s}', '{"unknown":%s}', '{"messages":[],"tools":[{"a":%s}]}', "%s"])
def test_nested_without_end(server: Served, depth: int, place: str) -> None:
    before, after = place.encode().split(b"%s")
    with server.client() as client:
        answer = client.post(CHAT, content=before + nested(depth) + after)
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"


def deep(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"type": "object", "properties": {"a": schema}}
    return schema


BOMBS: dict[str, Any] = {
    "deep": deep(28),
    "wide": {"type": "object", "properties": {f"k{number}": {"type": "string"} for number in range(1_100)}},
    "enum": {"enum": [str(number) for number in range(6_000)]},
    "long text": {"const": "x" * 300_000},
    "circle": {"$ref": "#"},
    "long circle": {"$ref": "#/$defs/a", "$defs": {"a": {"$ref": "#/$defs/b"}, "b": {"$ref": "#/$defs/a"}}},
    "nowhere": {"$ref": "#/$defs/a"},
    "elsewhere": {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:9/schema.json"}}},
    "file": {"$ref": "file:///etc/passwd"},
    "long pattern": {"type": "string", "pattern": "(a|b)" * 1_000},
    "nested pattern": {"type": "string", "pattern": "(" * 450 + ")" * 450},
    "repeating pattern": {"type": "string", "pattern": "((a{100}){100}){100}"},
    "copies": {"type": "array", "items": {"type": "array", "minItems": 10**9}, "minItems": 10**9, "maxItems": 10**9},
    "no schema": {"type": "nonsense"},
}


@pytest.mark.parametrize("bomb", sorted(set(BOMBS) - {"deep", "nested pattern", "copies"}))
def test_a_schema_that_would_explode(server: Served, bomb: str) -> None:
    tool = {"type": "function", "function": {"name": "f", "parameters": BOMBS[bomb]}}
    status, body = ask(server, tools=[tool])
    assert (status, body["error"]["code"]) == (400, "invalid_schema")
    wanted = {"type": "json_schema", "json_schema": {"name": "f", "schema": BOMBS[bomb]}}
    status, body = ask(server, response_format=wanted)
    assert (status, body["error"]["code"]) == (400, "invalid_schema")


@pytest.mark.parametrize("bomb", BOMBS)
def test_the_engine_survives_every_schema(server: Served, bomb: str) -> None:
    """A model that can follow schemas, which makes a grammar of them."""
    schema = {"type": "json_schema", "json_schema": {"name": "f", "schema": BOMBS[bomb]}}
    status, body = ask(server, model="says", max_tokens=4, response_format=schema)
    assert status in (200, 400), body
    assert ask(server, model="says", max_tokens=4)[0] == 200


def test_a_chain_of_references_takes_no_time_worth_telling() -> None:
    """Each is looked at once, not once for each that leads to it: the square of that would take minutes."""
    from abierto.runtime import schema

    chain = {f"a{number}": {"$ref": f"#/$defs/a{number + 1}"} for number in range(900)}
    schema.check({"$defs": {**chain, "a900": {"type": "string"}}, "$ref": "#/$defs/a0"}, "tools[0]")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"messages": HELLO * 10_001}, "messages"),
        ({"tools": [{"type": "function", "function": {"name": f"f{number}"}} for number in range(513)]}, "tools"),
        ({"n": 10**9}, "n"),
        ({"stop": ["a"] * 1_000}, "stop"),
    ],
    ids=["messages", "tools", "n", "stop"],
)
def test_too_many_of_anything(server: Served, body: dict[str, Any], where: str) -> None:
    status, told = ask(server, **body)
    assert (status, told["error"]["param"]) == (400, where)


def test_a_prompt_of_ten_megabytes(server: Served) -> None:
    status, body = ask(server, messages=[{"role": "user", "content": "word " * 2_000_000}])
    assert (status, body["error"]["code"]) == (400, "prompt_too_long")


def test_a_body_that_is_announced_too_large_is_not_waited_for(server: Served) -> None:
    with closing(connect(server)) as connection:
        connection.sendall(request(CHAT, {}, length=MAX_BODY + 1))
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_body_that_turns_out_too_large_is_refused_and_the_connection_lives_on(server: Served) -> None:
    piece = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    head = f"POST {CHAT} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n".encode()
    with closing(connect(server)) as connection:
        connection.sendall(head)
        for _ in range(MAX_BODY // 1_000_000 + 10):
            connection.sendall(piece)
        connection.sendall(b"0\r\n\r\n")
        answer = connection.recv(65536)
        assert answer.startswith(b"HTTP/1.1 413 ")
        while not answer.endswith(b"}"):
            answer += connection.recv(65536)
        connection.sendall(request(CHAT, {"model": "echo", "messages": HELLO}))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200 ")


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize("what", ["header", "headers", "address"])
def test_a_head_that_is_too_large(server: Served, what: str, whole: bool) -> None:
    long = "x" * (MAX_HEAD + 1)
    head = {
        "header": f"GET / HTTP/1.1\r\nHost: localhost\r\nCookie: {long}",
        "headers": "GET / HTTP/1.1\r\nHost: localhost\r\n" + "\r\n".join(f"x-{n}: {n}" for n in range(10_000)),
        "address": f"GET /{long} HTTP/1.1",
    }[what]
    connection = connect(server)
    connection.sendall((head + ("\r\n\r\n" if whole else "")).encode())
    assert until_closed(connection).startswith(b"HTTP/1.1 431 ")


@pytest.mark.parametrize("garbage", [b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"hello\r\n\r\n", b"GET\r\n\r\n"])
def test_what_is_no_http(server: Served, garbage: bytes) -> None:
    connection = connect(server)
    connection.sendall(garbage)
    assert until_closed(connection).startswith(b"HTTP/1.1 400 ")


def test_a_connection_that_sends_nothing_is_closed(hasty: Served) -> None:
    assert until_closed(connect(hasty)) == b""


@pytest.mark.parametrize("begun", [b"G", b"POST /v1/chat/completions HTTP/1.1\r\nHost: loc"])
def test_a_head_that_does_not_end_is_given_up(hasty: Served, begun: bytes) -> None:
    connection = connect(hasty)
    connection.sendall(begun)
    assert until_closed(connection).startswith(b"HTTP/1.1 408 ")


def test_a_second_head_on_a_connection_is_given_up_as_well(hasty: Served) -> None:
    connection = connect(hasty)
    connection.sendall(request(CHAT, {"model": "echo", "messages": HELLO}) + b"POST /v1")
    answers = until_closed(connection)
    assert answers.startswith(b"HTTP/1.1 200 ")
    assert b"HTTP/1.1 408 " in answers


def test_a_body_that_does_not_arrive_is_given_up(hasty: Served) -> None:
    connection = connect(hasty)
    connection.sendall(request(CHAT, {"model": "echo"}, length=1_000))
    answer = until_closed(connection)
    assert answer.startswith(b"HTTP/1.1 408 ")
    assert b'"request_too_slow"' in answer


def test_a_refused_body_that_does_not_end_is_given_up(hasty: Served) -> None:
    connection = connect(hasty)
    connection.sendall(request(CHAT, {"model": "echo"}, length=1_000).replace(b"localhost", b"evil.example"))
    assert until_closed(connection).startswith(b"HTTP/1.1 403 ")


def test_a_client_that_never_reads_is_given_up(hasty: Served) -> None:
    """The answer is larger than what the system keeps for the two of them, so that the server is stuck with it."""
    token = Tokens(hasty.home / "data").add("sleeper")
    said = " ".join(["x" * 10_000] * 3_000)
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.settimeout(PATIENCE)
        connection.connect(place(hasty))
        body = {"model": "echo", "stream": True, "messages": [{"role": "user", "content": said}]}
        connection.sendall(request(CHAT, body, token=token))
        assert logged(hasty, "sleeper")["seconds"] >= 1  # written when the server is done with it
        assert len(until_closed(connection)) < len(said)
    assert ask(hasty)[0] == 200


def test_clients_that_vanish_stop_the_computing(serve: Serve) -> None:
    """Each has the only place of its model for as long as it is computed."""
    server = serve(users=1)
    body = {"model": "endless", "messages": HELLO, "stream": True}
    for name in ("ana", "luis"):
        token = Tokens(server.home / "data").add(name)
        with closing(connect(server)) as connection:
            connection.sendall(request(CHAT, body, token=token))
            assert connection.recv(12).startswith(b"HTTP/1.1 200")
        entry = logged(server, name)
        assert (entry["status"], entry["error"], entry.get("completion_tokens")) == (499, "cancelled", None)
    assert ask(server, model="endless", max_tokens=4)[0] == 200


def test_a_client_that_vanishes_before_its_body_is_there(server: Served) -> None:
    token = Tokens(server.home / "data").add("hurried")
    with closing(connect(server)) as connection:
        connection.sendall(request(CHAT, {"model": "echo"}, length=1_000, token=token))
    assert logged(server, "hurried")["status"] == 499


@pytest.mark.skipif(sys.platform == "win32", reason="a script with a first line is no program there")
def test_a_model_that_never_gets_ready_holds_nobody_longer_than_the_deadline(serve: Serve, tmp_path: Path) -> None:
    program = tmp_path / "never-ready"
    program.write_text("#!/bin/sh\nexec sleep 1000\n", "utf-8")
    program.chmod(0o755)
    server = serve(request_seconds=1, engine="llamacpp", llama_server=program)
    body = {"model": "says", "messages": HELLO, "max_tokens": 5}
    with server.client() as client:
        for path in (CHAT, "/v1/messages", "/v1/messages/count_tokens"):
            late = client.post(path, json=body)
            assert (path, late.status_code) == (path, 504)
        assert client.post("/abierto/v1/models/load", json={"model": "says"}).status_code == 504
        assert client.post(CHAT, json={"model": "echo", "messages": HELLO}).status_code in (200, 504)
    left = server.children()
    server.stop()
    gone, alive = psutil.wait_procs(left, PATIENCE)
    assert (bool(gone), alive) == (True, [])
