"""Requests and events: what may be asked, and that a pipe changes nothing."""

import json
from typing import Any

import pytest

from abierto.errors import OptionOutOfRange
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Failure, Finish, Progress, Reasoning, Text, Usage, from_wire, to_wire


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"top_p": 1.5},
        {"top_k": -1},
        {"min_p": 2.0},
        {"max_tokens": 0},
        {"seed": -1},
        {"seed": 2**32},
        {"repeat_penalty": float("inf")},
    ],
    ids=str,
)
def test_a_number_without_meaning_is_refused_and_named(options: dict[str, Any]) -> None:
    with pytest.raises(OptionOutOfRange) as caught:
        Sampling(**options)
    assert caught.value.option == next(iter(options))


def test_what_was_asked_for_wins_over_the_defaults() -> None:
    asked = Sampling(temperature=0.0, stop=("x",))
    assert asked.over(Sampling(temperature=0.7, top_p=0.9, stop=("y",))) == Sampling(
        temperature=0.0, top_p=0.9, stop=("x",)
    )


def test_a_request_comes_through_a_pipe_unchanged() -> None:
    request = ChatRequest(
        (Message("system", "ñ"), Message("user", "🙂", (b"\x00\xff", b""))),
        Sampling(seed=7, stop=("a", "b")),
        {"type": "object"},
    )
    assert ChatRequest.from_wire(json.loads(json.dumps(request.to_wire()))) == request


@pytest.mark.parametrize(
    "event",
    [
        Text("ñ🙂"),
        Reasoning("hm"),
        Progress("prompt", 5, 10),
        Usage(1, 2, 0, 0.5, 1.5),
        Finish("stop"),
        Failure("unknown_model", {"name": "x", "nearest": []}),
    ],
    ids=lambda event: type(event).__name__,
)
def test_an_event_comes_through_a_pipe_unchanged(event: Event) -> None:
    assert from_wire(json.loads(json.dumps(to_wire(event)))) == event


def test_an_unknown_kind_of_event_is_not_swallowed() -> None:
    with pytest.raises(KeyError):
        from_wire({"event": "smell", "text": "x"})
