"""The contract of a session, over every engine and every place where it can run."""

import os
import signal
import threading
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import psutil
import pytest

from abierto.engines.session import Session
from abierto.errors import EngineCrashed, InvalidSchema, MissingFeature, PromptTooLong
from abierto.runtime.schema import validate
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.events import Event, Finish, Progress, Reasoning, Text, Usage
from tests.engines.kinds import KINDS, LLAMA, OPENVINO, SAYS, Kind, Workshop, ask
from tests.tiny_projector import png

every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
# Only another computer's vocabulary is not here.
every_exact = pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.engine != "remote"], ids=str)
every_llama = pytest.mark.parametrize("kind", LLAMA, ids=str)
every_gguf = pytest.mark.parametrize("kind", LLAMA + OPENVINO, ids=str)
# The echo engine says this in many events; the endless model does so whatever it is asked.
LONG = "a " * 200


def text_of(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def usage_of(events: list[Event]) -> Usage:
    [usage] = [event for event in events if isinstance(event, Usage)]
    return usage


def start(session: Session, request: ChatRequest) -> Generator[Event, None, None]:
    """An answer of which the first piece of text has arrived."""
    events = cast("Generator[Event, None, None]", session.chat(request))
    while not isinstance(next(events), Text):
        pass
    return events


@every_kind
def test_a_whole_answer(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    events = list(session.chat(ask()))
    assert text_of(events) == SAYS
    assert isinstance(events[-2], Usage)
    assert events[-1] == Finish("stop")
    assert all(isinstance(event, Text | Reasoning | Progress) for event in events[:-2])
    assert usage_of(events).completion_tokens > 0


@every_kind
def test_each_text_is_whole_characters(workshop: Workshop, kind: Kind) -> None:
    pieces = [event.text for event in workshop.session(kind, "says").chat(ask()) if isinstance(event, Text)]
    assert len(pieces) > 1
    assert all("\ufffd" not in piece for piece in pieces)
    assert b"".join(piece.encode("utf-8") for piece in pieces) == SAYS.encode()


@every_kind
def test_bytes_that_are_no_text_still_come_out_as_text(workshop: Workshop, kind: Kind) -> None:
    events = list(workshop.session(kind, "random").chat(ask(max_tokens=40, seed=1, temperature=2.0)))
    assert text_of(events).encode("utf-8")  # would fail on a lone surrogate
    assert events[-1] in (Finish("length"), Finish("stop"))


@every_kind
def test_max_tokens(workshop: Workshop, kind: Kind) -> None:
    events = list(workshop.session(kind, "endless").chat(ask(LONG, max_tokens=5)))
    assert usage_of(events).completion_tokens == 5
    assert events[-1] == Finish("length")


@every_kind
def test_the_context_is_a_limit_too(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "random")
    events = list(session.chat(ask("x " * (session.context // 2 - 60), max_tokens=session.context)))
    usage = usage_of(events)
    assert usage.prompt_tokens + usage.completion_tokens <= session.context + 1


@every_kind
def test_an_image_without_sight_is_refused_and_not_left_out(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    assert "images" not in session.features
    with pytest.raises(MissingFeature) as told:
        list(session.chat(ChatRequest((Message("user", "What is this?", (png(),)),))))
    assert told.value.feature == "images"


@every_kind
def test_stop_strings(workshop: Workshop, kind: Kind) -> None:
    events = list(workshop.session(kind, "endless").chat(ask("abcabc", stop=("never", "ca"))))
    assert text_of(events) == "ab"
    assert events[-1] == Finish("stop", "ca")


@every_kind
def test_the_same_seed_gives_the_same_answer(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "random")
    assert "seed" in session.features
    request = ask("abc", max_tokens=30, seed=7, temperature=1.5)
    first, between, second = [text_of(list(session.chat(each))) for each in (request, ask("abd", seed=8), request)]
    assert first == second
    assert kind.engine == "echo" or first != between


@every_kind
def test_closing_cancels_and_the_session_answers_again(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "endless")
    for _ in range(3):  # more than it has slots
        events = start(session, ask(LONG))
        events.close()
        events.close()
        assert list(events) == []
    assert isinstance(list(session.chat(ask(max_tokens=3)))[-1], Finish)


@every_kind
def test_an_answer_that_nobody_asked_a_piece_of_may_be_closed(workshop: Workshop, kind: Kind) -> None:
    events = cast("Generator[Event, None, None]", workshop.session(kind, "says").chat(ask()))
    events.close()
    assert list(events) == []


@every_kind
def test_a_prompt_beyond_the_context(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    with pytest.raises(PromptTooLong) as told:
        list(session.chat(ask("word " * 2000)))
    assert told.value.tokens > told.value.context == session.context
    assert told.value.trained == (1024 if kind.engine == "llamacpp" else session.context)
    assert text_of(list(session.chat(ask()))) == SAYS


@every_kind
def test_each_conversation_has_the_whole_context(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    assert session.context == 512
    assert session.max_concurrent == 2
    request = ask("x " * (200 if kind in LLAMA + OPENVINO else 400), max_tokens=8)
    with ThreadPoolExecutor(2) as threads:
        answers = list(threads.map(lambda _: list(session.chat(request)), range(2)))
    assert all(usage_of(events).prompt_tokens > 256 for events in answers)


@every_kind
def test_more_threads_than_it_serves_at_once(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    with ThreadPoolExecutor(5) as threads:
        answers = list(threads.map(lambda _: text_of(list(session.chat(ask()))), range(10)))
    assert answers == [SAYS] * 10


@every_exact
def test_counting_agrees_with_the_usage(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "says")
    for request in (ask(), ask("¿Qué tal? <|im_end|> 你好"), replace(ask(), messages=ask("a").messages * 3)):
        assert session.count_tokens(request) == usage_of(list(session.chat(request))).prompt_tokens
    assert session.count_tokens(ask("word " * 2000)) > session.context


@every_kind
def test_a_schema(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "random")
    request = replace(ask(seed=1), schema={"enum": ["yes", "no", 12]})
    if "schema" not in session.features:
        with pytest.raises(MissingFeature):
            list(session.chat(request))
        return
    answers = [text_of(list(session.chat(replace(request, sampling=ask(seed=seed).sampling)))) for seed in range(3)]
    assert all(request.schema and validate(answer, request.schema) for answer in answers)


@every_llama
def test_a_schema_that_cannot_be_followed(workshop: Workshop, kind: Kind) -> None:
    session = workshop.session(kind, "random")
    schema = {"type": "object", "properties": {"a": {"$ref": "#/nowhere"}}}
    with pytest.raises(InvalidSchema) as told:
        list(session.chat(replace(ask(), schema=schema)))
    assert told.value.where == "#/properties/a"
    assert "nowhere" in told.value.detail


@every_kind
def test_closing_twice(workshop: Workshop, kind: Kind) -> None:
    session = workshop.load(kind, "says")
    process = psutil.Process(session.pid)
    session.close()
    session.close()
    if process.pid != os.getpid():
        # A grandchild whose parent was ended is reaped by the system, in its own time.
        assert not psutil.wait_procs([process], timeout=30)[1]


@every_gguf
def test_closing_in_the_middle_of_answers(workshop: Workshop, kind: Kind) -> None:
    session = workshop.load(kind, "endless", context=4096)
    answers = [start(session, ask()) for _ in range(2)]
    session.close()
    for events in answers:
        assert not any(isinstance(event, Finish) for event in events)
    with pytest.raises(EngineCrashed):
        list(session.chat(ask()))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.place == "child" or kind.program], ids=str)
def test_a_crash_in_the_middle(workshop: Workshop, kind: Kind) -> None:
    session = workshop.load(kind, "endless", context=4096)
    events = start(session, ask(LONG))
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed) as told:
        list(events)
    assert (told.value.engine, told.value.status) == (kind.engine, "SIGKILL")
    with pytest.raises(EngineCrashed):
        session.count_tokens(ask())
    session.close()


@every_gguf
def test_a_model_without_a_chat_template(workshop: Workshop, kind: Kind) -> None:
    assert text_of(list(workshop.session(kind, "plain").chat(ask()))) == SAYS


@every_llama
def test_progress_of_a_long_prompt(workshop: Workshop, kind: Kind) -> None:
    session = workshop.load(kind, "says", context=1024, max_concurrent=1)
    events = list(session.chat(ask("x" * 800, max_tokens=1)))
    session.close()
    progress = [event for event in events if isinstance(event, Progress)]
    done = [event.done for event in progress]
    assert done == sorted(done)
    assert len(set(done)) > 2
    assert {(event.stage, event.total) for event in progress} == {("prompt", usage_of(events).prompt_tokens)}
    assert done[-1] == progress[-1].total


@every_gguf
def test_no_port_is_open(workshop: Workshop, kind: Kind) -> None:
    pid = workshop.session(kind, "says").pid
    for process in {pid, os.getpid()}:
        listening = [each for each in psutil.Process(process).net_connections("inet") if each.status == "LISTEN"]
        assert listening == []


def interrupted(events: Iterator[Event], woken: threading.Event) -> None:
    for _ in events:
        pass
    woken.set()


@pytest.mark.parametrize("kind", [kind for kind in LLAMA + OPENVINO if kind.place == "here"], ids=str)
def test_closing_from_another_thread_wakes_one_that_waits(workshop: Workshop, kind: Kind) -> None:
    session = workshop.load(kind, "endless", context=4096, max_concurrent=1)
    running = start(session, ask())
    waiting, woken = cast("Generator[Event, None, None]", session.chat(ask())), threading.Event()
    thread = threading.Thread(target=interrupted, args=(waiting, woken))
    thread.start()
    waiting.close()
    assert woken.wait(30)
    thread.join()
    assert isinstance(next(running), Text)
    session.close()
