"""Ollama's dialect without a server: what a body asks for, and what becomes of events."""

import json
from datetime import UTC, datetime
from time import monotonic
from typing import Any

import msgspec
import pytest

from abierto.errors import AbiertoError, InvalidRequest
from abierto.runtime.resident import Resident
from abierto.server.exchange import Facts
from abierto.server.ollama import listing, names, options
from abierto.server.ollama.answer import Answer, calls_of
from abierto.server.ollama.chat import ChatBody, message, messages_of, parse
from abierto.server.ollama.embed import shortened
from abierto.server.ollama.generate import GenerateBody, response
from abierto.server.ollama.generate import parse as parse_generate
from abierto.tasks.chat import ChatRequest, ToolCall
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Event, Finish, Reasoning, Text, ToolCallDelta, Usage

FACTS = Facts("m", "m", 0, waited=3.0, load_seconds=2.0)


def chat(**body: Any) -> ChatRequest:
    said = {"messages": [{"role": "user", "content": "x"}], **body}
    return parse(msgspec.convert(said, ChatBody))


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        (None, None),
        (0, 0.0),
        (90, 90.0),
        (-1, -1.0),
        (1.5, 1.5),
        ("5m", 300.0),
        ("1h30m", 5400.0),
        ("1.5h", 5400.0),
        ("300ms", 0.3),
        ("0", 0.0),
        ("45", 45.0),
        ("-1", -1.0),
        ("-1m", -1.0),
        (" 2s ", 2.0),
    ],
)
def test_how_long_a_model_stays(written: float | str | None, seconds: float | None) -> None:
    assert options.seconds_of(written) == (None if seconds is None else pytest.approx(seconds))


@pytest.mark.parametrize("written", ["", "soon", "m5", "5m soon", "5d", "inf", "--5m", "9" * 400, float("inf")])
def test_what_is_no_duration(written: float | str) -> None:
    with pytest.raises(InvalidRequest):
        options.seconds_of(written)


@pytest.mark.parametrize(
    ("think", "reasoning"), [(None, None), (True, True), (False, False), ("low", True), ("max", True)]
)
def test_whether_it_thinks(think: bool | str | None, reasoning: bool | None) -> None:
    assert chat(think=think).reasoning is reasoning


def test_options_become_sampling() -> None:
    given = {"temperature": 0, "top_k": 3, "top_p": 0.5, "min_p": 0.1, "seed": 2**40, "stop": "x", "num_predict": 7}
    given |= {"repeat_penalty": 1.1, "presence_penalty": 1, "frequency_penalty": -1, "unknown": {}, "typical_p": 1}
    sampling = chat(options=given).sampling
    assert (sampling.temperature, sampling.top_k, sampling.stop, sampling.max_tokens) == (0.0, 3, ("x",), 7)
    assert (sampling.presence_penalty, sampling.frequency_penalty) == (1.0, -1.0)
    assert sampling.seed == 2**40 % (2**32 - 1)
    assert chat(options={"num_predict": -2, "seed": -1}).sampling == chat().sampling
    assert options.context_of(msgspec.convert({"num_ctx": 8192}, options.Options)) == 8192


def test_formats() -> None:
    assert chat(format="").schema is None
    assert chat(format="json").schema == {"type": "object"}
    assert chat(format={"type": "string"}).schema == {"type": "string"}


def test_a_tools_answer_finds_its_call() -> None:
    call = {"function": {"name": "a", "arguments": {"x": 1}}}
    turns = [
        {"role": "assistant", "tool_calls": [call, call, {"id": "mine", "function": {"name": "b"}}], "thinking": "so"},
        {"role": "tool", "tool_name": "b", "content": "2"},
        {"role": "tool", "tool_name": "a", "content": "1"},
        {"role": "tool", "content": "1 again"},
        {"role": "Tool", "tool_call_id": "unknown", "content": "?"},
    ]
    found = messages_of(msgspec.convert({"messages": turns}, ChatBody).messages or ())
    assert found[0].calls[0] == ToolCall("call_0_0", "a", '{"x": 1}')
    assert found[0].reasoning == "so"
    assert [one.call_id for one in found[1:]] == ["mine", "call_0_0", "call_0_1", "unknown"]


def test_a_raw_prompt_is_completed() -> None:
    raw = parse_generate(msgspec.convert({"prompt": "a", "raw": True, "format": "json"}, GenerateBody))
    assert raw == CompleteRequest("a", schema={"type": "object"})
    plain = parse_generate(msgspec.convert({"prompt": "a", "system": "b", "think": False}, GenerateBody))
    assert isinstance(plain, ChatRequest)
    assert [(one.role, one.content) for one in plain.messages] == [("system", "b"), ("user", "a")]
    assert plain.reasoning is False


