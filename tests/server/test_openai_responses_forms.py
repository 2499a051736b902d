"""The pure functions of OpenAI's responses: items to messages, bodies to requests, events to events. No server."""

from typing import Any

import msgspec
import pytest
from openai.types.responses import Response, ResponseItem, ResponseStreamEvent
from pydantic import TypeAdapter

from abierto.errors import InvalidRequest
from abierto.server.exchange import Facts
from abierto.server.kept import Record
from abierto.server.openai.responses import Following
from abierto.server.openai.responses_body import Head, ResponsesBody, echo, request_of
from abierto.server.openai.responses_events import Broken, Kept, Writer, to_bytes
from abierto.server.openai.responses_items import items_of, messages_of
from abierto.tasks.chat import ChatRequest, Message, ToolCall
from abierto.tasks.events import Finish, Logprobs, Reasoning, Text, ToolCallDelta, Usage

FACTS = Facts("asked", "loaded", 1)
EVENT: TypeAdapter[Any] = TypeAdapter(ResponseStreamEvent)
ITEM: TypeAdapter[Any] = TypeAdapter(ResponseItem)
TOOLS = [{"type": "function", "name": name} for name in ("a", "b")]
PNG = "data:image/png;base64,AAAA"
CALL = {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"}


def nobody(name: str) -> None:
    """No item is known."""


def body(**fields: Any) -> ResponsesBody:
    return msgspec.convert({"input": "x", **fields}, ResponsesBody)


def asked(**fields: Any) -> ChatRequest:
    given = body(**fields)
    return request_of(given, items_of(given.input, nobody))


def told(*items: Kept, background: bool = False) -> tuple[list[Any], dict[str, Any]]:
    """The events that the client's types make of it, and the response."""
    writer = Writer(Head("resp_1", 1, echo(body()), (), background=background))
    written = [event for item in items for event in writer.feed(item)]
    for event in written:
        EVENT.validate_python(event, strict=True)
    Response.model_validate(writer.response, strict=True)
    return written, writer.response


def test_a_turn_of_the_assistant_is_one_message() -> None:
    items = items_of(
        [
            {"role": "developer", "content": "rules"},
            {
                "role": "user",
                "content": [{"type": "input_text", "text": "q"}, {"type": "input_image", "image_url": PNG}],
            },
            {"type": "reasoning", "content": [{"text": "hm"}]},
            {"role": "assistant", "content": "words"},
            CALL,
            {**CALL, "call_id": "c2"},
            {"type": "function_call_output", "call_id": "c1", "output": "one"},
            {"type": "function_call_output", "call_id": "c2", "output": [{"type": "input_text", "text": "two"}]},
            {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]},
        ],
        nobody,
    )
    assert messages_of(items) == [
        Message("system", "rules"),
        Message("user", "q", (b"\0\0\0",)),
        Message("assistant", "words", (), (ToolCall("c1", "f", "{}"), ToolCall("c2", "f", "{}")), reasoning="hm"),
        Message("tool", "one", call_id="c1"),
        Message("tool", "two", call_id="c2"),
        Message("assistant", "no"),
    ]
    for item in items:
        ITEM.validate_python(item, strict=True)


def test_thoughts_and_words_after_calls_begin_another_turn() -> None:
    items = items_of(
        [CALL, {"role": "assistant", "content": "then"}, {"type": "reasoning", "content": [{"text": "hm"}]}, CALL],
        nobody,
    )
    calls = (ToolCall("c1", "f", "{}"),)
    assert messages_of(items) == [
        Message("assistant", "", calls=calls),
        Message("assistant", "then"),
        Message("assistant", "", calls=calls, reasoning="hm"),
    ]


def test_an_item_keeps_its_name_or_gets_one() -> None:
    [named, other] = items_of([{**CALL, "id": "fc_1"}, CALL], nobody)
    assert named["id"] == "fc_1"
    assert other["id"].startswith("fc_")


def test_instructions_come_first() -> None:
    assert asked(instructions="be brief").messages == (Message("system", "be brief"), Message("user", "x"))


def test_allowed_tools_are_those_that_the_model_is_told_of() -> None:
    choice = {"type": "allowed_tools", "mode": "required", "tools": [{"type": "function", "name": "b"}]}
    request = asked(tools=TOOLS, tool_choice=choice)
    assert [tool.name for tool in request.tools] == ["b"]
    assert request.tool_choice == "required"
    assert echo(body(tools=TOOLS, tool_choice=choice))["tool_choice"] == choice


def test_forms_of_answers() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    form = {"type": "json_schema", "name": "n", "schema": schema, "strict": True}
    assert asked(text={"format": form}).schema == schema
    assert echo(body(text={"format": form}))["text"]["format"] == form
    assert asked(text={"format": {"type": "json_object"}}).schema == {"type": "object"}
    assert asked(text={"format": {"type": "text"}}).schema is None


