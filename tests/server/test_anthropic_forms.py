"""Anthropic's dialect as pure functions: what no engine here says by itself, and what a body becomes."""

import base64
import json
from typing import Any

import msgspec
import pytest
from anthropic.lib.streaming._messages import accumulate_event
from anthropic.types import Message, RawMessageStreamEvent
from pydantic import TypeAdapter

from abierto.errors import InvalidRequest
from abierto.runtime.known import Known
from abierto.server.anthropic.messages import SIGNATURE, Answer, MessageStream
from abierto.server.anthropic.messages_body import CountBody, MessagesBody, conversation, parse
from abierto.server.anthropic.models import page
from abierto.server.exchange import Facts
from abierto.tasks import chat
from abierto.tasks.events import Event, Finish, Progress, Reasoning, Text, ToolCallDelta, Usage

FACTS = Facts("thinker", "thinker", 0)
THOUGHT: list[Event] = [
    Progress("prompt", 5, 10),
    Reasoning("Let me "),
    Reasoning("see."),
    Text("I look "),
    Text("twice."),
    ToolCallDelta(0, "call_0", "look"),
    ToolCallDelta(0, arguments='{"at":'),
    ToolCallDelta(0, arguments=' "é"}'),
    ToolCallDelta(1, "call_1", "look"),
    Usage(10, 7, cached_tokens=4),
    Finish("tool_calls"),
]


def _streamed(answer: Answer, events: list[Event]) -> list[dict[str, Any]]:
    stream = MessageStream(answer)
    written = stream.begin(FACTS) + b"".join(stream.event(0, event) for event in events) + stream.end()
    told = []
    for one in written.decode().strip().split("\n\n"):
        name, data = one.split("\n")
        told.append(json.loads(data.removeprefix("data: ")))
        assert name == f"event: {told[-1]['type']}"
    return told


def _put_together(told: list[dict[str, Any]]) -> dict[str, Any]:
    """As the client does it."""
    adapter: TypeAdapter[Any] = TypeAdapter(RawMessageStreamEvent)
    message: Any = None
    buffers: dict[int, bytes] = {}
    for one in told:
        if one["type"] != "ping":
            event = adapter.validate_python(one)
            message = accumulate_event(event=event, current_snapshot=message, json_bufs=buffers)
    found: dict[str, Any] = message.to_dict()
    assert found.pop("stop_details") is None
    for block in found["content"]:
        block.pop("parsed_output", None)
    return found


def _body(**fields: Any) -> chat.ChatRequest:
    whole = {"model": "echo", "max_tokens": 9, "messages": [{"role": "user", "content": "a"}], **fields}
    return parse(msgspec.convert(whole, MessagesBody))


def test_thoughts_words_and_calls_are_blocks_in_order() -> None:
    told = _streamed(Answer("x", 100), THOUGHT)
    kinds = [one["content_block"]["type"] for one in told if one["type"] == "content_block_start"]
    assert kinds == ["thinking", "text", "tool_use", "tool_use"]
    assert [one["index"] for one in told if one["type"] == "content_block_stop"] == [0, 1, 2, 3]
    signed = [one["type"] for one in told].index("content_block_stop") - 1
    assert told[signed]["delta"] == {"type": "signature_delta", "signature": SIGNATURE}
    assert [one["type"] for one in told].count("ping") == 2


def test_a_stream_says_what_the_whole_answer_says() -> None:
    whole = Answer("x", 100).whole(THOUGHT, FACTS)
    Message.model_validate(whole, strict=True)
    assert _put_together(_streamed(Answer("x", 100), THOUGHT)) == whole
    assert [block["input"] for block in whole["content"] if block["type"] == "tool_use"] == [{"at": "é"}, {}]
    assert whole["stop_reason"] == "tool_use"
    assert whole["usage"]["input_tokens"] == 6
    assert whole["usage"]["cache_read_input_tokens"] == 4


def test_thoughts_that_are_not_to_be_told() -> None:
    whole = Answer("x", 100, hidden=True).whole(THOUGHT, FACTS)
    assert whole["content"][0] == {"type": "thinking", "thinking": "", "signature": SIGNATURE}
    assert _put_together(_streamed(Answer("x", 100, hidden=True), THOUGHT)) == whole


@pytest.mark.parametrize("arguments", ['{"at": "half', "[1]", "[" * 100_000])
def test_arguments_that_are_no_object_are_passed_on_as_they_are(arguments: str) -> None:
    events: list[Event] = [ToolCallDelta(0, "call_0", "look", arguments), Usage(1, 1), Finish("length")]
    assert Answer("x", 1).whole(events, FACTS)["content"][0]["input"] == {"INVALID_JSON": arguments}


