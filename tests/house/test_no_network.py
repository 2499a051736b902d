"""Nothing leaves the computer unasked (rule 10): what the commands connect to, seen from inside and from outside.

From inside, an audit hook of Python sees every connection that Python code makes, on every system. From outside,
strace sees the system calls of the whole process and its children, native code of the engines included; Linux only.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from tests.tiny_gguf import TinyGGUF

HOOK = """
import os, socket, sys

def seen(event, facts):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.gethostbyaddr"):
        address = facts[0]
    elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
        if facts[0].family == getattr(socket, "AF_UNIX", None):
            return
        address = facts[1]
    else:
        return
    with open(os.environ["SEEN_FILE"], "a", encoding="utf-8") as file:
        print(event, address, file=file)

sys.addaudithook(seen)
"""
CALLS = re.compile(r"\b(?:connect|sendto|sendmsg|sendmmsg)\(.*sa_family=AF_INET6?\b.*")

Command = list[str]
Watch = Callable[[Command], list[str]]


def finished(command: Command, environment: Mapping[str, str]) -> None:
    """Run a command to its end, and hold that it did what it should."""
    given = {"env": {**os.environ, **environment}, "stdin": subprocess.DEVNULL, "capture_output": True}
    done = subprocess.run(command, **given, text=True, encoding="utf-8")  # type: ignore[call-overload]
    assert done.returncode == 0, done.stderr


def inside(command: Command, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """What the audit hook saw while a Python command ran."""
    (folder / "sitecustomize.py").write_text(HOOK, encoding="utf-8")
    seen = folder / "seen.txt"
    path = os.pathsep.join(filter(None, (str(folder), os.environ.get("PYTHONPATH"))))
    finished(command, {**environment, "PYTHONPATH": path, "SEEN_FILE": str(seen)})
    return seen.read_text("utf-8").splitlines() if seen.exists() else []


def outside(command: Command, folder: Path, environment: Mapping[str, str]) -> list[str]:
    """The system calls of a command and its children that send something into a network, this computer's own too."""
    trace = folder / "trace.txt"
    calls = "trace=connect,sendto,sendmsg,sendmmsg"
    finished(["strace", "-f", "-qq", "-e", calls, "-o", str(trace), *command], environment)
    return CALLS.findall(trace.read_text("utf-8", errors="replace"))


def can_trace() -> bool:
    """Whether strace is there and may look into a process."""
    return (
        bool(shutil.which("strace")) and subprocess.run(["strace", "-qq", "true"], capture_output=True).returncode == 0
    )


@pytest.fixture(params=[inside, pytest.param(outside, marks=pytest.mark.skipif(not can_trace(), reason="no strace"))])
def watch(request: pytest.FixtureRequest, tmp_path: Path) -> Watch:
    """Runs Python with arguments and returns the connections it made."""
    environment = {"ABIERTO_HOME": str(tmp_path / "home"), "ABIERTO_LANGUAGE": "en"}
    return lambda arguments: request.param([sys.executable, *arguments], tmp_path, environment)


def test_a_connection_is_seen(watch: Watch) -> None:
    code = "import socket; s = socket.socket(); s.connect_ex(('127.0.0.1', 9)); s.close()"
    assert watch(["-c", code])


def test_a_datagram_is_seen(watch: Watch) -> None:
    code = "from socket import *; s = socket(AF_INET, SOCK_DGRAM); s.sendto(b'x', ('127.0.0.1', 9)); s.close()"
    assert watch(["-c", code])


@pytest.mark.parametrize(
    "command",
    [
        "--help",
        "chat --model echo hola",
        "models --all",
        "show smollm2:135m",
        "show groq/model",
        "key list",
        "doctor",
        "licenses",
    ],
)
def test_commands_connect_to_nothing(watch: Watch, command: str) -> None:
    assert watch(["-m", "abierto", *command.split()]) == []


def test_importing_connects_to_nothing(watch: Watch) -> None:
    assert watch(["-c", "import abierto; abierto.chat('hola', model='echo')"]) == []


@pytest.mark.parametrize("engine", ["llamacpp", "openvino"])
def test_an_engine_connects_to_nothing(watch: Watch, tmp_path: Path, engine: str) -> None:
    model = tmp_path / "tiny.gguf"
    TinyGGUF(says="Hé 你🙂.", dtype="f16").write(model)
    chat = ["chat", "--model", f"file:{model}", "--engine", engine, "--max-tokens", "8", "hola"]
    assert watch(["-m", "abierto", *chat]) == []
