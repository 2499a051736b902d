"""Bad input to all of OpenAI's paths: each gets an error of OpenAI's form, and the server goes on as before."""

import json
from typing import Any

import pytest

from tests.server.conftest import Served

HELLO = [{"role": "user", "content": "hello"}]
CHAT, COMPLETE, EMBED, RERANK = "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/rerank"
GOOD: dict[str, dict[str, Any]] = {
    CHAT: {"model": "echo", "messages": HELLO},
    COMPLETE: {"model": "echo", "prompt": "hello"},
    EMBED: {"model": "echo", "input": "hello"},
    RERANK: {"model": "echo", "query": "a", "documents": ["a"]},
}
HUGE = "word " * 2_000_000  # 10 MB
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,bm8gcGljdHVyZQ=="}}


def schema(levels: int) -> Any:
    """A form of answers with so many objects within each other."""
    made: Any = {"type": "string"}
    for _ in range(levels):
        made = {"type": "object", "properties": {"a": made}}
    return {"type": "json_schema", "json_schema": {"name": "deep", "schema": made}}


def refused(server: Served, path: str, content: bytes | str, status: int = 400) -> Any:
    """The error, which has OpenAI's form whatever it is."""
    with server.client() as client:
        answer = client.post(path, content=content, headers={"content-type": "application/json"})
        assert answer.status_code == status, answer.text[:500]
        error = answer.json()["error"]
        assert set(error) == {"message", "type", "param", "code"}
        assert error["message"]
        # Whatever it was, the next one is answered.
        assert client.post(path, json=GOOD[path]).status_code == 200
    return error


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"nothing", b"[]", b"null", b"3", b'"text"', b"\xff\xfe", b'{"model": "\xff"}', b"[" * 100_000, b"{}x"],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_object_of_json(server: Served, path: str, content: bytes) -> None:
    assert refused(server, path, content)["code"] == "invalid_request"


@pytest.mark.parametrize(
    ("path", "field", "value"),
    [
        (CHAT, "model", 3),
        (CHAT, "messages", "hello"),
        (CHAT, "messages", [{"role": "nobody", "content": "a"}]),
        (CHAT, "messages", [{"content": "a"}]),
        (CHAT, "messages", [{"role": "user", "content": [{"type": "poem"}]}]),
        (CHAT, "messages", [{"role": "user", "content": [PICTURE]}]),
        (CHAT, "stream", "yes"),
        (CHAT, "n", 10**9),
        (CHAT, "n", -1),
        (CHAT, "n", 1.5),
        (CHAT, "temperature", -1),
        (CHAT, "temperature", "hot"),
        (CHAT, "temperature", 1e308),
        (CHAT, "max_tokens", -1),
        (CHAT, "max_tokens", True),
        (CHAT, "max_tokens", 10**30),
        (CHAT, "stop", 7),
        (CHAT, "logit_bias", {"1": "a"}),
        (CHAT, "tools", [{"type": "custom", "custom": {"name": "a"}}]),
        (CHAT, "tool_choice", "sometimes"),
        (CHAT, "tool_choice", {"type": "custom", "custom": {"name": "a"}}),
        (CHAT, "response_format", {"type": "xml"}),
        (CHAT, "response_format", {"type": "json_object"}),
        (CHAT, "response_format", schema(200)),
        (CHAT, "tools", [{"type": "function", "function": {"name": f"a{number}"}} for number in range(129)]),
        (CHAT, "logit_bias", {"1": 5}),
        (CHAT, "messages", [{"role": "user", "content": HUGE}]),
        (COMPLETE, "prompt", HUGE),
        (COMPLETE, "prompt", 3),
        (COMPLETE, "temperature", -1),
        (COMPLETE, "n", 10**9),
        (COMPLETE, "logprobs", True),
        (EMBED, "input", HUGE),
        (EMBED, "input", None),
        (EMBED, "dimensions", -1),
        (EMBED, "dimensions", "few"),
        (RERANK, "query", HUGE),
        (RERANK, "documents", "a"),
        (RERANK, "documents", [HUGE]),
        (RERANK, "top_n", "all"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be(server: Served, path: str, field: str, value: Any) -> None:
    error = refused(server, path, json.dumps({**GOOD[path], field: value}))
    assert error["type"] == "invalid_request_error"


@pytest.mark.parametrize("path", GOOD)
@pytest.mark.parametrize("model", ["nobody", "/etc/passwd", "file:/etc/passwd", "hf:a/b", "../echo", "https://a.b/c"])
def test_a_model_that_is_not_here(server: Served, path: str, model: str) -> None:
    error = refused(server, path, json.dumps({**GOOD[path], "model": model}), 404)
    assert error["type"] == "not_found_error"


@pytest.mark.parametrize("path", GOOD)
def test_unknown_fields_are_passed_over(server: Served, path: str) -> None:
    with server.client() as client:
        assert client.post(path, json={**GOOD[path], "nobody_knows_this": {"a": [1]}}).status_code == 200


def test_a_body_that_is_too_large(server: Served) -> None:
    error = refused(server, CHAT, b'{"messages": "' + b"a" * 65_000_000 + b'"}', 413)
    assert error["code"] == "request_too_large"


@pytest.mark.parametrize(("method", "path"), [("GET", CHAT), ("POST", "/v1/models"), ("POST", "/v1/nothing")])
def test_a_path_that_nothing_answers_to(server: Served, method: str, path: str) -> None:
    with server.client() as client:
        answer = client.request(method, path)
    assert (answer.status_code, answer.json()["error"]["code"]) == (404, "unknown_route")
