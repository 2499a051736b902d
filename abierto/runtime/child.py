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
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import abierto
from abierto.engines.kept_process import GRACE, NEW_GROUP, Tail, status_of
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, EngineCrashed, LoadFailed, rebuild
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Event, from_wire
from abierto.tasks.rerank import RerankRequest

DETAIL_LINES = 8

# Who is told what the child says to a request; None when it is gone.
_Receive = Callable[[dict[str, Any] | None], None]
# Who is told of an answer: its events, and at last an error, or None when it has ended.
Sink = Callable[[Event | AbiertoError | None], None]


def load(engine: str, files: list[str], options: LoadOptions) -> "ChildSession":
    """As `engines.load`, in a new process. Raises what that raises; a crash while loading is LoadFailed."""
    child = _Child(engine)
    model = Path(files[0]).name if files else ""
    # Only we read what the child writes to its standard error, so the engine may say there what is wrong.
    wire = {**options.to_wire(), "settings": {"verbosity": "1", **options.settings}}
    try:
        replies: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        child.open(0, replies.put)
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

    @property
    def alive(self) -> bool:
        """Whether the process runs."""
        return self._child.runs()

    def count_tokens(self, request: Request) -> int:
        """See `Session`."""
        [reply] = self._ask("count", request)
        return int(reply["tokens"])

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. Raises EngineCrashed when the child ends in the middle. The iterator's `close` may be called
        from another thread, and wakes one that waits."""
        return Answer(self._ask("run", request))

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """As `chat`."""
        return Answer(self._ask("run", request))

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """As `chat`."""
        return Answer(self._ask("run", request))

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """As `chat`."""
        return Answer(self._ask("run", request))

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """As `chat`."""
        return Answer(self._ask("run", request))

    def close(self) -> None:
        """See `Session`. Never waits long: a child that does not end is killed."""
        self._release()

    def _ask(self, kind: str, request: Request) -> "_Exchange":
        return _Exchange(self._child, next(self._numbers), {kind: request.task, "request": request.to_wire()})


class _Exchange(Iterator[dict[str, Any]]):
    """A request and what the child says to it. It is sent with the first reply that is asked for.

    told: whether its end has been told, where replies are told and not asked for.
    """

    def __init__(self, child: "_Child", number: int, message: dict[str, Any]) -> None:
        self._child, self._number = child, number
        self._message: dict[str, Any] | None = message
        self._lock = threading.RLock()
        self._replies: SimpleQueue[dict[str, Any] | None] = SimpleQueue()
        self._receive: _Receive = self._replies.put
        self._over = self._closed = self.told = False

    def __next__(self) -> dict[str, Any]:
        if self._message:
            self._begin(self._message)
        if self._over:
            raise StopIteration
        reply = self._replies.get()
        if reply is None and (self._closed or self._child.closed):
            self._end()
            raise StopIteration  # not a crash: this side broke it off
        if reply is None or "end" in reply or reply.get("event") == "failure":
            self._end()
            if "end" in _checked(self._child, reply):
                raise StopIteration
        assert reply is not None
        return reply

    def feed(self, receive: _Receive) -> None:
        """Send it; the replies are not to be asked for but told, by the thread that reads them."""
        self._receive = receive
        try:
            if self._message:
                self._begin(self._message)
        except EngineCrashed:
            if self.last():
                raise
            return  # the reading thread has told it already
        if self._closed:  # before it was sent, so that nobody will answer
            receive(None)

    def last(self) -> bool:
        """Whether the end is still to be told; from now on it is not. Two threads may come upon it at once."""
        with self._lock:
            first, self.told = not self.told, True
            return first

    def ended(self, reply: dict[str, Any] | None) -> AbiertoError | None:
        """What a reply that is the last one says: an error, or None when nothing is wrong."""
        if reply is None and (self._closed or self._child.closed):
            return None  # not a crash: this side broke it off
        self._end()
        if reply is None:
            return self._child.crash()
        return None if "end" in reply else rebuild(reply["code"], reply["facts"])

    def close(self) -> None:
        """Break it off, from any thread."""
        self._closed = True
        if self._end():
            self._receive(None)
            with suppress(EngineCrashed):
                self._child.send(id=self._number, cancel=True)

    def __del__(self) -> None:
        self.close()

    def _begin(self, message: dict[str, Any]) -> None:
        with self._lock:
            self._message = None
            if self._over:
                return
            self._child.open(self._number, self._receive)
        try:
            self._child.send(id=self._number, **message)
        except BaseException:
            self._end()
            raise

    def _end(self) -> bool:
        """Whether it was running until now."""
        with self._lock:
            running = not self._over and self._message is None
            self._over = True
            if running:
                self._child.forget(self._number)
            return running


class Answer(Iterator[Event]):
    """The events that the child says."""

    def __init__(self, exchange: _Exchange) -> None:
        self._exchange = exchange

    def __next__(self) -> Event:
        reply = next(self._exchange)
        del reply["to"]
        return from_wire(reply)

    def feed(self, sink: Sink) -> None:
        """Have the events told to `sink` by the thread that reads them, in place of asking for each: it costs less, and
        no thread waits. What `sink` does holds up all other answers, and it may not raise."""

        def receive(reply: dict[str, Any] | None) -> None:
            if reply is None or "end" in reply or reply["event"] == "failure":
                if self._exchange.last():
                    sink(self._exchange.ended(reply))
            elif not self._exchange.told:
                del reply["to"]
                sink(from_wire(reply))

        self._exchange.feed(receive)

    def close(self) -> None:
        """Cancel. From any thread."""
        self._exchange.close()


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
        self._waiting: dict[int, _Receive] = {}
        self.closed = self._gone = False
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def open(self, number: int, receive: _Receive) -> None:
        """From now on the replies to this request are told there."""
        with self._lock:
            self._waiting[number] = receive
            gone = self._gone
        if gone:
            receive(None)

    def forget(self, number: int) -> None:
        """Nobody waits for this request any more."""
        with self._lock:
            self._waiting.pop(number, None)

    def send(self, **fields: Any) -> None:
        """One line to the child. Raises EngineCrashed when it is gone."""
        line = json.dumps(fields).encode() + b"\n"
        try:
            with self._lock:
                self._requests.write(line)
                self._requests.flush()
        except (OSError, ValueError) as error:
            raise self.crash() from error

    def runs(self) -> bool:
        """Whether the process has not ended."""
        return self._process.poll() is None

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
                    waiting = self._waiting.get(reply["to"])
                if waiting:
                    waiting(reply)
        with self._lock:
            self._gone = True
            left = list(self._waiting.values())
        for waiting in left:
            waiting(None)


def _checked(child: _Child, reply: dict[str, Any] | None) -> dict[str, Any]:
    """The reply. Raises the error that it tells of, and EngineCrashed when there is none."""
    if reply is None:
        raise child.crash()
    if reply.get("event") == "failure":
        raise rebuild(reply["code"], reply["facts"])
    return reply
