"""The parent's side of a session in a process of its own: what `worker` does there looks like a session here.

A crash, a leak or an assertion in native code then costs the requests that ran, and not this process. The child is a
fresh interpreter and not a fork, because threads and native libraries do not survive one. It knows no engine.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import weakref
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import abierto
from abierto.engines.kept_process import GRACE, NEW_GROUP, Tail, status_of
from abierto.engines.session import LoadOptions
from abierto.errors import EngineCrashed, LoadFailed, rebuild
from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Event, from_wire

DETAIL_LINES = 8

# What the child says, by request; None when it is gone.
_Replies = SimpleQueue[dict[str, Any] | None]


def load(engine: str, files: list[str], options: LoadOptions) -> "ChildSession":
    """As `engines.load`, in a new process. Raises what that raises; a crash while loading is LoadFailed."""
    child = _Child(engine)
    model = Path(files[0]).name if files else ""
    # Only we read what the child writes to its standard error, so the engine may say there what is wrong.
    wire = {**options.to_wire(), "settings": {"verbosity": "1", **options.settings}}
    try:
        replies = child.open(0)
        child.send(id=0, load=engine, files=files, options=wire, folder=str(child.folder))
        return ChildSession(child, _checked(child, replies.get())["ready"])
    except EngineCrashed as crash:
        child.close()
        raise LoadFailed(engine, model, f"{crash.status}\n{crash.detail}".strip()) from crash
    except LoadFailed as error:
        child.close()
        raise LoadFailed(engine, model, error.detail or child.tail()) from error
    except BaseException:
        child.close()
        raise


class ChildSession:
    """See `Session`."""

    def __init__(self, child: "_Child", facts: dict[str, Any]) -> None:
        self.engine: str = facts["engine"]
        self.features: frozenset[str] = frozenset(facts["features"])
        self.max_concurrent: int = facts["max_concurrent"]
        self.context: int = facts["context"]
        self.pid: int = facts["pid"]
        self._child = child
        self._numbers = iter(range(1, sys.maxsize))
        # Runs at close, or when the interpreter ends without one.
        self._release = weakref.finalize(self, child.close)

    def count_tokens(self, request: ChatRequest) -> int:
        """See `Session`."""
        [reply] = self._ask("count", request)
        return int(reply["tokens"])

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. Raises EngineCrashed when the child ends in the middle."""
        with closing(self._ask("chat", request)) as replies:
            for reply in replies:
                yield from_wire({name: value for name, value in reply.items() if name != "id"})

    def close(self) -> None:
        """See `Session`. Never waits long: a child that does not end is killed."""
        self._release()

    def _ask(self, kind: str, request: ChatRequest) -> Generator[dict[str, Any], None, None]:
        number = next(self._numbers)
        replies, running = self._child.open(number), True
        try:
            self._child.send(**{"id": number, kind: request.to_wire()})
            while running:
                reply = replies.get()
                if reply is None and self._child.closed:
                    return  # not a crash: this side broke it off
                running = reply is not None and reply.get("event") != "failure" and "end" not in reply
                checked = _checked(self._child, reply)
                if running:
                    yield checked
        finally:
            self._child.forget(number)
            if running:
                with suppress(EngineCrashed):
                    self._child.send(id=number, cancel=True)


class _Child:
    """The process, its pipes, and who waits for what it says. closed: it ends because we want it to."""

    def __init__(self, engine: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="abierto-"))
        self._engine = engine
        # Without -P the child would import from the current folder, which may hold anything.
        package = str(Path(abierto.__file__).parent.parent)
        path = os.pathsep.join([package, *filter(None, [os.environ.get("PYTHONPATH")])])
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-m", "abierto.runtime.worker"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": path},
            start_new_session=os.name == "posix",
            creationflags=NEW_GROUP,
        )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        self._requests, self._answers = self._process.stdin, self._process.stdout
        self._tail = Tail(self._process.stderr)
        self._lock = threading.Lock()
        self._waiting: dict[int, _Replies] = {}
        self.closed = self._gone = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def open(self, number: int) -> _Replies:
        """Where the replies to this request will arrive."""
        replies = _Replies()
        with self._lock:
            self._waiting[number] = replies
            if self._gone:
                replies.put(None)
        return replies

    def forget(self, number: int) -> None:
        """Nobody waits for this request any more."""
        with self._lock:
            del self._waiting[number]

    def send(self, **fields: Any) -> None:
        """One line to the child. Raises EngineCrashed when it is gone."""
        line = json.dumps(fields).encode() + b"\n"
        try:
            with self._lock:
                self._requests.write(line)
                self._requests.flush()
        except (OSError, ValueError) as error:
            raise self.crash() from error

    def crash(self) -> EngineCrashed:
        """How the child ended, as an error."""
        try:
            status = status_of(self._process.wait(GRACE))
        except subprocess.TimeoutExpired:
            status = "connection lost"
        return EngineCrashed(self._engine, status, self.tail())

    def tail(self) -> str:
        """The last lines of the child's standard error."""
        return "\n".join(self._tail.text(GRACE).strip().splitlines()[-DETAIL_LINES:])

    def close(self) -> None:
        """End the process, and kill it if it does not listen. May be called twice."""
        self.closed = True
        with self._lock, suppress(OSError):
            self._requests.close()
        for insist in (self._process.terminate, self._process.kill):
            try:
                self._process.wait(GRACE)
                break
            except subprocess.TimeoutExpired:
                insist()
        self._process.wait()
        self._thread.join(GRACE)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _read(self) -> None:
        with self._answers:
            for line in self._answers:
                reply = json.loads(line)
                with self._lock:
                    waiting = self._waiting.get(reply["id"])
                if waiting:
                    waiting.put(reply)
        with self._lock:
            self._gone = True
            for waiting in self._waiting.values():
                waiting.put(None)


def _checked(child: _Child, reply: dict[str, Any] | None) -> dict[str, Any]:
    """The reply. Raises the error that it tells of, and EngineCrashed when there is none."""
    if reply is None:
        raise child.crash()
    if reply.get("event") == "failure":
        raise rebuild(reply["code"], reply["facts"])
    return reply
