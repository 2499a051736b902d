"""llama-server's HTTP dialect: just enough HTTP/1.1 for its private socket, and its answers as our events.

One connection serves one request. The standard library's client reads a chunked body line by line in Python, and a
token is three such lines; here it is one exact read for each chunk. It does not know how the server was started, nor
what the answers mean.
"""

import json
import re
import secrets
import socket
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from time import perf_counter
from typing import Any

from abierto.errors import AbiertoError, BadImage, EngineCrashed, EngineFailed, InvalidSchema, PromptTooLong
from abierto.tasks.events import Event

NAME = "llamacpp"


@dataclass(frozen=True, slots=True)
class Address:
    """Where a server listens: `path` of a Unix socket, or else `port` on 127.0.0.1; and the key that it demands."""

    path: str = ""
    port: int = 0
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24), repr=False)

    def connect(self) -> socket.socket:
        """A new connection. Raises OSError when nobody listens."""
        if not self.path:
            return socket.create_connection(("127.0.0.1", self.port))
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(self.path)
        except OSError:
            connection.close()
            raise
        return connection


class Exchange:
    """One request and its answer. `status` is there once it is made; the body is read by one of the methods.

    began: when it was sent, in the seconds of `perf_counter`.
    """

    def __init__(self, address: Address, method: str, path: str, body: object = None) -> None:
        self.began = perf_counter()
        self._socket = address.connect()
        self._file = self._socket.makefile("rb")
        content = b"" if body is None else json.dumps(body).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
        head += f"Authorization: Bearer {address.key}\r\n"
        head += f"Content-Type: application/json\r\nContent-Length: {len(content)}\r\n\r\n"
        try:
            self._socket.sendall(head.encode() + content)
        except OSError:
            self.close()
            raise

    def status(self) -> int:
        """Wait for the answer's head, and tell its status. To be called once, before the body is read."""
        protocol, _, rest = self._file.readline().partition(b" ")
        if not protocol.startswith(b"HTTP/1.") or not rest[:3].isdigit():
            raise ConnectionError("the connection was closed before an answer came")
        self._chunked = False
        while line := self._file.readline().strip():
            name, _, value = line.lower().partition(b":")
            self._chunked = self._chunked or (name == b"transfer-encoding" and b"chunked" in value)
        return int(rest[:3])

    def json(self) -> Any:
        """The whole body, as JSON; None when it is not."""
        try:
            return json.loads(b"".join(self._pieces()))
        except ValueError:
            return None

    def events(self) -> Iterator[bytes]:
        """The data of a stream of server-sent events, each as it arrives."""
        rest = b""
        for piece in self._pieces():
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines:
                if line.startswith(b"data:"):
                    yield line[5:].strip()

    def timeout(self, seconds: float) -> None:
        """From now on raise TimeoutError, an OSError, when nothing comes for so long."""
        self._socket.settimeout(seconds)

    def cancel(self) -> None:
        """Break off: the server sees it, and a thread that waits for the body wakes up. From any thread."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            return  # it was over already

    def close(self) -> None:
        """Give the connection back. The server stops working on a request whose connection is gone."""
        self._file.close()
        self._socket.close()

    def _pieces(self) -> Iterator[bytes]:
        if not self._chunked:
            yield self._file.read()
            return
        while True:
            size = self._file.readline()
            if not size.endswith(b"\n"):
                raise ConnectionError("the connection was closed in the middle of an answer")
            length = int(size.partition(b";")[0], 16)
            piece = self._file.read(length + 2)
            if len(piece) < length + 2:
                raise ConnectionError("the connection was closed in the middle of an answer")
            if not length:
                return
            yield piece[:-2]


def ask(address: Address, method: str, path: str, body: object = None) -> tuple[int, Any]:
    """One request with a short answer: its status, and its body as JSON."""
    exchange = Exchange(address, method, path, body)
    try:
        return exchange.status(), exchange.json()
    finally:
        exchange.close()


# What makes the error that a status and a body tell of.
Fail = Callable[[int, Any], AbiertoError]
# What reads the events of an answer.
Read = Callable[[Exchange, Fail], Iterator[Event]]


@dataclass(frozen=True, slots=True)
class Question:
    """A request, and what reads its answer once the status is 200: the events.

    schema: whether the answer has to follow one. images: how many it has.
    """

    path: str
    body: dict[str, Any]
    read: Read
    schema: bool = False
    images: int = 0


class Answer(Iterator[Event]):
    """The events of one answer. The request is sent with the first one that is asked for.

    `died` makes the error for a connection that broke.
    """

    def __init__(self, address: Address, question: Question, died: Callable[[str], EngineCrashed]) -> None:
        self._address, self._question, self._died = address, question, died
        self._lock = threading.Lock()
        self._closed = False
        self._exchange: Exchange | None = None
        self._events: Generator[Event, None, None] = self._read()

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Cancel. May be called twice, and from a thread other than the one that reads."""
        with self._lock:
            self._closed = True
            if self._exchange:
                self._exchange.cancel()
        # A generator that runs in another thread cannot be closed; that thread has just been woken up.
        with suppress(ValueError):
            self._events.close()

    def __del__(self) -> None:
        self.close()

    def _read(self) -> Generator[Event, None, None]:
        question = self._question
        fail = partial(failure, schema=question.schema, address=self._address, images=question.images)
        try:
            with self._lock:
                if self._closed:
                    return
                self._exchange = Exchange(self._address, "POST", question.path, question.body)
            status = self._exchange.status()
            if status != 200:
                raise fail(status, self._exchange.json())
            yield from question.read(self._exchange, fail)
        except OSError as error:
            if not self._closed:
                raise self._died(str(error)) from error
        except (ValueError, LookupError, TypeError) as error:
            raise EngineFailed(NAME, f"not what llama-server says: {error!r}") from error
        finally:
            with self._lock:
                if self._exchange:
                    self._exchange.close()
                    self._exchange = None


def failure(status: int, body: Any, schema: bool, address: Address, images: int) -> AbiertoError:
    """The error that the server described. schema: whether the request had one; images: how many it had."""
    error = body.get("error") if isinstance(body, dict) else None
    told: dict[str, Any] = error if isinstance(error, dict) else {}
    message = str(told.get("message", f"HTTP {status}"))
    if told.get("type") == "exceed_context_size_error":
        return PromptTooLong(told["n_prompt_tokens"], told["n_ctx"], _trained(address) or told["n_ctx"])
    if long := re.search(r"input \((\d+) tokens\) is too large to process\D*(\d+)", message):
        return PromptTooLong(int(long[1]), int(long[2]), _trained(address) or int(long[2]))
    if images and "Failed to load image" in message:
        return BadImage("1" if images == 1 else f"1-{images}", "image_undecodable")  # it does not say which
    if schema and re.search("schema|grammar", message, re.IGNORECASE):
        where = re.search(r" at (#[^:\s]*)", message)
        return InvalidSchema(where[1] if where else "#", message)
    return EngineFailed(NAME, message)


def _trained(address: Address) -> int:
    """The longest context that the model was trained for, or 0 when the server does not tell."""
    try:
        return int(ask(address, "GET", "/v1/models")[1]["data"][0]["meta"]["n_ctx_train"])
    except (OSError, KeyError, IndexError, TypeError):
        return 0