def test_an_answer_without_a_word() -> None:
    whole = Answer("x", 100).whole([Usage(3, 0), Finish("stop")], FACTS)
    assert (whole["content"], whole["stop_reason"]) == ([], "end_turn")
    assert _put_together(_streamed(Answer("x", 100), [Usage(3, 0), Finish("stop")])) == whole


def test_an_error_in_the_middle_is_an_event() -> None:
    written = MessageStream(Answer("x", 1)).failed({"type": "error", "error": {}})
    assert written == b'event: error\ndata: {"type":"error","error":{}}\n\n'


@pytest.mark.parametrize(
    ("thinking", "reasoning"),
    [
        (None, False),
        ({"type": "disabled"}, False),
        ({"type": "enabled", "budget_tokens": 1024}, True),
        ({"type": "adaptive"}, None),
    ],
)
def test_whether_a_model_thinks(thinking: Any, reasoning: bool | None) -> None:
    assert _body(thinking=thinking).reasoning is reasoning


def test_how_tokens_are_chosen() -> None:
    chosen = _body(temperature=0.5, top_p=0.9, top_k=40, stop_sequences=["a", "b"]).sampling
    assert chosen == chat.Sampling(max_tokens=9, temperature=0.5, top_p=0.9, top_k=40, stop=("a", "b"))


@pytest.mark.parametrize("field", ["output_config", "output_format"])
def test_an_answer_that_follows_a_schema(field: str) -> None:
    wanted: Any = {"type": "json_schema", "schema": {"type": "object"}}
    body: Any = {field: {"format": wanted, "effort": "low"} if field == "output_config" else wanted}
    request = _body(**body)
    assert request.schema == {"type": "object"}
    assert "schema" in request.needs


def test_pictures_of_a_result_come_with_what_is_said_next() -> None:
    data = base64.b64encode(b"picture").decode()
    picture = {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": data}}
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {"at": "é"}}
    shown = {"type": "tool_result", "tool_use_id": "t1", "content": [{"type": "text", "text": "here"}, picture]}
    request = _body(
        system=[{"type": "text", "text": "a"}, {"type": "text", "text": "b"}],
        messages=[
            {"role": "user", "content": "one"},
            {"role": "user", "content": [{"type": "text", "text": "two"}, picture]},
            {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm", "signature": "s"}, call]},
            {"role": "user", "content": [{"type": "text", "text": "well?"}, shown]},
        ],
    )
    assert request.messages == (
        chat.Message("system", "a\nb"),
        chat.Message("user", "one\ntwo", (b"picture",)),
        chat.Message("assistant", "", calls=(chat.ToolCall("t1", "look", '{"at": "é"}'),), reasoning="hm"),
        chat.Message("tool", "here", call_id="t1"),
        chat.Message("user", "well?", (b"picture",)),
    )


def test_a_tool_that_failed_is_told_to_the_model() -> None:
    call = {"type": "tool_use", "id": "t1", "name": "look", "input": {}}
    failed = {"type": "tool_result", "tool_use_id": "t1", "content": "no such file", "is_error": True}
    request = _body(messages=[{"role": "assistant", "content": [call]}, {"role": "user", "content": [failed]}])
    assert request.messages[-1] == chat.Message("tool", "Error: no such file", call_id="t1")


def test_a_conversation_may_end_with_the_assistant_where_it_is_only_counted() -> None:
    turns = [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    counted = conversation(msgspec.convert({"model": "echo", "messages": turns}, CountBody))
    assert [message.content for message in counted.messages] == ["a", "b"]
    with pytest.raises(InvalidRequest):
        _body(messages=turns)


def test_pages_of_models() -> None:
    found = [Known(name, "chat", "gguf") for name in "abcde"]

    def names(**query: str) -> tuple[str, bool]:
        told = page(found, query)
        return "".join(one["id"] for one in told["data"]), told["has_more"]

    assert names() == ("abcde", False)
    assert names(limit="2") == ("ab", True)
    assert names(limit="2", after_id="b") == ("cd", True)
    assert names(limit="2", after_id="d") == ("e", False)
    assert names(limit="2", before_id="e") == ("cd", True)
    assert names(limit="2", before_id="b") == ("a", False)
    with pytest.raises(InvalidRequest):
        names(after_id="z")
