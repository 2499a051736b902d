"""What only the llama.cpp engine does: its socket, its key, its errors, its processes."""

import os
import signal
import socket
import stat
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from abierto.engines import llamacpp
from abierto.engines.session import LoadOptions, Session
from abierto.errors import EngineCrashed, EngineFailed, FileMissing, LoadFailed, PromptTooLong
from abierto.tasks.events import Event, Finish, Reasoning, Text, Usage
from tests.engines.kinds import LLAMA, Kind, Workshop, ask
from tests.tiny_gguf import TinyGGUF

REPOSITORY = Path(__file__).parents[2]
every_llama = pytest.mark.parametrize("kind", LLAMA, ids=str)

READ_UNTIL_INTERRUPTED = """
import sys
from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.events import Text
session = engines.load("llamacpp", [sys.argv[1]], LoadOptions(4096))
answer = session.chat(ChatRequest((Message("user", "go on"),)))
try:
    for event in answer:
        if isinstance(event, Text):
            print("text", flush=True)
except KeyboardInterrupt:
    print("\\ninterrupted", flush=True)  # it may come in the middle of a line
"""

LOAD_AND_WAIT = """
import sys
from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.runtime import child
load = child.load if sys.argv[2] == "child" else engines.load
settings = {"llama_server": sys.argv[3]} if sys.argv[3] else {}
session = load("llamacpp", [sys.argv[1]], LoadOptions(512, settings=settings))
print(session.pid, flush=True)
sys.stdin.read()
"""


def sockets(pid: int) -> set[Path]:
    """The Unix sockets of ours on which a process listens."""
    found = {Path(str(each.laddr)) for each in psutil.Process(pid).net_connections("unix")}
    return {path for path in found if path.name == "llama.sock"}


def socket_of(session: Session, before: set[Path]) -> Path:
    [path] = sockets(session.pid) - before
    return path


