"""A session at the server of this home: a model that it has loaded is used there, not loaded a second time.

It looks like any other session. Closing an answer closes its connection, by which the server breaks the work off.
"""

import json
import socket
from collections.abc import Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from abierto.errors import EngineCrashed, ServerNotRunning, rebuild
from abierto.runtime import serving
from abierto.runtime.choice import AUTO
from abierto.runtime.fit import Plan
from abierto.runtime.resolve import Target
from abierto.runtime.serving import Server
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Event, from_wire
from abierto.tasks.rerank import RerankRequest

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse


class ServedSession:
    """See `Session`. recorded: the server writes into the journal what runs. fitted: how the model was loaded there."""

    recorded = True

    def __init__(self, server: Server, facts: dict[str, Any]) -> None:
        self.engine: str = facts["engine"]
        self.features: frozenset[str] = frozenset(facts["features"])
        self.max_concurrent: int = facts["max_users"]
        self.context: int = facts["context"]
        self.pid: int = facts["process_id"]
        self.threads: int = facts["threads"] or 0
        self.settings: dict[str, str] = facts["settings"]
        self.fitted = Plan(self.context, facts["trained"], facts["estimate"] or 0, self.max_concurrent)
        self._server, self._name = server, facts["model"]

    def count_tokens(self, request: Request) -> int:
        """See `Session`."""
        try:
            return int(self._server.ask("POST", "/count", self._asked(request), patience=None)["tokens"])
        except ServerNotRunning as error:
            raise self._gone() from error

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. Raises EngineCrashed when the server ends in the middle."""
        return self._run(request)

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """As `chat`."""
        return self._run(request)

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """As `chat`."""
        return self._run(request)

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """As `chat`."""
        return self._run(request)

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """As `chat`."""
        return self._run(request)

    def close(self) -> None:
        """See `Session`. The model stays where it is."""

    def _run(self, request: Request) -> "_Answer":
        return _Answer(self._server, self._asked(request), self._gone())

    def _asked(self, request: Request) -> dict[str, Any]:
        return {"model": self._name, "task": request.task, "request": request.to_wire()}

    def _gone(self) -> EngineCrashed:
        return EngineCrashed(self.engine, "connection lost", self._server.address)


class _Answer(Iterator[Event]):
    """The events of one answer. It is asked for with the first event that is asked for."""

    def __init__(self, server: Server, body: dict[str, Any], gone: EngineCrashed) -> None:
        self._server, self._body, self._gone = server, body, gone
        self._connection: HTTPConnection | None = None
        self._socket: socket.socket | None = None
        self._lines: HTTPResponse | None = None
        self._closed = False

    def __next__(self) -> Event:
        if self._closed:
            raise StopIteration
        try:
            body = json.loads(self._line() or "null")
        except (OSError, ValueError, ServerNotRunning) as error:
            broken_off = self._closed
            self._end()
            if broken_off:
                raise StopIteration from error
            raise self._gone from error
        if body is None or "end" in body or body["event"] == "failure":
            broken_off = self._closed
            self._end()
            if body is None and not broken_off:
                raise self._gone
            if body and "event" in body:
                raise rebuild(body["code"], body["facts"])
            raise StopIteration
        return from_wire(body)

    def close(self) -> None:
        """Cancel. From any thread, and one that waits for an event is woken."""
        self._end()

    def _line(self) -> bytes:
        from http.client import HTTPException

        try:
            if self._lines is None:
                self._connection = self._server.connect(None)
                self._connection.connect()
                self._socket = self._connection.sock
                if self._closed:
                    return b""
                self._lines = self._server.send(self._connection, "POST", "/run", self._body)
            return self._lines.readline()
        except HTTPException as error:
            raise ConnectionResetError(repr(error)) from error

    def _end(self) -> None:
        self._closed = True
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
        if self._connection is not None:
            self._connection.close()


def find(
    target: Target, engine: str, context: int, needs: frozenset[str], together: int, task: str
) -> ServedSession | None:
    """The session at the server, if it has this very model ready in a form that does; else None."""
    if target.format != "none" and not (target.record or target.owner):
        return None  # a path: the server knows models by their names alone
    server = serving.find()
    if server is None:
        return None
    with suppress(ServerNotRunning):
        for facts in server.ask("GET", "/status")["residents"]:
            if (
                (facts["state"], facts.get("name")) == ("ready", target.name)
                and engine in (AUTO, facts["engine"])
                and context in (0, facts["context"])
                and together <= facts["max_users"]
                and needs | {task} <= set(facts["features"])
            ):
                return ServedSession(server, facts)
    return None
