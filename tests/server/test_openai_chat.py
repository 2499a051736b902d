"""OpenAI's chat, with the client that OpenAI makes, which checks every form by its own types."""

from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from openai.types.chat import ChatCompletion, ChatCompletionChunk

from tests.server.conftest import Served

HELLO: Any = [{"role": "user", "content": "hello there you"}]
TOOL: Any = {
    "type": "function",
    "function": {"name": "weather", "parameters": {"type": "object", "properties": {"city": {"type": "string"}}}},
}


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(
        base_url=f"{server.address}/v1", api_key="none", max_retries=0, _strict_response_validation=True
    ) as client:
        yield client


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="echo", messages=HELLO)
    assert answer.choices[0].message.content == "hello there you"
    assert answer.choices[0].finish_reason == "stop"
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (4, 3)
    ChatCompletion.model_validate(answer.model_dump(), strict=True)


def test_a_stream(client: openai.OpenAI) -> None:
    options: Any = {"include_usage": True}
    chunks = list(client.chat.completions.create(model="echo", messages=HELLO, stream=True, stream_options=options))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks[:-1]) == "hello there you"
    assert [chunk.choices[0].finish_reason for chunk in chunks[:-1]][-1] == "stop"
    assert chunks[-1].choices == []
    assert chunks[-1].usage
    assert chunks[-1].usage.completion_tokens == 3
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)


def test_a_tool_that_must_be_called(client: openai.OpenAI) -> None:
    choice: Any = {"type": "function", "function": {"name": "weather"}}
    said: Any = [{"role": "user", "content": 'for {"city": "Lima"}'}]
    answer = client.chat.completions.create(model="echo", messages=said, tools=[TOOL], tool_choice=choice)
    [call] = answer.choices[0].message.tool_calls or []
    assert call.type == "function"
    assert (call.function.name, call.function.arguments) == ("weather", '{"city": "Lima"}')
    assert answer.choices[0].finish_reason == "tool_calls"


def test_several_answers(client: openai.OpenAI) -> None:
    answer = client.chat.completions.create(model="echo", messages=HELLO, n=3, max_tokens=2)
    assert [choice.index for choice in answer.choices] == [0, 1, 2]
    assert {choice.message.content for choice in answer.choices} == {"hello there"}
    assert {choice.finish_reason for choice in answer.choices} == {"length"}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"messages": 3}, "$.messages"),
        ({"messages": []}, "$.messages"),
        ({"messages": HELLO, "n": 10**9}, "n"),
        ({"messages": HELLO, "temperature": -1}, "temperature"),
        ({"messages": HELLO, "response_format": {"type": "json_schema"}}, "$.response_format.json_schema.schema"),
        ({"messages": HELLO, "tool_choice": "required"}, "$.tool_choice"),
        (
            {"messages": [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "file:///x"}}]}]},
            "$.messages[0].content[0].image_url.url",
        ),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_place(server: Served, body: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/chat/completions", json={"model": "echo", **body})
    assert answer.status_code == 400
    assert answer.json()["error"]["param"] == where


def test_what_is_no_json_is_told(server: Served) -> None:
    answer = httpx2.post(f"{server.address}/v1/chat/completions", content=b'{"messages": [')
    assert answer.status_code == 400
    assert answer.json()["error"]["code"] == "invalid_request"


def test_a_model_that_is_not_there(client: openai.OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="no model called nobody"):
        client.chat.completions.create(model="nobody", messages=HELLO)
