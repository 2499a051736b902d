"""Anthropic's dialect, with the client that Anthropic makes, which checks every form by its own types."""

import base64
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import anthropic
import httpx2
import pytest
from anthropic.types import Message, MessageTokensCount, RawMessageStreamEvent
from pydantic import BaseModel, TypeAdapter

from tests.server.conftest import Serve, Served

HELLO: Any = [{"role": "user", "content": "hello there you"}]
TOOL: Any = {
    "name": "weather",
    "description": "How it is outside.",
    "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
}
FOR_LIMA: Any = [{"role": "user", "content": 'the weather for {"city": "Lima"}'}]
EVENT: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="  # a PNG


@pytest.fixture(scope="module")
def client(server: Served) -> anthropic.Anthropic:
    return anthropic.Anthropic(base_url=server.address, api_key="none", max_retries=0, _strict_response_validation=True)


@pytest.fixture
def asking(server: Served) -> anthropic.AsyncAnthropic:
    return anthropic.AsyncAnthropic(
        base_url=server.address, api_key="none", max_retries=0, _strict_response_validation=True
    )


def test_a_whole_answer(client: anthropic.Anthropic) -> None:
    answer = client.messages.create(model="echo", max_tokens=100, messages=HELLO, system="Echo.")
    Message.model_validate(answer.model_dump(), strict=True)
    assert [block.to_dict() for block in answer.content] == [{"type": "text", "text": "hello there you"}]
    assert (answer.stop_reason, answer.stop_sequence, answer.model) == ("end_turn", None, "echo")
    assert (answer.usage.input_tokens, answer.usage.output_tokens) == (6, 3)
    assert answer._request_id
    assert answer._request_id.startswith("req_")


def test_a_stream_has_its_events_in_order(client: anthropic.Anthropic) -> None:
    events = list(client.messages.create(model="echo", max_tokens=100, messages=HELLO, stream=True))
    for event in events:
        assert isinstance(event, BaseModel)
        EVENT.validate_python(event.model_dump(), strict=True)
    assert [event.type for event in events] == [
        "message_start",
        "content_block_start",
        *["content_block_delta"] * 3,
        "content_block_stop",
        "message_delta",
        "message_stop",
    ]
    told: Any = events[-2]
    assert (told.delta.stop_reason, told.usage.input_tokens, told.usage.output_tokens) == ("end_turn", 4, 3)


def test_the_stream_that_the_client_puts_together_is_the_whole_answer(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="echo", max_tokens=100, messages=FOR_LIMA, tools=[TOOL]) as stream:
        streamed = stream.get_final_message()
    whole = client.messages.create(model="echo", max_tokens=100, messages=FOR_LIMA, tools=[TOOL])
    for answer in (streamed, whole):
        [call] = answer.content
        assert isinstance(call, anthropic.types.ToolUseBlock)
        assert (call.name, call.input, answer.stop_reason) == ("weather", {"city": "Lima"}, "tool_use")
    assert streamed.usage.model_dump() == whole.usage.model_dump()
    assert streamed.content[0].id != whole.content[0].id  # type: ignore[union-attr]


async def _asked(asking: anthropic.AsyncAnthropic) -> tuple[str, str, int]:
    async with asking:
        whole = await asking.messages.create(model="echo", max_tokens=100, messages=HELLO)
        async with asking.messages.stream(model="echo", max_tokens=100, messages=HELLO) as stream:
            streamed = "".join([piece async for piece in stream.text_stream])
        count = await asking.messages.count_tokens(model="echo", messages=HELLO)
    [block] = whole.content
    assert isinstance(block, anthropic.types.TextBlock)
    return block.text, streamed, count.input_tokens


def test_asynchronously(asking: anthropic.AsyncAnthropic) -> None:
    import asyncio

    assert asyncio.run(_asked(asking)) == ("hello there you", "hello there you", 4)


