"""What a body of OpenAI's chat asks for, without a server; and which of its wishes are refused."""

import base64
import json
from typing import Any

import msgspec
import pytest

from abierto.errors import AbiertoError, InvalidRequest
from abierto.server.openai.chat_body import parse
from abierto.server.openai.chat_forms import ChatBody
from abierto.tasks.chat import ChatRequest, Message, ToolCall

HELLO = [{"role": "user", "content": "hello"}]
TOOLS = [{"type": "function", "function": {"name": name}} for name in ("first", "second", "third")]
PNG = base64.b64encode(b"\x89PNG").decode()


def parsed(**body: Any) -> tuple[ChatRequest, ...]:
    return parse(msgspec.json.decode(json.dumps({"messages": HELLO, **body}), type=ChatBody))


@pytest.mark.parametrize(
    "body",
    [
        {"service_tier": "flex", "store": True, "metadata": {"a": "b"}, "user": "me"},
        {"prompt_cache_key": "a", "prompt_cache_retention": "24h", "safety_identifier": "b", "verbosity": "medium"},
        {"prediction": {"type": "content", "content": "hello"}, "nobody_knows_this": [1]},
        {"audio": None, "functions": None, "web_search_options": None, "modalities": ["text"], "functions_": 3},
        {"stream_options": {"include_obfuscation": False, "include_usage": None}, "tool_choice": None, "tools": None},
        {"stop": None, "n": None, "seed": None, "max_tokens": None, "logit_bias": None, "response_format": None},
    ],
    ids=str,
)
def test_what_changes_no_answer_is_passed_over(body: dict[str, Any]) -> None:
    assert parsed(**body) == parsed()


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({"audio": {"voice": "alloy", "format": "wav"}}, "$.audio"),
        ({"modalities": ["text", "audio"]}, "$.modalities"),
        ({"web_search_options": {"search_context_size": "low"}}, "$.web_search_options"),
        ({"moderation": {"model": "omni"}}, "$.moderation"),
        ({"functions": [{"name": "first"}]}, "$.functions"),
        ({"function_call": {"name": "first"}}, "$.function_call"),
        ({"verbosity": "low"}, "$.verbosity"),
        ({"stream_options": {"include_obfuscation": True}}, "$.stream_options.include_obfuscation"),
        ({"tools": [{"type": "function", "function": {"name": "auto"}}]}, "$.tools[0].function.name"),
        ({"tools": [{"type": "function"}]}, "$.tools[0].function"),
        ({"tool_choice": {"type": "function", "function": {"name": "first"}}}, "$.tool_choice.function.name"),
        ({"messages": [{"role": "assistant", "audio": {"id": "a"}}]}, "$.messages[0].audio"),
        ({"messages": [{"role": "user", "content": None}]}, "$.messages[0].content"),
        ({"messages": [{"role": "user", "content": [{"type": "input_audio"}]}]}, "$.messages[0].content[0].type"),
        ({"messages": [{"role": "user", "content": [{"type": "file"}]}]}, "$.messages[0].content[0].type"),
        ({"logit_bias": {"hello": 1}}, "$.logit_bias"),
        ({"top_logprobs": 3}, "$.top_logprobs"),
    ],
    ids=str,
)
def test_what_nobody_here_can_fulfil_is_refused(body: dict[str, Any], where: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        parsed(**body)
    assert caught.value.where == where


@pytest.mark.parametrize("role", ["system", "developer", "user", "assistant", "tool", "function"])
def test_every_role_may_speak_in_parts(role: str) -> None:
    said = {"role": role, "content": [{"type": "text", "text": "one"}, {"type": "text", "text": "two"}]}
    [request] = parsed(messages=[said])
    assert request.messages[0].content == "one\ntwo"


@pytest.mark.parametrize("role", ["assistant", "tool", "function"])
def test_some_roles_may_say_nothing(role: str) -> None:
    [request] = parsed(messages=[*HELLO, {"role": role, "content": None}, {"role": role}])
    assert [message.content for message in request.messages] == ["hello", "", ""]


def test_a_refusal_is_what_the_assistant_said() -> None:
    parts = {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}
    [request] = parsed(messages=[parts, {"role": "assistant", "content": None, "refusal": "never"}])
    assert [message.content for message in request.messages] == ["no", "never"]


def test_images_stand_before_the_text() -> None:
    parts = [
        {"type": "text", "text": "look"},
        {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PNG}"}},
    ]
    [request] = parsed(messages=[{"role": "user", "content": parts}])
    assert request.messages == (Message("user", "look", (b"\x89PNG",)),)


@pytest.mark.parametrize(
    "url",
    [
        "https://example.org/a.png",
        "/etc/passwd",
        "file:///etc/passwd",
        "data:image/png,abc",
        "data:image/png;base64,a!",
    ],
)
def test_a_picture_is_data_and_never_an_address(url: str) -> None:
    with pytest.raises(InvalidRequest):
        parsed(messages=[{"role": "user", "content": [{"type": "image_url", "image_url": {"url": url}}]}])


def test_calls_and_their_answers() -> None:
    call = {"id": "call_7", "type": "function", "function": {"name": "first", "arguments": '{"a": 1}'}}
    turns = [{"role": "assistant", "tool_calls": [call]}, {"role": "tool", "tool_call_id": "call_7", "content": "1"}]
    [request] = parsed(messages=turns)
    assert request.messages[0].calls == (ToolCall("call_7", "first", '{"a": 1}'),)
    assert request.messages[1].call_id == "call_7"


def test_calls_from_before_there_were_several_at_once() -> None:
    called = {"role": "assistant", "content": None, "function_call": {"name": "first", "arguments": "{}"}}
    [request] = parsed(messages=[called, {"role": "function", "name": "first", "content": "1"}])
    [call] = request.messages[0].calls
    assert (call.name, request.messages[1].role, request.messages[1].call_id) == ("first", "tool", call.id)


def test_only_some_of_the_tools_may_be_allowed() -> None:
    allowed = {"mode": "required", "tools": [TOOLS[2], TOOLS[0]]}
    [request] = parsed(tools=TOOLS, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert ([tool.name for tool in request.tools], request.tool_choice) == (["first", "third"], "required")


def test_a_tool_that_is_allowed_must_be_there() -> None:
    allowed = {"mode": "auto", "tools": [{"type": "function", "function": {"name": "fourth"}}]}
    with pytest.raises(InvalidRequest) as caught:
        parsed(tools=TOOLS, tool_choice={"type": "allowed_tools", "allowed_tools": allowed})
    assert caught.value.where == "$.tool_choice.allowed_tools.tools[0].function.name"


@pytest.mark.parametrize(
    "body",
    [
        {"response_format": {"type": "json_schema", "json_schema": {"schema": {"type": 3}}}},
        {"tools": [{"type": "function", "function": {"name": "first", "parameters": {"type": "nothing"}}}]},
        {"temperature": 5.5},
        {"top_p": -0.1},
        {"presence_penalty": 3},
        {"max_tokens": 0},
        {"max_tokens": 2**31},
        {"top_k": 2**31},
        {"logit_bias": {"1": 101}},
        {"logprobs": True, "top_logprobs": 21},
        {"stop": ["a"] * 17},
        {"n": 0},
    ],
    ids=str,
)
def test_what_has_no_meaning_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(AbiertoError) as caught:
        parsed(**body)
    assert caught.value.exit_status == 2


def test_several_answers_to_one_seed_differ_and_come_again() -> None:
    seeds = [request.sampling.seed for request in parsed(n=3, seed=2**32 - 2)]
    assert len(set(seeds)) == 3
    assert seeds == [request.sampling.seed for request in parsed(n=3, seed=2**32 - 2)]


def test_an_object_is_asked_for_by_the_simplest_schema() -> None:
    assert parsed(response_format={"type": "json_object"})[0].schema == {"type": "object"}
    assert parsed(response_format={"type": "text"})[0].schema is None


def test_thinking_can_be_asked_for_and_forbidden() -> None:
    efforts = [parsed(reasoning_effort=effort)[0].reasoning for effort in (None, "none", "minimal", "high")]
    assert efforts == [None, False, True, True]
