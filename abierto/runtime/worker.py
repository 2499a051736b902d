"""The child's side of a session in a process of its own: `python -m abierto.runtime.worker`, started by `child`.

JSON lines come in on standard input, and go out on what was standard output; native code that prints there cannot come
between. Each request has an `id`, which is told in what goes `to` it, and the first request is to load a model:

    {"id": 0, "load": ENGINE, "files": [...], "options": {...}, "folder": PATH}    {"to": 0, "ready": {...}}
    {"id": N, "run": TASK, "request": REQUEST}     the events, each with `to`; at last     {"to": N, "end": true}
    {"id": N, "count": TASK, "request": REQUEST}   {"to": N, "tokens": T}, and             {"to": N, "end": true}
    {"id": N, "cancel": true}                      breaks a request off

An error is a `failure` event. When the input ends, the parent is gone, and so is this process.
"""

import json
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from queue import SimpleQueue
from typing import IO, Any, TypeVar

from abierto import engines
from abierto.engines.session import LoadOptions, Session, run
from abierto.errors import AbiertoError, EngineFailed
from abierto.tasks import TASKS
from abierto.tasks.events import Failure, to_wire

Result = TypeVar("Result")
LAST_PATIENCE = 10  # seconds for an engine to give everything back; after that the process dies with it


def main() -> None:
    """Serve until the input ends."""
    # Ctrl-C in a terminal reaches every process there; whether it ends us is for the parent to say.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    replies = _Replies(os.fdopen(os.dup(1), "wb"))
    os.dup2(2, 1)
    # Not `sys.stdin`, which the interpreter wants to close at its end, when a thread may still read.
    stream = os.fdopen(os.dup(0), "rb")
    first = json.loads(stream.readline() or "null")
    if first is None:
        return
    # The parent knows this folder too, so that one of us removes it, whichever is left.
    folder = tempfile.tempdir = first["folder"]
    requests = _Requests(stream, folder)
    try:
        session = _attempt(lambda: _load(first, replies), first["load"], replies, 0)
        requests.loading = False
        if session is not None:
            _serve(session, requests, replies)
            session.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class _Requests(Iterator[dict[str, Any]]):
    """What comes in, until the input ends; read by a thread, because a load may take for ever.

    loading: while this holds, the end of the input is the end of the process, whatever it is at.
    """

    def __init__(self, stream: IO[bytes], folder: str) -> None:
        self.loading = True
        self._stream, self._folder = stream, folder
        self._lines: SimpleQueue[bytes] = SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def __next__(self) -> dict[str, Any]:
        line = self._lines.get()
        if not line:
            raise StopIteration
        message: dict[str, Any] = json.loads(line)
        return message

    def _read(self) -> None:
        while line := self._stream.readline():
            self._lines.put(line)
        self._lines.put(b"")
        if self.loading:
            shutil.rmtree(self._folder, ignore_errors=True)
            os._exit(1)


class _Replies:
    """Lines to the parent, from any thread."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lock = threading.Lock()

    def send(self, to: int, fields: Mapping[str, Any]) -> None:
        with self._lock, suppress(BrokenPipeError):  # the parent is gone; the end of our input will tell
            self._stream.write(json.dumps({"to": to, **fields}).encode() + b"\n")
            self._stream.flush()


class _Work:
    """One request, in a thread of its own."""

    def __init__(self, session: Session, message: dict[str, Any], replies: _Replies) -> None:
        self._session, self._message, self._replies = session, message, replies
        self._number: int = message["id"]
        self._cancelled = threading.Event()
        self._events: Any = None
        self.thread = threading.Thread(target=self._run, daemon=True)
        self.thread.start()

    def cancel(self) -> None:
        """Break it off."""
        self._cancelled.set()
        # An iterator that cannot be closed while it works is closed at its next event.
        with suppress(ValueError, AttributeError):
            self._events.close()

    def _run(self) -> None:
        _attempt(self._work, self._session.engine, self._replies, self._number)
        self._replies.send(self._number, {"end": True})

    def _work(self) -> None:
        if task := self._message.get("count"):
            tokens = self._session.count_tokens(TASKS[task].from_wire(self._message["request"]))
            self._replies.send(self._number, {"tokens": tokens})
            return
        self._events = run(self._session, TASKS[self._message["run"]].from_wire(self._message["request"]))
        while not self._cancelled.is_set() and (event := next(self._events, None)) is not None:
            self._replies.send(self._number, to_wire(event))
        self._events.close()


def _attempt(work: Callable[[], Result], engine: str, replies: _Replies, number: int) -> Result | None:
    """What `work` returns; or None, and the parent hears of its error."""
    try:
        return work()
    except AbiertoError as error:
        failed: AbiertoError = error
    except Exception as error:  # noqa: BLE001 - what an engine raises must not end this process without a word
        failed = EngineFailed(engine, repr(error))
    replies.send(number, to_wire(Failure.of(failed)))
    return None


def _load(message: dict[str, Any], replies: _Replies) -> Session:
    session = engines.load(message["load"], message["files"], LoadOptions(**message["options"]))
    facts = {name: getattr(session, name) for name in ("engine", "max_concurrent", "context", "pid")}
    replies.send(0, {"ready": {**facts, "features": sorted(session.features)}})
    return session


def _serve(session: Session, requests: _Requests, replies: _Replies) -> None:
    works: dict[int, _Work] = {}
    for message in requests:
        if "cancel" not in message:
            works = {number: work for number, work in works.items() if work.thread.is_alive()}
            works[message["id"]] = _Work(session, message, replies)
        elif work := works.pop(message["id"], None):
            work.cancel()
    if hasattr(signal, "alarm"):
        signal.alarm(LAST_PATIENCE)  # native code may hold the interpreter lock, so that only the system can end it
    for work in works.values():
        work.cancel()


if __name__ == "__main__":
    main()