def test_thinking_and_what_is_told_of_tokens() -> None:
    assert asked().reasoning is None
    assert asked(reasoning={"effort": "none"}).reasoning is False
    assert asked(reasoning={"effort": "high", "summary": "auto"}).reasoning is True
    assert asked().logprobs is None
    assert asked(include=["message.output_text.logprobs"]).logprobs == 0
    assert asked(include=["reasoning.encrypted_content"]).logprobs is None
    assert asked(parallel_tool_calls=False).parallel_calls is False


@pytest.mark.parametrize("longer", [{"a" * 65: ""}, {"a": "b" * 513}], ids=["key", "value"])
def test_metadata_has_an_end(longer: dict[str, str]) -> None:
    with pytest.raises(InvalidRequest):
        asked(metadata=longer)


def test_thoughts_words_and_calls_are_items_of_their_own() -> None:
    events, response = told(
        FACTS,
        Reasoning("hm"),
        Reasoning("m"),
        Logprobs([{"token": "a", "bytes": [97], "logprob": -0.5, "top": []}]),
        Text("a"),
        ToolCallDelta(0, "c1", "f"),
        ToolCallDelta(0, arguments="{"),
        ToolCallDelta(0, arguments="}"),
        ToolCallDelta(1, "", "g", "{}"),
        Usage(5, 9, 2),
        Finish("tool_calls"),
        None,
    )
    assert [event["type"].removeprefix("response.") for event in events] == [
        *("created", "in_progress"),
        *("output_item.added", "content_part.added", "reasoning_text.delta", "reasoning_text.delta"),
        *("reasoning_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "content_part.added", "output_text.delta"),
        *("output_text.done", "content_part.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.delta"),
        *("function_call_arguments.done", "output_item.done"),
        *("output_item.added", "function_call_arguments.delta", "function_call_arguments.done", "output_item.done"),
        "completed",
    ]
    thoughts, words, first, second = response["output"]
    assert thoughts["content"] == [{"type": "reasoning_text", "text": "hmm"}]
    assert words["content"][0]["logprobs"] == [{"token": "a", "bytes": [97], "logprob": -0.5, "top_logprobs": []}]
    assert (first["call_id"], first["arguments"], second["name"], second["arguments"]) == ("c1", "{}", "g", "{}")
    assert second["call_id"]
    assert len({item["id"] for item in response["output"]}) == 4
    assert response["usage"]["output_tokens_details"]["reasoning_tokens"] == 2
    assert response["usage"]["input_tokens_details"]["cached_tokens"] == 2
    assert messages_of(items_of(response["output"], nobody)) == [
        Message("assistant", "a", (), (ToolCall("c1", "f", "{}"), ToolCall(second["call_id"], "g", "{}")), "", "hmm")
    ]


def test_what_was_told_is_not_changed_afterwards() -> None:
    events, _ = told(FACTS, Text("a"), Finish("stop"), None)
    added = next(event for event in events if event["type"] == "response.output_item.added")
    assert (added["item"]["status"], added["item"]["content"]) == ("in_progress", [])
    assert (events[0]["response"]["status"], events[0]["response"]["output"]) == ("in_progress", [])


def test_saying_nothing_is_an_answer() -> None:
    events, response = told(FACTS, Usage(1, 0), Finish("stop"), None)
    assert response["status"] == "completed"
    assert response["output"][0]["content"][0]["text"] == ""
    assert events[-1]["type"] == "response.completed"


def test_an_error_in_the_middle() -> None:
    error = {"message": "It died.", "type": "server_error", "param": None, "code": "engine_crashed"}
    events, response = told(FACTS, Text("a"), Broken(error))
    assert events[-1]["type"] == "response.failed"
    assert (response["status"], response["error"]["message"]) == ("failed", "It died.")
    assert response["output"][0]["status"] == "incomplete"


@pytest.mark.parametrize("after", [-1, 0, 1, 2, 5, 50])
def test_following_gives_the_rest(after: int) -> None:
    items = (FACTS, Text("a"), Text("b"), Finish("stop"), None)
    head = Head("resp_1", 1, echo(body(background=True)), (), background=True)
    record, writer = Record(head.name, head), Writer(head)
    record.put(*items[:2])
    following = Following(record, after)
    record.put(*items[2:], last=True)
    whole = [*writer.open(), *(event for item in items for event in writer.feed(item))]
    assert b"".join(following) == to_bytes(whole, after)


def test_following_ends_when_nobody_reads() -> None:
    following = Following(Record("resp_1", Head("resp_1", 1, {}, ())))
    following.close()
    assert list(following) == []
