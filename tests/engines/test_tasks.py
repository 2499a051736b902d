"""What a session can do beside a plain answer, over every engine that says that it can, and every place."""

import json
from collections.abc import Generator
from dataclasses import replace
from itertools import pairwise
from typing import Any, cast

import pytest

from abierto.engines.session import Session
from abierto.errors import LoadFailed, MissingFeature, OptionOutOfRange, PromptTooLong
from abierto.runtime.schema import validate
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool, ToolCall
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Finish, Logprobs, Score, Text, ToolCallDelta, Usage
from abierto.tasks.rerank import RerankRequest
from tests.engines.kinds import KINDS, LLAMA, OPENVINO, SAYS, Kind, Workshop, ask

every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
every_llama = pytest.mark.parametrize("kind", LLAMA, ids=str)
every_gguf = pytest.mark.parametrize("kind", LLAMA + OPENVINO, ids=str)
pools = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.engine != "openvino"], ids=str)
PICK = Tool("pick", "Pick a letter", {"type": "object", "properties": {"what": {"enum": ["a", "b"]}}})
PICK.parameters["required"] = ["what"]  # type: ignore[index]
LEAVE = Tool("leave", "Go", {"type": "object", "properties": {}, "additionalProperties": False})


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def usage_of(events: list[Event]) -> Usage:
    [usage] = [event for event in events if isinstance(event, Usage)]
    return usage


def complete(prompt: str, logprobs: int | None = None, **sampling: Any) -> CompleteRequest:
    return CompleteRequest(prompt, Sampling(**sampling), logprobs=logprobs)


def calls_of(events: list[Event]) -> list[tuple[str, Any]]:
    """The calls, each with its arguments; checks that the pieces belong together."""
    deltas = [event for event in events if isinstance(event, ToolCallDelta)]
    found: list[tuple[str, Any]] = []
    for index in range(len({delta.index for delta in deltas})):
        first, *rest = [delta for delta in deltas if delta.index == index]
        assert first.id
        assert not any(delta.id or delta.name for delta in rest)
        found.append((first.name, json.loads("".join(delta.arguments for delta in (first, *rest)))))
    assert len({delta.id for delta in deltas if delta.id}) == len(found)
    return found


