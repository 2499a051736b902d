"""Another computer that speaks OpenAI's dialect: answers as a test scripts it, and else as an echo."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain
from pathlib import Path
from types import TracebackType
from typing import Any

from abierto.engines.echo import EchoSession
from abierto.engines.session import LoadOptions
from abierto.errors import PromptTooLong
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Finish, Text, Usage

EVENT_STREAM = {"Content-Type": "text/event-stream"}
JSON = {"Content-Type": "application/json"}
CONTEXT = 512


@dataclass(frozen=True)
class Reply:
    """One answer. drop: end the connection after the body, though more was promised. hang: say nothing more after it.
    silent: end the connection without a word."""

    body: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=lambda: dict(JSON))
    drop: bool = False
    hang: bool = False
    silent: bool = False


def told(body: Any, status: int = 200, **headers: str) -> Reply:
    """An answer in JSON."""
    return Reply(
        json.dumps(body).encode(), status, {**JSON, **{name.replace("_", "-"): headers[name] for name in headers}}
    )


def stream(*chunks: Any, done: bool = True, **manner: Any) -> Reply:
    """An answer of server-sent events; what is a text is sent as it is."""
    lines = [chunk if isinstance(chunk, str) else f"data: {json.dumps(chunk)}\n\n" for chunk in chunks]
    return Reply("".join([*lines, "data: [DONE]\n\n" if done else ""]).encode(), 200, EVENT_STREAM, **manner)


@dataclass(frozen=True)
class Asked:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: Any


class StandInProvider:
    """Listens on this computer. replies: what the next requests for anything but the list of models get, in order."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.models: Reply = told({"object": "list", "data": [{"id": "says", "context_window": CONTEXT}]})
        self.asked: list[Asked] = []
        self.arrived = threading.Semaphore(0)
        self.over = threading.Event()
        self.gone = threading.Event()
        self._server = _Server(("127.0.0.1", 0), _Handler)
        self._server.provider = self
        self._scheme = "http"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True)

    @property
    def address(self) -> str:
        """What stands before `/chat/completions`."""
        return f"{self._scheme}://127.0.0.1:{self._server.server_address[1]}/v1"

    @property
    def posted(self) -> list[Asked]:
        """The requests that were not for the list of models."""
        return [asked for asked in self.asked if asked.method == "POST"]

    def secure(self, certificate: Path, key: Path) -> None:
        """Speak TLS from now on."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self._scheme = "https"

    def __enter__(self) -> "StandInProvider":
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


class _Server(ThreadingHTTPServer):
    provider: StandInProvider
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away in the middle is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the name of the inherited method
        """Nothing."""

    def do_GET(self) -> None:
        self._note(None)
        self._write(self.server.provider.models)

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        provider = self.server.provider
        self._note(body)
        if provider.replies:
            self._write(provider.replies.pop(0) if len(provider.replies) > 1 else provider.replies[0])
        else:
            self._echo(body)

    def _note(self, body: Any) -> None:
        provider = self.server.provider
        headers = {name.lower(): value for name, value in self.headers.items()}
        provider.asked.append(Asked(self.command, self.path, headers, body))
        provider.arrived.release()

    def _write(self, reply: Reply) -> None:
        if reply.silent:
            self._end()
            return
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body) + (1000 if reply.drop or reply.hang else 0)))
        self.end_headers()
        self.wfile.write(reply.body)
        self.wfile.flush()
        if reply.hang:
            self._wait_for_the_end()
        if reply.drop:
            self._end()

    def _wait_for_the_end(self) -> None:
        """Until the client goes away, or the test is over."""
        self.connection.settimeout(0.05)
        while not self.server.provider.over.is_set():
            with suppress(TimeoutError, ssl.SSLError):
                if not self.connection.recv(1):
                    self.server.provider.gone.set()
                    break
        self.close_connection = True

    def _end(self) -> None:
        self.close_connection = True
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def _echo(self, body: Any) -> None:
        speed = {"tokens_per_second": "50"} if body["model"] == "endless" else {}
        session = EchoSession(LoadOptions(CONTEXT, settings=speed))
        sampling = Sampling(max_tokens=body.get("max_tokens"), stop=tuple(body.get("stop", ())))
        messages = tuple(Message(one["role"], one["content"]) for one in body["messages"])
        events = session.chat(ChatRequest(messages, sampling))
        try:
            first = next(events)
        except PromptTooLong as error:
            message = f"This model's maximum context length is {error.context} tokens, not {error.tokens} tokens."
            self._write(told({"error": {"message": message, "code": "context_length_exceeded"}}, 400))
            return
        self.send_response(200)
        for name, value in {**EVENT_STREAM, "Transfer-Encoding": "chunked"}.items():
            self.send_header(name, value)
        self.end_headers()
        for piece in _pieces(first, events):
            # In halves, so that characters are split between two reads.
            for half in (piece[: len(piece) // 2], piece[len(piece) // 2 :]):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(half), half))
                self.wfile.flush()
        self.wfile.write(b"0\r\n\r\n")


def _pieces(first: Event, events: Iterator[Event]) -> Iterator[bytes]:
    usage: dict[str, Any] = {}
    for event in chain([first], events):
        match event:
            case Text():
                yield _chunk({"choices": [{"index": 0, "delta": {"content": event.text}, "finish_reason": None}]})
            case Usage():
                usage = {"prompt_tokens": event.prompt_tokens, "completion_tokens": event.completion_tokens}
            case Finish():
                yield _chunk({"choices": [{"index": 0, "delta": {}, "finish_reason": event.reason}]})
    yield _chunk({"choices": [], "usage": usage})
    yield b"data: [DONE]\n\n"


def _chunk(body: Any) -> bytes:
    return b"data: " + json.dumps(body, ensure_ascii=False).encode() + b"\n\n"