EVENTS: list[Event] = [
    Reasoning("hm"),
    Text("ye"),
    Text("s"),
    ToolCallDelta(0, "call_a", "f"),
    ToolCallDelta(0, arguments='{"x": '),
    ToolCallDelta(0, arguments="1}"),
    ToolCallDelta(1, "call_b", "g"),
    Usage(5, 7, 2, 0.5, 0.25),
    Finish("tool_calls"),
]
CALLS = [
    {"id": "call_a", "function": {"index": 0, "name": "f", "arguments": {"x": 1}}},
    {"id": "call_b", "function": {"index": 1, "name": "g", "arguments": {}}},
]


def test_a_stream_of_everything() -> None:
    answer = Answer("m", message)
    assert answer.begin(FACTS) == b""
    written = [answer.event(0, event) for event in EVENTS] + [answer.end()]
    told = [json.loads(line) for line in written if line]
    assert [one["message"].get("thinking") for one in told] == ["hm", None, None, None, None]
    assert [one["message"]["content"] for one in told] == ["", "ye", "s", "", ""]
    assert [one["message"].get("tool_calls") for one in told] == [None, None, None, CALLS, None]
    assert [one["done"] for one in told] == [False] * 4 + [True]
    last = told[-1]
    assert (last["done_reason"], last["prompt_eval_count"], last["eval_count"]) == ("stop", 5, 7)
    assert (last["load_duration"], last["prompt_eval_duration"]) == (2_000_000_000, 500_000_000)
    assert last["eval_duration"] == 250_000_000


def test_a_whole_answer_of_everything() -> None:
    told = Answer("m", message).whole([EVENTS], FACTS)
    assert told["message"] == {"role": "assistant", "content": "yes", "thinking": "hm", "tool_calls": CALLS}
    assert (told["model"], told["done"], told["done_reason"]) == ("m", True, "stop")
    told = Answer("m", response).whole([[Text("a"), Usage(1, 1), Finish("length")]], FACTS)
    assert (told["response"], told["done_reason"]) == ("a", "length")


@pytest.mark.parametrize("arguments", ["{", "[1]", '"x"', "[" * 10_000])
def test_a_call_without_an_object_is_told_as_words(arguments: str) -> None:
    assert calls_of([ToolCallDelta(0, "a", "f", arguments)]) == ([], f"f({arguments})")
    answer = Answer("m", message)
    answer.event(0, ToolCallDelta(0, "a", "f", arguments))
    told = json.loads(answer.event(0, Finish("tool_calls")))
    assert told["message"] == {"role": "assistant", "content": f"f({arguments})"}


def test_names() -> None:
    assert names.theirs("echo") == "echo:latest"
    assert names.theirs("qwen3:4b") == "qwen3:4b"
    assert names.theirs("host:80/owner/name") == "host:80/owner/name:latest"
    assert names.ours("echo:latest") == "echo"
    assert names.source("hf.co/owner/name") == "hf:owner/name"
    assert names.source("hf.co/owner/name:Q4_K_M") == "hf:owner/name:Q4_K_M"
    for none in ("", "file:x"):
        with pytest.raises(AbiertoError):
            names.source(none)


def test_numbers_of_parameters() -> None:
    assert [listing.short(count) for count in (0, 12, 1500, 134_515_008, 8_030_261_248)] == [
        "",
        "12",
        "1.50K",
        "134.52M",
        "8.0B",
    ]


def test_a_model_that_is_used_has_all_its_time() -> None:
    now = datetime.now(UTC)
    resident = Resident("m", "chat", frozenset(), 60.0, state="ready", last_used=monotonic() - 50)
    assert (listing.expires_at(resident, now) - now).total_seconds() == pytest.approx(10, abs=1)
    resident.users = 1
    assert (listing.expires_at(resident, now) - now).total_seconds() == 60
    resident.keep_alive = 1e300
    assert listing.expires_at(resident, now) == now + listing.FOREVER


def test_a_vector_that_is_cut_has_the_length_of_one() -> None:
    assert shortened([0.6, 0.8, 0.0], 1) == [1.0]
    assert shortened([0.6, 0.8], 0) == [0.6, 0.8]
    assert shortened([0.6, 0.8], 9) == [0.6, 0.8]
    assert shortened([0.0, 1.0], 1) == [0.0]