@pytest.mark.parametrize("stream", [False, True])
def test_why_an_answer_ends(client: anthropic.Anthropic, stream: bool) -> None:
    def ending(**options: Any) -> tuple[str | None, str | None]:
        asked: Any = {"model": "echo", "max_tokens": 100, "messages": HELLO, **options}
        if not stream:
            answer = client.messages.create(**asked)
        else:
            with client.messages.stream(**asked) as pieces:
                answer = pieces.get_final_message()
        return answer.stop_reason, answer.stop_sequence

    assert ending(stop_sequences=["nowhere", "there"]) == ("stop_sequence", "there")
    assert ending(max_tokens=2) == ("max_tokens", None)
    long: Any = [{"role": "user", "content": "word " * 3000}]
    assert ending(max_tokens=4000, messages=long) == ("model_context_window_exceeded", None)


def test_a_round_with_a_tool(client: anthropic.Anthropic) -> None:
    asked = client.messages.create(model="echo", max_tokens=100, messages=FOR_LIMA, tools=[TOOL])
    [call] = asked.content
    assert isinstance(call, anthropic.types.ToolUseBlock)
    result: Any = {"type": "tool_result", "tool_use_id": call.id, "content": [{"type": "text", "text": "warm"}]}
    history: Any = [*FOR_LIMA, {"role": "assistant", "content": asked.content}, {"role": "user", "content": [result]}]
    answer = client.messages.create(model="echo", max_tokens=100, messages=history, tools=[TOOL])
    [said] = answer.content
    assert isinstance(said, anthropic.types.TextBlock)
    assert said.text == "warm"


def test_which_tool_is_called(client: anthropic.Anthropic) -> None:
    other: Any = {"name": "clock", "type": "custom", "input_schema": {"type": "object"}}

    def called(choice: Any, said: str = "nothing") -> list[str]:
        messages: Any = [{"role": "user", "content": said}]
        answer = client.messages.create(
            model="echo", max_tokens=100, messages=messages, tools=[other, TOOL], tool_choice=choice
        )
        return [block.name for block in answer.content if isinstance(block, anthropic.types.ToolUseBlock)]

    assert called({"type": "any"}) == ["clock"]
    assert called({"type": "tool", "name": "weather"}) == ["weather"]
    assert called({"type": "none"}, "weather") == []
    assert called({"type": "auto"}, "clock and weather") == ["clock", "weather"]
    assert called({"type": "auto", "disable_parallel_tool_use": True}, "clock and weather") == ["clock"]


def test_tokens_are_counted(client: anthropic.Anthropic) -> None:
    count = client.messages.count_tokens(model="echo", messages=HELLO, system="Be brief.", tools=[TOOL])
    MessageTokensCount.model_validate(count.model_dump(), strict=True)
    assert count.input_tokens == 7


def test_the_models_in_this_form_only_for_who_sends_the_header(client: anthropic.Anthropic, server: Served) -> None:
    listed = list(client.models.list(limit=1))
    assert {"echo", "says", "endless"} <= {model.id for model in listed}
    assert client.models.retrieve("echo").display_name == "echo"
    with pytest.raises(anthropic.NotFoundError):
        client.models.retrieve("nobody")
    assert "first_id" not in httpx2.get(f"{server.address}/v1/models").json()


CLAUDE_CODE: Any = {
    "model": "echo",
    "max_tokens": 32000,
    "stream": True,
    "metadata": {"user_id": "user_0_account__session_0"},
    "system": [
        {"type": "text", "text": "x-anthropic-billing-header: cc_version=2"},
        {"type": "text", "text": "You are a tool.", "cache_control": {"type": "ephemeral", "ttl": "1h"}},
    ],
    "thinking": {"type": "adaptive"},
    "context_management": {"edits": [{"type": "clear_thinking_20251015", "keep": "all"}]},
    "output_config": {"effort": "high"},
    "temperature": 1,
    "tools": [
        {
            **TOOL,
            "input_schema": {"$schema": "https://json-schema.org/draft/2020-12/schema", **TOOL["input_schema"]},
            "eager_input_streaming": True,
            "defer_loading": True,
            "strict": True,
            "cache_control": {"type": "ephemeral"},
        }
    ],
    "messages": [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "<system-reminder>Mind this.</system-reminder>"},
                {"type": "text", "text": "run it", "cache_control": {"type": "ephemeral"}},
            ],
        },
        {
            "role": "assistant",
            "content": [
                {"type": "thinking", "thinking": "What is the weather?", "signature": "unsigned"},
                {"type": "redacted_thinking", "data": "AAAA"},
                {"type": "text", "text": "I look."},
                {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Lima"}, "caller": None},
            ],
        },
        {
            "role": "user",
            "content": [
                {"type": "tool_result", "tool_use_id": "toolu_1", "content": "no", "is_error": True},
                {"type": "text", "text": "well then"},
            ],
        },
    ],
}


