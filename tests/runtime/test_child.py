"""A session in a process of its own: what the process adds to the contract, which `tests/engines` holds it to."""

import os
import shlex
import signal
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from queue import SimpleQueue
from typing import cast

import psutil
import pytest

from abierto.engines.echo import EchoSession
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, EngineCrashed, EngineFailed, LoadFailed, UnknownEngine
from abierto.runtime import child
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Finish, Text, Usage

PATIENCE = 60.0
WORDS = "one two three four five six"


def ask(content: str, **sampling: object) -> ChatRequest:
    return ChatRequest((Message("user", content),), Sampling(**sampling))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def echo() -> Iterator[child.ChildSession]:
    session = child.load("echo", [], LoadOptions(100_000, max_concurrent=3, settings={"tokens_per_second": "200"}))
    yield session
    session.close()


def start(session: child.ChildSession, content: str) -> Generator[Event, None, None]:
    events = cast("Generator[Event, None, None]", session.chat(ask(content)))
    assert isinstance(next(events), Text)
    return events


def test_it_looks_like_the_session_in_the_child(echo: child.ChildSession) -> None:
    assert (echo.engine, echo.features, echo.context, echo.max_concurrent) == (
        "echo",
        EchoSession.features,
        100_000,
        3,
    )
    assert psutil.Process(echo.pid).ppid() == os.getpid()
    assert list(echo.chat(ask("¡Ñandú 🙂!\n"))) == [
        *(Text(piece) for piece in ("¡Ñandú", " 🙂!", "\n")),
        Usage(echo.count_tokens(ask("¡Ñandú 🙂!\n")), 3),
        Finish("stop"),
    ]


def test_answers_do_not_mix_and_one_can_be_cancelled(echo: child.ChildSession) -> None:
    first, second, third = (start(echo, f"{name} {WORDS}") for name in ("a", "b", "c"))
    second.close()
    assert "".join(event.text for event in third if isinstance(event, Text)) == f" {WORDS}"
    assert "".join(event.text for event in first if isinstance(event, Text)) == f" {WORDS}"
    assert list(second) == []


def test_a_cancelled_answer_is_not_computed_to_its_end() -> None:
    session = child.load("echo", [], LoadOptions(100_000, settings={"tokens_per_second": "20"}))
    process = psutil.Process(session.pid)
    idle = process.num_threads()
    start(session, "word " * 50_000).close()  # would take most of an hour
    for _ in range(100):
        assert list(session.chat(ask("hi")))[-1] == Finish("stop")
        if process.num_threads() == idle:  # nobody answers any more
            break
    else:
        pytest.fail("the thread of the cancelled answer goes on")
    session.close()


def test_a_child_ignores_control_c(echo: child.ChildSession) -> None:
    events = start(echo, WORDS)
    os.kill(echo.pid, signal.SIGINT)
    assert list(events)[-1] == Finish("stop")
    assert os.getpgid(echo.pid) != os.getpgid(0)


def test_errors_come_out_as_they_went_in() -> None:
    with pytest.raises(UnknownEngine) as told:
        child.load("nonsense", [], LoadOptions())
    assert told.value.name == "nonsense"
    assert "echo" in told.value.known


def test_what_an_engine_raises_by_mistake_is_told() -> None:
    with pytest.raises(EngineFailed) as told:
        child.load("echo", [], LoadOptions(settings={"tokens_per_second": "many"}))
    assert "many" in told.value.detail


@pytest.mark.parametrize(("number", "status"), [(signal.SIGSEGV, "SIGSEGV"), (signal.SIGKILL, "SIGKILL")])
def test_a_child_that_dies_takes_all_its_answers_with_it(number: signal.Signals, status: str) -> None:
    session = child.load("echo", [], LoadOptions(100_000, settings={"tokens_per_second": "10"}))
    answers = [start(session, "word " * 50_000) for _ in range(3)]
    os.kill(session.pid, number)
    for events in answers:
        with pytest.raises(EngineCrashed) as told:
            list(events)
        assert told.value.status == status
    session.close()


def test_a_child_that_does_not_listen_is_killed() -> None:
    session = child.load("echo", [], LoadOptions())
    process = psutil.Process(session.pid)
    os.kill(session.pid, signal.SIGSTOP)
    session.close()
    assert not process.is_running()


def test_a_child_that_dies_while_it_loads(tmp_path: Path) -> None:
    program = tmp_path / "llama-server"
    # Its parent is the keeper, and the keeper's parent the child.
    code = "import os, psutil; psutil.Process(os.getppid()).parent().kill()"
    program.write_text(f"#!/bin/sh\nexec {shlex.join([sys.executable, '-c', code])}\n")
    program.chmod(0o755)
    with pytest.raises(LoadFailed) as told:
        child.load("llamacpp", ["/some/model.gguf"], LoadOptions(settings={"llama_server": str(program)}))
    assert told.value.model == "model.gguf"
    assert "SIGKILL" in told.value.detail


@pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="the list of open files is Linux's")
def test_a_child_inherits_no_descriptor_that_it_does_not_need() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    session = child.load("echo", [], LoadOptions())
    held = {link.readlink() for link in Path(f"/proc/{session.pid}/fd").iterdir()}
    pipe = Path(f"/proc/self/fd/{writing}").readlink()
    session.close()
    os.close(reading)
    os.close(writing)
    assert held
    assert pipe not in held


def test_a_child_imports_nothing_from_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.chdir(tmp_path)
    session = child.load("echo", [], LoadOptions())
    assert list(session.chat(ask("hi")))[-1] == Finish("stop")
    session.close()


def fed(answer: Iterator[Event]) -> "SimpleQueue[Event | AbiertoError | None]":
    """What an answer tells by itself."""
    told: SimpleQueue[Event | AbiertoError | None] = SimpleQueue()
    assert isinstance(answer, child.Answer)
    answer.feed(told.put)
    return told


def test_events_are_told_by_the_thread_that_reads_them(echo: child.ChildSession) -> None:
    told = fed(echo.chat(ask("one two")))
    events = [told.get(timeout=PATIENCE) for _ in range(5)]
    assert events[:2] == [Text("one"), Text(" two")]
    assert events[-2:] == [Finish("stop"), None]


def test_one_that_is_closed_before_it_begins_tells_its_end(echo: child.ChildSession) -> None:
    answer = echo.chat(ask("one two"))
    assert isinstance(answer, child.Answer)
    answer.close()
    told = fed(answer)
    assert told.get(timeout=PATIENCE) is None
    assert told.empty()


def test_a_dead_process_is_told_once() -> None:
    session = child.load("echo", [], LoadOptions())
    process = psutil.Process(session.pid)
    process.kill()
    process.wait(PATIENCE)
    for _ in range(20):  # its end is noticed somewhere in between
        told: SimpleQueue[Event | AbiertoError | None] = SimpleQueue()
        answer = session.chat(ask("one"))
        assert isinstance(answer, child.Answer)
        try:
            answer.feed(told.put)
        except EngineCrashed:
            assert told.empty()
        else:
            assert isinstance(told.get(timeout=PATIENCE), EngineCrashed)
            assert told.empty()
    session.close()
