"""Ollama's chat, generate and embed, with the client that Ollama makes; every body is checked by the client's types."""

import asyncio
import base64
import json
from collections.abc import Iterator
from typing import Any, TypeVar

import httpx2
import ollama
import pytest
from ollama import ChatResponse, EmbedResponse, GenerateResponse
from pydantic import BaseModel

from tests.server.conftest import Served

HELLO: Any = [{"role": "user", "content": "hello there you"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}
# One white pixel.
PNG = base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAQAAAC1HAwCAAAAC0lEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=")

Kind = TypeVar("Kind", bound=BaseModel)


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[ollama.Client]:
    with ollama.Client(server.address) as client:
        yield client


def checked(kind: type[Kind], body: str) -> Kind:
    """The body as the client's own type, which takes no number for a text and the like."""
    return kind.model_validate_json(body, strict=True)


def lines(server: Served, path: str, **body: object) -> Iterator[str]:
    """The lines of a stream."""
    with server.client() as client, client.stream("POST", path, json=body) as answer:
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/x-ndjson"
        yield from answer.iter_lines()


def refusal(server: Served, path: str, **body: object) -> tuple[int, str]:
    """The status and the words of an error, which has nothing else."""
    with server.client() as client:
        answer = client.post(path, json=body)
    found = answer.json()
    assert list(found) == ["error"]
    return answer.status_code, found["error"]


def test_a_whole_answer(client: ollama.Client) -> None:
    answer = client.chat("echo", HELLO)
    assert answer.message.content == "hello there you"
    assert (answer.model, answer.done, answer.done_reason) == ("echo", True, "stop")
    assert (answer.prompt_eval_count, answer.eval_count) == (4, 3)
    assert answer.total_duration
    ChatResponse.model_validate(answer.model_dump(), strict=True)


def test_a_stream_is_what_comes_where_nothing_is_said(server: Served) -> None:
    chunks = [checked(ChatResponse, line) for line in lines(server, "/api/chat", model="echo", messages=HELLO)]
    assert "".join(chunk.message.content or "" for chunk in chunks) == "hello there you"
    assert [chunk.done for chunk in chunks] == [False] * (len(chunks) - 1) + [True]
    assert chunks[-1].done_reason == "stop"
    assert chunks[-1].eval_count == 3
    assert all(chunk.message.role == "assistant" for chunk in chunks)


def test_a_name_may_have_the_tag_that_is_meant_without_one(client: ollama.Client) -> None:
    assert client.chat("echo:latest", HELLO).model == "echo:latest"
    assert [model.model for model in client.ps().models] == ["echo:latest"]


def test_several_people_at_once(server: Served) -> None:
    async def ask(number: int) -> str:
        async with ollama.AsyncClient(server.address) as client:
            stream = await client.chat("echo", [{"role": "user", "content": f"number {number}"}], stream=True)
            return "".join([chunk.message.content or "" async for chunk in stream])

    async def ask_all() -> list[str]:
        return await asyncio.gather(*(ask(number) for number in range(8)))

    assert asyncio.run(ask_all()) == [f"number {number}" for number in range(8)]


def test_options(client: ollama.Client) -> None:
    options = {"num_predict": 1, "temperature": 0.0, "top_k": -1, "seed": -3, "num_gpu": 1, "num_thread": 4}
    answer = client.generate("echo", "one two three", options=options)
    assert (answer.response, answer.done_reason) == ("one", "length")
    assert client.generate("echo", "one two three", options={"stop": ["two"], "num_predict": -1}).response == "one "


def test_a_model_in_a_file_answers(client: ollama.Client) -> None:
    answer = client.chat("says", HELLO, options={"temperature": 0.0})
    assert answer.message.content == "Hé 你🙂."
    assert answer.prompt_eval_duration
    assert answer.eval_duration


def test_a_tool_is_called_with_an_object(client: ollama.Client, server: Served) -> None:
    said: Any = [{"role": "user", "content": 'weather for {"city": "Lima"}'}]
    answer = client.chat("echo", said, tools=[TOOL])
    [call] = answer.message.tool_calls or []
    assert (call.function.name, call.function.arguments) == ("weather", {"city": "Lima"})
    assert answer.done_reason == "stop"
    streamed = [
        checked(ChatResponse, line) for line in lines(server, "/api/chat", model="echo", messages=said, tools=[TOOL])
    ]
    assert [bool(chunk.message.tool_calls) for chunk in streamed] == [True, False]


def test_what_a_tool_said_is_taken(client: ollama.Client) -> None:
    called: Any = {
        "role": "assistant",
        "tool_calls": [{"function": {"name": "weather", "arguments": {"city": "Lima"}}}],
    }
    told: Any = {"role": "tool", "tool_name": "weather", "content": "it is raining"}
    answer = client.chat("echo", [*HELLO, called, told], tools=[TOOL])
    assert answer.message.content == "it is raining"


def test_logprobs(server: Served, client: ollama.Client) -> None:
    answer = client.chat("echo", HELLO, logprobs=True, top_logprobs=2)
    assert [one.token for one in answer.logprobs or []] == ["hello", " there", " you"]
    assert [one.token for one in (answer.logprobs or [])[0].top_logprobs or []] == ["hello"]
    asked = {"model": "echo", "prompt": "a b", "logprobs": True}
    chunks = [checked(GenerateResponse, line) for line in lines(server, "/api/generate", **asked)]
    assert [[one.token for one in chunk.logprobs or []] for chunk in chunks] == [["a"], [" b"], []]


def test_generate(client: ollama.Client, server: Served) -> None:
    answer = client.generate("echo", "hello you", system="Be brief.")
    assert answer.response == "hello you"
    assert answer.prompt_eval_count == 6  # with the system prompt: each message, and each word
    GenerateResponse.model_validate(answer.model_dump(), strict=True)
    chunks = [checked(GenerateResponse, line) for line in lines(server, "/api/generate", model="echo", prompt="a b")]
    assert "".join(chunk.response or "" for chunk in chunks) == "a b"
    assert chunks[-1].done


def test_a_raw_prompt_has_no_template(client: ollama.Client) -> None:
    assert client.generate("echo", "hello you", raw=True).prompt_eval_count == 2


def test_a_schema_is_followed(client: ollama.Client) -> None:
    schema: Any = {
        "type": "object",
        "properties": {"a": {"const": "b"}},
        "required": ["a"],
        "additionalProperties": False,
    }
    for form in (schema, "json"):
        answer = client.chat("says", HELLO, format=form, options={"num_predict": 200, "temperature": 0.0})
        body = answer.message.content or ""
        assert body.lstrip().startswith("{")
        if form is schema:
            assert json.loads(body) == {"a": "b"}


def test_vectors(client: ollama.Client, server: Served) -> None:
    answer = client.embed("echo", ["hello you", "hello"])
    assert [len(vector) for vector in answer.embeddings] == [64, 64]
    assert answer.prompt_eval_count == 3
    with server.client() as plain:
        checked(EmbedResponse, plain.post("/api/embed", json={"model": "echo", "input": "hello"}).text)
    short = client.embed("echo", "hello you", dimensions=20).embeddings[0]
    assert len(short) == 20
    assert sum(value * value for value in short) == pytest.approx(1.0)
    assert client.embeddings("echo", "hello").embedding == client.embed("echo", "hello").embeddings[0]


def test_without_a_prompt_a_model_comes_and_goes(client: ollama.Client) -> None:
    loaded = client.generate("endless", keep_alive="10m")
    assert (loaded.response, loaded.done, loaded.done_reason) == ("", True, "load")
    assert "endless:latest" in [model.model for model in client.ps().models]
    gone = client.chat("endless", [], keep_alive=0)
    assert (gone.message.content, gone.done_reason) == ("", "unload")
    assert client.embed("echo", []).embeddings == []
    assert client.generate("echo", "", keep_alive=0).done_reason == "unload"


def test_a_longer_context_is_loaded(client: ollama.Client, server: Served) -> None:
    def contexts(name: str) -> list[int | None]:
        """One that still answers somebody else is there until it has."""
        return [model.context_length for model in client.ps().models if model.model == name]

    client.chat("says", HELLO, options={"num_ctx": 512})
    smaller = contexts("says:latest")
    client.chat("echo", HELLO, options={"num_ctx": 5000})
    assert 5000 in contexts("echo:latest")
    client.chat("echo", HELLO)  # is answered by the one that holds more
    assert 5000 in contexts("echo:latest")
    status, words = refusal(server, "/api/chat", model="says", messages=HELLO, options={"num_ctx": 100_000})
    assert status == 400
    assert "100000" in words
    assert contexts("says:latest") == smaller


def test_a_prompt_over_the_context_is_refused(server: Served) -> None:
    long = [{"role": "user", "content": "x" * 2000}]
    status, words = refusal(server, "/api/chat", model="says", messages=long, stream=False)
    assert status == 400
    assert "1,024" in words


@pytest.mark.parametrize(
    ("path", "body", "words"),
    [
        ("chat", {"model": "", "messages": HELLO}, "$.model"),
        ("chat", {"messages": 3}, "$.messages"),
        ("chat", {"messages": [{"role": "alien", "content": "x"}]}, "$.messages[0].role"),
        ("chat", {"messages": HELLO, "options": {"temperature": -1}}, "temperature"),
        ("chat", {"messages": HELLO, "options": {"num_predict": 0}}, "num_predict"),
        ("chat", {"messages": HELLO, "options": {"num_ctx": -1}}, "num_ctx"),
        ("chat", {"messages": HELLO, "options": {"repeat_last_n": 3}}, "$.options.repeat_last_n"),
        ("chat", {"messages": HELLO, "format": "xml"}, "$.format"),
        ("chat", {"messages": HELLO, "format": {"type": "nothing"}}, "format"),
        ("chat", {"messages": HELLO, "think": "deeply"}, "$.think"),
        ("chat", {"messages": HELLO, "keep_alive": "soon"}, "$.keep_alive"),
        ("chat", {"messages": HELLO, "logprobs": True, "top_logprobs": 21}, "top_logprobs"),
        ("chat", {"messages": [{"role": "user", "images": ["/etc/passwd!"]}]}, "$.messages[0].images[0]"),
        ("generate", {"prompt": "a", "suffix": "b"}, "$.suffix"),
        ("generate", {"prompt": "a", "template": "b"}, "$.template"),
        ("generate", {"prompt": "a", "context": [1]}, "$.context"),
        ("generate", {"prompt": "a", "raw": True, "system": "b"}, "$.system"),
        ("embed", {"input": ["a", ""]}, "$.input[1]"),
        ("embed", {"input": "a", "dimensions": -1}, "dimensions"),
        ("embed", {"input": [1]}, "$.input"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_place(server: Served, path: str, body: dict[str, Any], words: str) -> None:
    status, said = refusal(server, f"/api/{path}", **{"model": "echo", **body})
    assert status == 400
    assert words in said


def test_an_image_for_a_model_that_does_not_see_is_refused(client: ollama.Client) -> None:
    with pytest.raises(ollama.ResponseError, match="images") as refused:
        client.chat("echo", [{"role": "user", "content": "what is it?", "images": [PNG]}])
    assert refused.value.status_code == 400


def test_a_model_that_is_not_there(client: ollama.Client) -> None:
    for stream in (True, False):
        with pytest.raises(ollama.ResponseError, match="no model called nobody") as missing:
            list(client.chat("nobody", HELLO, stream=stream))
        assert missing.value.status_code == 404


def test_what_is_no_json_is_told(server: Served) -> None:
    answer = httpx2.post(f"{server.address}/api/chat", content=b'{"messages": [')
    assert answer.status_code == 400
    assert list(answer.json()) == ["error"]