@every_llama
def test_the_socket_is_private_wants_a_key_and_goes_away(workshop: Workshop, kind: Kind) -> None:
    before = sockets(os.getpid())
    session = workshop.load(kind, "says")
    path = socket_of(session, before)
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(str(path))
        connection.sendall(b"GET /props HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert b" 401 " in connection.makefile("rb").readline()
    assert not any("Bearer" in argument or "key" in argument for argument in psutil.Process(session.pid).cmdline())
    session.close()
    assert not path.parent.exists()


@every_llama
def test_a_file_that_cannot_be_loaded(workshop: Workshop, kind: Kind, capfd: pytest.CaptureFixture[str]) -> None:
    broken = workshop.folder / "broken.gguf"
    broken.write_bytes(TinyGGUF(tensors={"output_norm.weight": None}).build())
    with pytest.raises(LoadFailed) as told:
        workshop.load(kind, "broken")
    assert (told.value.engine, told.value.model) == ("llamacpp", "broken.gguf")
    assert ("output_norm" in told.value.detail) == (kind.place == "child" or bool(kind.program))
    assert capfd.readouterr() == ("", "")


def test_a_program_that_is_not_there(workshop: Workshop) -> None:
    options = LoadOptions(settings={"llama_server": "/nowhere/llama-server"})
    with pytest.raises(FileMissing):
        llamacpp.load([workshop.model("says")], options)


@pytest.mark.parametrize(
    ("content", "told"),
    [("#!/nowhere/sh\n", "No such file"), ("#!/bin/sh\necho ill >&2\n", "ill"), ("#!/bin/sh\nexit 3\n", "exit 3")],
)
def test_a_program_that_does_not_run(workshop: Workshop, tmp_path: Path, content: str, told: str) -> None:
    program = tmp_path / "llama-server"
    program.write_text(content)
    program.chmod(0o755)
    with pytest.raises(LoadFailed) as failed:
        llamacpp.load([workshop.model("says")], LoadOptions(settings={"llama_server": str(program)}))
    assert told in failed.value.detail


def scripted(workshop: Workshop) -> Session:
    settings = {"llama_server": workshop.program("scripted_server.py")}
    return llamacpp.load([workshop.model("says")], LoadOptions(settings=settings))


def test_what_a_model_thinks(workshop: Workshop) -> None:
    session = scripted(workshop)
    events: list[Event] = list(session.chat(ask("think")))
    session.close()
    assert events == [Reasoning("hmm"), Text("yes"), Usage(7, 2), Finish("stop")]
    assert session.context == 128


def test_errors_of_the_server(workshop: Workshop) -> None:
    session = scripted(workshop)
    for order, detail in (("fail", "the sky fell"), ("fail late", "the sky fell late")):
        with pytest.raises(EngineFailed) as failed:
            list(session.chat(ask(order)))
        assert failed.value.detail == detail
    with pytest.raises(EngineFailed):
        list(session.chat(ask("babble")))
    with pytest.raises(PromptTooLong) as long:
        list(session.chat(ask("too long")))
    assert (long.value.tokens, long.value.context, long.value.trained) == (999, 128, 128)
    with pytest.raises(EngineCrashed) as dropped:
        list(session.chat(ask("drop")))
    assert dropped.value.status == "connection lost"
    assert list(session.chat(ask("think")))[-1] == Finish("stop")
    with pytest.raises(EngineCrashed) as died:
        list(session.chat(ask("die")))
    assert died.value.status == "exit 3"
    assert "/v1/chat/completions" in died.value.detail
    session.close()


def test_counting_with_a_program_that_cannot_count(workshop: Workshop) -> None:
    session = scripted(workshop)
    assert session.count_tokens(ask("one two three")) == 5
    session.close()


def test_a_seeded_answer_does_not_depend_on_what_was_asked_before(workshop: Workshop) -> None:
    session = workshop.session(LLAMA[0], "random")
    list(session.chat(ask("abc", max_tokens=1)))
    [usage] = [event for event in session.chat(ask("abc", max_tokens=1, seed=1)) if isinstance(event, Usage)]
    [cached] = [event for event in session.chat(ask("abc", max_tokens=1)) if isinstance(event, Usage)]
    assert usage.cached_tokens == 0
    assert cached.cached_tokens > 0


def test_control_c_reaches_python_and_the_interpreter_ends_in_silence(workshop: Workshop) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", READ_UNTIL_INTERRUPTED, workshop.model("endless")],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "text\n"
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (out.splitlines()[-1], err, process.returncode) == ("interrupted", "", 0)


@pytest.mark.parametrize("kind", [kind for kind in LLAMA if kind.place == "child" or kind.program], ids=str)
def test_nothing_survives_a_parent_that_was_killed(workshop: Workshop, kind: Kind) -> None:
    program = workshop.program(kind.program) if kind.program else ""
    with subprocess.Popen(
        [sys.executable, "-c", LOAD_AND_WAIT, workshop.model("says"), kind.place, program],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
    ) as process:
        assert process.stdout is not None
        computing = psutil.Process(int(process.stdout.readline()))
        everybody = psutil.Process(process.pid).children(recursive=True)
        assert computing in everybody
        [path] = sockets(computing.pid)
        process.kill()
        process.wait()
    _, alive = psutil.wait_procs(everybody, timeout=30)
    assert alive == []
    assert not path.parent.exists()


@pytest.mark.model
def test_the_answer_of_the_starter_model(starter_path: Path) -> None:
    session = llamacpp.load([str(starter_path)], LoadOptions(context=512, threads=2))
    events = list(session.chat(ask("The capital of France is", max_tokens=24, temperature=0.0)))
    session.close()
    assert "Paris" in "".join(event.text for event in events if isinstance(event, Text))


OPENS_AND_CLOSES = """
import sys
from abierto.engines import load
from abierto.engines.session import LoadOptions
for _ in range(20):
    load("llamacpp", [sys.argv[1]], LoadOptions(context=256)).close()
"""


def test_a_session_that_is_closed_at_once_ends(tmp_path: Path) -> None:
    path = TinyGGUF(dtype="f16").write(tmp_path / "tiny.gguf")
    # Without an end of its own the test would wait as long as the fault does: for ever.
    subprocess.run([sys.executable, "-c", OPENS_AND_CLOSES, str(path)], check=True, timeout=120)