def test_what_claude_code_sends(server: Served) -> None:
    headers = {
        "anthropic-version": "2023-06-01",
        "anthropic-beta": "claude-code-20250219,interleaved-thinking-2025-05-14,context-management-2025-06-27",
        "authorization": "Bearer none",
        "x-app": "cli",
    }
    with server.client(headers=headers) as client:
        answer = client.post("/v1/messages?beta=true", json=CLAUDE_CODE)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"].startswith("text/event-stream")
        names = [line[7:] for line in answer.text.splitlines() if line.startswith("event: ")]
        assert names[:3] == ["message_start", "ping", "content_block_start"]
        assert names[-2:] == ["message_delta", "message_stop"]
        said = [json.loads(line[6:]) for line in answer.text.splitlines() if line.startswith("data: ")]
        assert "".join(one["delta"]["text"] for one in said if one["type"] == "content_block_delta") == "well then"
        asked = {name: CLAUDE_CODE[name] for name in ("model", "system", "messages", "tools", "thinking")}
        assert client.post("/v1/messages/count_tokens?beta=true", json=asked).json()["input_tokens"] > 10


def test_the_forms_of_the_beta(client: anthropic.Anthropic) -> None:
    answer = client.beta.messages.create(model="echo", max_tokens=100, messages=HELLO, betas=["context-1m-2025-08-07"])
    assert [block.to_dict() for block in answer.content] == [{"type": "text", "text": "hello there you"}]


def _said(*blocks: Any, role: str = "user") -> Any:
    return {"messages": [{"role": role, "content": list(blocks)}]}