@every_kind
def test_what_follows_a_text(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    request = complete("x\n")
    events = list(session.complete(request))
    assert text_of(events) == (SAYS if kind.engine != "echo" else "x\n")
    assert events[-1] == Finish("stop")
    assert usage_of(events).prompt_tokens == session.count_tokens(request)
    with pytest.raises(PromptTooLong):
        list(session.complete(complete("word " * 2000)))


@every_kind
def test_a_completion_has_limits_and_can_be_closed(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "endless")
    events = cast("Generator[Event, None, None]", session.complete(complete("a " * 200)))
    while not isinstance(next(events), Text):
        pass
    events.close()
    assert list(events) == []
    cut = list(session.complete(complete("c a " * 20, max_tokens=5)))
    assert (usage_of(cut).completion_tokens, cut[-1]) == (5, Finish("length"))


@every_gguf
def test_a_completion_follows_a_schema(workshop: Workshop, kind: Kind) -> None:
    schema = {"enum": ["yes", "no", 12]}
    events = list(workshop.session(kind, "random").complete(replace(complete("a", seed=1), schema=schema)))
    assert validate(text_of(events), schema)


@every_kind
def test_the_stop_string_that_ended_it(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "endless")
    requests: list[Request] = [ask("abcabc", stop=("never", "ca")), complete("abcabc", stop=("never", "ca"))]
    for request in requests:
        events = list(getattr(session, request.task)(request))
        assert "ca" not in text_of(events)
        assert events[-1] == Finish("stop", "ca")


@every_kind
def test_log_probabilities_stand_before_their_text(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    requests: list[Request] = [
        replace(ask(temperature=0.0), logprobs=2),
        complete("x\n", logprobs=2, temperature=0.0),
    ]
    for request in requests:
        if "logprobs" not in session.features:
            with pytest.raises(MissingFeature):
                list(getattr(session, request.task)(request))
            continue
        events = list(getattr(session, request.task)(request))
        pieces = [pair for pair in pairwise(events) if isinstance(pair[1], Text)]
        assert "".join(text.text for _, text in pieces if isinstance(text, Text)) == text_of(events) != ""
        for told, text in pieces:
            assert isinstance(told, Logprobs)
            assert isinstance(text, Text)
            assert b"".join(bytes(token["bytes"]) for token in told.tokens).decode() == text.text
            assert all(token["logprob"] <= 0 and 0 < len(token["top"]) <= 2 for token in told.tokens)


@pytest.mark.parametrize("kind", [kind for kind in LLAMA if not kind.guesses], ids=str)
def test_the_likeliest_token_is_the_first(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "endless")
    request = complete("a", logprobs=3, max_tokens=4, temperature=0.0)
    told = [token for event in session.complete(request) if isinstance(event, Logprobs) for token in event.tokens]
    assert [token["token"] for token in told] == ["b", "c", "a", "b"]
    for token in told:
        assert [other["logprob"] for other in token["top"]] == sorted(
            (o["logprob"] for o in token["top"]), reverse=True
        )
        assert token["top"][0] == {name: token[name] for name in ("token", "bytes", "logprob")}
        assert len(token["top"]) == 3
    none = list(session.complete(replace(request, logprobs=0)))
    assert all(token["top"] == [] for event in none if isinstance(event, Logprobs) for token in event.tokens)


@every_kind
def test_a_token_that_is_not_wanted(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "endless")
    request = complete("a", max_tokens=1, temperature=0.0, logit_bias=((ord("b"), -100.0), (ord("z"), 50.0)))
    if "logit_bias" not in session.features:
        with pytest.raises(MissingFeature):
            list(session.complete(request))
        return
    assert text_of(list(session.complete(request))) == "z"
    with pytest.raises(OptionOutOfRange):
        list(session.complete(complete("a", logit_bias=((10**6, 1.0),))))


@every_gguf
@pytest.mark.parametrize("penalty", ["presence_penalty", "frequency_penalty"])
def test_what_was_said_often_loses(workshop: Workshop, kind: Kind, penalty: str) -> None:
    session = workshop.session(kind, "endless")
    usual = text_of(list(session.complete(complete("a", max_tokens=180, temperature=0.0))))
    penalised: dict[str, Any] = {penalty: 2.0}
    other = text_of(list(session.complete(complete("a", max_tokens=180, temperature=0.0, **penalised))))
    assert usual == "bca" * 60
    assert (other != usual) == (penalty == "frequency_penalty")  # the chain is stronger than what is taken off once


@every_kind
@pytest.mark.parametrize("model", ["tools", "random"])
@pytest.mark.parametrize("choice", ["required", "leave"])
def test_a_call_that_must_be(workshop: Workshop, kind: Kind, model: str, choice: str) -> None:
    if kind.engine == "openvino":
        pytest.skip("has no tools; see the next test")
    session = workshop.session(kind, model, context=1024)
    request = replace(ask("x", seed=3), tools=(PICK, LEAVE), tool_choice=choice, parallel_calls=False)
    events = list(session.chat(request))
    [(name, arguments)] = calls_of(events)
    assert events[-1] == Finish("tool_calls")
    assert usage_of(events).prompt_tokens == session.count_tokens(request)
    assert name in {"pick", "leave"} if choice == "required" else name == "leave"
    if kind.engine != "echo":
        tool = {"pick": PICK, "leave": LEAVE}[name]
        validate(json.dumps(arguments), dict(tool.parameters))


@pytest.mark.parametrize("kind", OPENVINO, ids=str)
def test_an_engine_without_tools_says_so(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    with pytest.raises(MissingFeature) as told:
        list(session.chat(replace(ask(), tools=(PICK,))))
    assert told.value.feature == "tools"
    assert text_of(list(session.chat(replace(ask(), tools=(PICK,), tool_choice="none")))) == SAYS


@every_llama
def test_a_call_if_it_likes(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "tools", context=1024)  # it does
    events = list(session.chat(replace(ask("x", seed=3), tools=(PICK,), parallel_calls=False)))
    [(name, arguments)] = calls_of(events)
    assert (name, set(arguments)) == ("pick", {"what"})
    assert len([event for event in events if isinstance(event, ToolCallDelta)]) > 3  # as it is written
    none = list(session.chat(replace(ask("x", max_tokens=9), tools=(PICK,), tool_choice="none")))
    assert not calls_of(none)


@every_kind
@pytest.mark.parametrize("model", ["tools", "random"])
def test_calls_and_results_in_the_conversation(workshop: Workshop, kind: Kind, model: str) -> None:
    if kind.engine == "openvino" and model == "tools":
        pytest.skip("reads no tensors of 32 bits")
    session = workshop.session(kind, model, context=1024)
    called = Message("assistant", "", calls=(ToolCall("c1", "pick", '{"what": "a"}'),))
    messages = (Message("user", "x"), called, Message("tool", "it is an Ä", call_id="c1"))
    request = ChatRequest(messages, Sampling(max_tokens=3))
    less = replace(request, messages=(messages[0], replace(called, calls=()), replace(messages[2], content="")))
    assert session.count_tokens(request) > session.count_tokens(less)
    assert usage_of(list(session.chat(request))).prompt_tokens == session.count_tokens(request)


@every_llama
def test_log_probabilities_of_calls_are_refused(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "tools", context=1024)
    with pytest.raises(MissingFeature) as told:
        list(session.chat(replace(ask(), tools=(PICK,), logprobs=1)))
    assert told.value.feature == "logprobs"


@every_gguf
def test_thinking_can_be_switched_off(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "thinks")
    tokens = {choice: session.count_tokens(replace(ask("x"), reasoning=choice)) for choice in (None, True, False)}
    assert tokens[None] == tokens[True] == tokens[False] - len("<think></think>")


@pools
def test_vectors(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "embed", task="embed")
    request = EmbedRequest(("one and two", "x" * 300, "one and two"))
    events = list(session.embed(request))
    vectors = [event for event in events if isinstance(event, Embedding)]
    assert [event.index for event in vectors] == [0, 1, 2]
    assert all(abs(sum(value * value for value in event.values) - 1) < 1e-3 for event in vectors)
    assert vectors[0].values == pytest.approx(vectors[2].values, abs=1e-3)
    assert vectors[0].values != pytest.approx(vectors[1].values, abs=1e-2)
    assert events[-1] == Finish("stop")
    assert usage_of(events).prompt_tokens == session.count_tokens(request)
    with pytest.raises(PromptTooLong) as told:
        list(session.embed(EmbedRequest(("short", "x " * 700))))
    assert told.value.tokens > told.value.context == session.context


@every_llama
def test_a_file_that_does_not_say_how_vectors_are_made(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "random", task="embed")
    [vector] = [event for event in session.embed(EmbedRequest(("x" * 400,))) if isinstance(event, Embedding)]
    assert sum(value * value for value in vector.values) == pytest.approx(1, abs=1e-3)
    with pytest.raises(PromptTooLong):
        list(session.embed(EmbedRequest(("x" * 700,))))


@pools
def test_scores(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "rerank", task="rerank")
    request = RerankRequest("two words?", ("one", "two words", "three ähs <|im_end|>"))
    events = list(session.rerank(request))
    scores = [event for event in events if isinstance(event, Score)]
    assert [event.index for event in scores] == [0, 1, 2]
    assert len({event.value for event in scores}) > 1
    assert usage_of(events).prompt_tokens == session.count_tokens(request)
    [alone] = [
        event for event in session.rerank(replace(request, documents=("two words",))) if isinstance(event, Score)
    ]
    assert alone.value == pytest.approx(scores[1].value, abs=1e-3)
    with pytest.raises(PromptTooLong):
        list(session.rerank(RerankRequest("x", ("y " * 700,))))


@every_llama
def test_a_session_has_the_task_that_it_was_loaded_for(workshop: Workshop, kind: Kind) -> None:
    refused: list[tuple[Session, Request]] = [
        (workshop.session(kind, "says"), EmbedRequest(("a",))),
        (workshop.session(kind, "says"), RerankRequest("a", ("b",))),
        (workshop.session(kind, "embed", task="embed"), ask()),
        (workshop.session(kind, "embed", task="embed"), RerankRequest("a", ("b",))),
        (workshop.session(kind, "rerank", task="rerank"), complete("a")),
    ]
    for session, request in refused:
        assert request.task not in session.features
        with pytest.raises(MissingFeature):
            list(getattr(session, request.task)(request))


@every_llama
def test_a_model_that_cannot_rank_is_not_loaded_to_rank(workshop: Workshop, kind: Kind) -> None:
    with pytest.raises(LoadFailed) as told:
        workshop.load(kind, "says", task="rerank")
    assert "cls" in told.value.detail


@pytest.mark.parametrize("kind", OPENVINO[:1], ids=str)
def test_an_engine_that_has_no_such_task_says_so(workshop: Workshop, kind: Kind) -> None:
    with pytest.raises(LoadFailed):
        workshop.load(kind, "says", task="embed")
