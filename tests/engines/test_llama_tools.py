"""Tools in words: what a model without a template for tools is told, and how its answer is read."""

import json
from typing import Any

import pytest

from abierto.engines._llama_tools import described, events
from abierto.errors import AnswerNotValid
from abierto.runtime.schema import check, validate
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool, ToolCall
from abierto.tasks.events import Event, Finish, Text, ToolCallDelta, Usage

NUMBERS = {"$defs": {"n": {"type": "integer"}}, "type": "object", "properties": {"a": {"$ref": "#/$defs/n"}}}
ADD = Tool("add", "Adds", NUMBERS)
GO = Tool("go", "", {"type": "object", "properties": {}})


def request(**fields: Any) -> ChatRequest:
    return ChatRequest((Message("user", "hi"),), Sampling(), tools=(ADD, GO), **fields)


def read(written: str, *, structured: bool = False, reason: Any = "stop") -> list[Event]:
    """The events of an answer that comes a letter at a time."""
    answer: list[Event] = [*(Text(letter) for letter in written), Usage(1, 2), Finish(reason)]
    return list(events(iter(answer), structured))


def text_of(found: list[Event]) -> str:
    return "".join(event.text for event in found if isinstance(event, Text))


def calls_of(found: list[Event]) -> list[tuple[str, str]]:
    deltas = [event for event in found if isinstance(event, ToolCallDelta)]
    return [(first.name, rest.arguments) for first, rest in zip(deltas[::2], deltas[1::2], strict=True)]


@pytest.mark.parametrize(
    ("answer", "follows"),
    [
        ({"tool_calls": [{"name": "add", "arguments": {"a": 1}}]}, True),
        ({"tool_calls": [{"name": "add", "arguments": {"a": "1"}}]}, False),
        ({"tool_calls": [{"name": "sub", "arguments": {}}]}, False),
        ({"tool_calls": []}, False),
        ({"response": "no"}, True),
        ({"response": 3}, False),
    ],
)
def test_the_schema_of_an_answer(answer: Any, follows: bool) -> None:
    schema = described(request()).schema
    assert schema is not None
    check(schema, "schema")
    try:
        validate(json.dumps(answer), schema)
    except AnswerNotValid:
        assert not follows
    else:
        assert follows


def test_what_must_be_called_leaves_no_other_way() -> None:
    named = json.dumps(described(request(tool_choice="go")).schema)
    assert '"go"' in named
    assert '"add"' not in named
    assert '"response"' not in named
    assert '"maxItems": 1' in named
    asked = described(request(schema={"type": "integer"})).schema
    assert asked is not None
    assert asked["$defs"]["response"] == {"type": "integer"}


def test_the_conversation_is_told_in_words() -> None:
    called = Message("assistant", "Well.", calls=(ToolCall("1", "add", '{"a": 1}'), ToolCall("2", "go", "{oops")))
    asked = ChatRequest((Message("system", "Be brief."), called, Message("tool", "5", call_id="1")), tools=(ADD,))
    system, assistant, result = described(asked).messages
    assert system.content.startswith("Be brief.\n")
    assert "Adds" in system.content
    assert assistant.content.splitlines()[0] == "Well."
    assert '{"a": 1}' in assistant.content
    assert (result.role, json.loads(result.content)) == ("user", {"tool": "add", "result": "5"})
    assert described(asked).tools == ()
    nothing = ChatRequest((Message("user", "hi"),), tools=(ADD,), tool_choice="none")
    assert (described(nothing).messages, described(nothing).schema) == (nothing.messages, None)


@pytest.mark.parametrize("said", ["", "Hi!", 'a "b" \\ \n\t é 你', "🙂 and \u2028", "ends in \\", '"'])
@pytest.mark.parametrize("ascii_only", [True, False])
def test_a_response_comes_out_as_it_is_written(said: str, ascii_only: bool) -> None:
    found = read(json.dumps({"response": said}, ensure_ascii=ascii_only))
    assert text_of(found) == said
    assert found[-1] == Finish("stop")
    assert all(event.text.encode() for event in found if isinstance(event, Text))
    if said == "Hi!":
        assert [event.text for event in found if isinstance(event, Text)] == ["H", "i", "!"]


def test_half_of_a_pair_comes_out_as_text() -> None:
    assert text_of(read('{"response": "a\\ud83d b"}')).encode()


def test_calls() -> None:
    found = read('{"tool_calls": [{"name": "add", "arguments": {"a": 1}}, {"name": "go", "arguments": {}}]}')
    assert calls_of(found) == [("add", '{"a": 1}'), ("go", "{}")]
    assert text_of(found) == ""
    assert found[-1] == Finish("tool_calls")
    assert [type(event) for event in found].index(Usage) == 4


def test_calls_that_were_cut() -> None:
    found = read('{"tool_calls": [{"name": "go", "arguments": {}}, {"name": "ad', reason="length")
    assert calls_of(found) == [("go", "{}")]
    assert (text_of(found), found[-1]) == ("", Finish("length"))


@pytest.mark.parametrize(("rest", "said"), [('{"a": "}"} }', '{"a": "}"}'), ('{"a": ', '{"a": ')])
def test_a_response_that_follows_a_schema(rest: str, said: str) -> None:
    assert text_of(read('{ "response" : ' + rest, structured=True)) == said