def _tool(**fields: Any) -> Any:
    return {"tools": [{**TOOL, **fields}]}


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"messages": 3}, "$.messages"),
        ({"messages": []}, "$.messages"),
        ({"max_tokens": None}, "$.max_tokens"),
        ({"max_tokens": 0}, "max_tokens"),
        ({"temperature": -1}, "temperature"),
        ({"top_k": "many"}, "$.top_k"),
        ({"stop_sequences": ["x", ""]}, "$.stop_sequences[1]"),
        ({"stop_sequences": ["x"] * 1000}, "stop_sequences"),
        ({"thinking": {"type": "always"}}, "$.thinking.type"),
        ({"mcp_servers": [{"type": "url", "url": "http://127.0.0.1:1"}]}, "$.mcp_servers"),
        ({"container": "container_0"}, "$.container"),
        ({"output_config": {"format": {"type": "json_schema", "schema": {"type": 3}}}}, "output_config.format"),
        (_tool(type="web_search_20250305"), "$.tools[0].type"),
        (_tool(type="computer_20250124"), "$.tools[0].type"),
        (_tool(type="bash_20250124"), "$.tools[0].type"),
        (_tool(type="text_editor_20250728"), "$.tools[0].type"),
        (_tool(input_schema=None), "$.tools[0].input_schema"),
        (_tool(input_schema={"type": 3}), "tools[0]"),
        (_tool(name=""), "$.tools[0].name"),
        ({"tool_choice": {"type": "any"}}, "$.tool_choice"),
        ({"tool_choice": {"type": "tool", "name": "weather"}}, "$.tool_choice.name"),
        (_said({"type": "image", "source": {"type": "url", "url": "http://127.0.0.1/x.png"}}), "$.messages[0]"),
        (_said({"type": "image", "source": {"type": "file", "file_id": "/etc/passwd"}}), "$.messages[0]"),
        (_said({"type": "image", "source": {"type": "base64", "data": "*"}}), "$.messages[0].content[0].source.data"),
        (_said({"type": "document", "source": {"type": "text", "data": "x"}}), "$.messages[0].content[0].type"),
        (_said({"type": "web_search_tool_result", "content": []}), "$.messages"),
        (_said({"type": "tool_use", "id": "a", "name": "b", "input": {}}), "$.messages[0].content[0].type"),
        (_said({"type": "tool_result", "tool_use_id": "a"}), "$.messages[0].content[0].tool_use_id"),
        (_said({"type": "text", "text": "I go on"}, role="assistant"), "$.messages[0].role"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_place(server: Served, body: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/messages", json={"model": "echo", "max_tokens": 9, "messages": HELLO, **body})
    assert answer.status_code == 400, answer.text
    told = answer.json()
    anthropic.types.ErrorResponse.model_validate(told, strict=True)
    assert told["error"]["type"] == "invalid_request_error"
    assert where in told["error"]["message"]
    assert told["request_id"] == answer.headers["request-id"]


def test_a_picture_for_a_model_that_sees_none(client: anthropic.Anthropic) -> None:
    source: Any = {"type": "base64", "media_type": "image/png", "data": PIXEL}
    assert base64.b64decode(PIXEL).startswith(b"\x89PNG")
    with pytest.raises(anthropic.BadRequestError):
        client.messages.create(model="echo", max_tokens=9, **_said({"type": "image", "source": source}))


def test_a_model_that_is_not_there(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError, match="no model called claude-nothing-0") as caught:
        client.messages.create(model="claude-nothing-0", max_tokens=9, messages=HELLO)
    assert caught.value.type == "not_found_error"
    with pytest.raises(anthropic.NotFoundError):
        client.messages.count_tokens(model="claude-nothing-0", messages=HELLO)


def test_a_path_that_is_not_there(client: anthropic.Anthropic) -> None:
    with pytest.raises(anthropic.NotFoundError) as caught:
        client.messages.batches.retrieve("batch_0")
    assert caught.value.type == "not_found_error"


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long_is_told_in_the_words_that_clients_look_for(
    client: anthropic.Anthropic, stream: bool
) -> None:
    long: Any = [{"role": "user", "content": "word " * 5000}]
    with pytest.raises(anthropic.BadRequestError, match="prompt is too long: 5002 tokens > 4096 maximum"):
        client.messages.create(model="echo", max_tokens=9, messages=long, stream=stream)


def test_what_is_no_json_is_told(server: Served) -> None:
    answer = httpx2.post(f"{server.address}/v1/messages", content=b'{"messages": [')
    assert answer.status_code == 400
    assert answer.json()["error"]["type"] == "invalid_request_error"


def test_a_real_model_with_characters_of_several_bytes(client: anthropic.Anthropic) -> None:
    with client.messages.stream(model="says", max_tokens=50, messages=HELLO) as stream:
        streamed = stream.get_final_message()
    whole = client.messages.create(model="says", max_tokens=50, messages=HELLO)
    assert [block.to_dict() for block in streamed.content] == [block.to_dict() for block in whole.content]
    [block] = whole.content
    assert isinstance(block, anthropic.types.TextBlock)
    assert block.text == "Hé 你🙂."


def test_an_engine_that_dies_in_the_middle_ends_the_stream_with_an_error(serve: Serve) -> None:
    server = serve()
    client = anthropic.Anthropic(base_url=server.address, api_key="none", max_retries=0)
    events = client.messages.create(model="endless", max_tokens=8000, messages=HELLO, stream=True)
    seen: list[str] = []
    while "content_block_delta" not in seen:
        seen.append(next(events).type)
    for child in server.children():
        child.kill()
    with pytest.raises(anthropic.APIStatusError) as caught:
        seen.extend(event.type for event in events)
    assert seen[0] == "message_start"
    assert "message_stop" not in seen
    assert caught.value.type == "api_error"
    told: Any = caught.value.body
    assert told["request_id"] == caught.value.response.headers["request-id"]


@pytest.mark.parametrize("language", ["en", "es"])
def test_the_example_in_the_guide_runs(server: Served, language: str) -> None:
    guide = Path(__file__).parents[2] / "docs" / language / "guides" / "server-clients.md"
    found = re.search(r"(?ms)^```py\n(import anthropic\n.*?)\n```$", guide.read_text("utf-8"))
    assert found
    code = found[1].replace("http://127.0.0.1:11435", server.address)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, encoding="utf-8", check=True)
    assert done.stdout == "Name three rivers.\n"
