"""All dialects on one port, as an ASGI application: reads bodies, runs handlers, and writes what comes.

Whatever goes wrong is told in the words of the dialect that was spoken. When a client goes away, its work stops.
"""

import asyncio
import secrets
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from contextvars import copy_context
from time import perf_counter
from typing import Any
from urllib.parse import parse_qsl

import msgspec
from starlette.datastructures import Headers
from starlette.routing import Match
from starlette.routing import Route as Path
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from abierto import config, locale
from abierto.errors import (
    AbiertoError,
    Cancelled,
    DeadlineExceeded,
    InvalidRequest,
    RequestTooLarge,
    RequestTooSlow,
    UnknownRoute,
)
from abierto.server import guard, limits
from abierto.server.exchange import EVENT_STREAM, JSON, Call, Dialect, Facts, Flow, Job, Reply, Route, Stream, encode
from abierto.server.log import Entry, Log, now
from abierto.server.running import Running
from abierto.server.state import State
from abierto.server.tokens import Tokens
from abierto.tasks.events import Event

BLOCKED_ABOVE = 20_000  # bytes: a body that takes so long to read and check that the others should not wait for it
# Seconds that a stream waits for its first event. What is refused before it, such as a prompt that is too long, is told
# with its own status and not in the middle of a success; whoever waits for longer is told that it has begun.
FIRST_WORD = 2.0


# A route with what matches its path, the dialect that it belongs to, and what reads its body.
_Known = tuple[Path, Route, Dialect, Callable[[bytes], Any]]


class App:
    """The ASGI application."""

    def __init__(self, state: State, dialects: Iterable[Dialect], log: Log | None = None) -> None:
        self._state, self._log = state, log
        self._guard = guard.Guard(state.settings, Tokens(config.folders().data), own=state.key)
        self._dialects = list(dialects)
        self._routes = [
            (Path(route.path, _nowhere, methods=[route.method]), route, dialect, _decoder(route))
            for dialect in self._dialects
            for route in dialect.routes
        ]
        # Most paths have no parts in braces, and are found without trying the others first.
        self._plain: dict[str, list[_Known]] = {}
        for known in self._routes:
            if "{" not in known[1].path:
                self._plain.setdefault(known[1].path, []).append(known)
        for found in self._plain.values():
            found.sort(key=lambda known: not known[1].header)  # what asks for a header goes before what does not
        prefixes = [(prefix, dialect) for dialect in self._dialects for prefix in dialect.prefixes]
        self._prefixes = sorted(prefixes, key=lambda found: -len(found[0]))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers, began = Headers(scope=scope), perf_counter()
        entry = Entry(now(), scope["method"], scope["path"])
        answering = _Answering(receive, send, self._guard.cors(headers), entry)
        answering.route = self._dialect_of(scope["path"]).name, ""
        try:
            # Errors are for whoever asks: a page says the person's language, and most other programs say none.
            with locale.speaking(locale.asked(headers.get("accept-language", ""))):
                await self._admit(scope, headers, answering)
        finally:
            entry.seconds = round(perf_counter() - began, 4)
            self._state.requests.add(*answering.route, scope["method"], entry.status, entry.seconds)
            if self._log:
                self._log.write(entry)

    async def _admit(self, scope: Scope, headers: Headers, answering: "_Answering") -> None:
        dialect = self._dialect_of(scope["path"])
        try:
            self._guard.check(headers)
            if scope["method"] == "OPTIONS" and answering.cors:
                await answering.reply(Reply(b""))  # browsers ask so, and send no token with it
                return
            answering.entry.token = self._guard.admit(scope["path"], headers)
            route, dialect, decode, path = self._find(scope, headers)
            answering.route = dialect.name, route.path
            await self._serve(scope, headers, route, decode, path, dialect, answering)
        except AbiertoError as error:
            await answering.refuse(error, dialect)

    def _find(self, scope: Scope, headers: Headers) -> tuple[Route, Dialect, Callable[[bytes], Any], Mapping[str, str]]:
        for path, route, dialect, decode in self._plain.get(scope["path"], self._routes):
            match, found = path.matches(scope)
            if match is Match.FULL and (not route.header or route.header in headers):
                return route, dialect, decode, found["path_params"]
        raise UnknownRoute(scope["method"], scope["path"])

    def _dialect_of(self, path: str) -> Dialect:
        return next((dialect for prefix, dialect in self._prefixes if path.startswith(prefix)), self._dialects[0])

    async def _serve(
        self,
        scope: Scope,
        headers: Headers,
        route: Route,
        decode: Callable[[bytes], Any],
        path: Mapping[str, str],
        dialect: Dialect,
        answering: "_Answering",
    ) -> None:
        raw = await answering.body(headers, self._state.settings.client_seconds) if route.body else b""
        if self._state.settings.log_prompts and not route.secret:
            answering.entry.body = raw.decode("utf-8", "replace")
        query = _query(scope)

        def handle() -> Job | Reply | Flow:
            return route.handler(Call(self._state, decode(raw), path, query, headers))

        if route.blocking or len(raw) > BLOCKED_ABOVE:
            found = await self._in_time(handle)
        else:
            found = handle()
        match found:
            case Reply():
                await answering.reply(found)
            case Flow():
                await answering.flow(self._state, found, dialect)
            case Job():
                await answering.run(self._state, found, dialect)

    async def _in_time(self, handle: Callable[[], Job | Reply | Flow]) -> Job | Reply | Flow:
        """In a thread, which may go on when the client has been told that it takes too long."""
        seconds = self._state.settings.request_seconds
        try:
            async with asyncio.timeout(seconds):
                return await asyncio.get_running_loop().run_in_executor(self._state.threads, copy_context().run, handle)
        except TimeoutError as error:
            raise DeadlineExceeded(seconds) from error


class _Answering:
    """One request's way out. Reads the body, then watches whether the client goes away."""

    def __init__(self, receive: Receive, send: Send, cors: Mapping[str, str], entry: Entry) -> None:
        self._receive, self._send = receive, send
        self.cors, self.entry = cors, entry
        self.route = "", ""  # dialect and path, as the tables write it
        self._name = f"req_{secrets.token_hex(12)}"
        self._begun = False

    async def body(self, headers: Headers, patience: float) -> bytes:
        """The whole body. Raises RequestTooLarge, RequestTooSlow, and Cancelled when the client goes away before."""
        limits.check_announced(headers.get("content-length"))
        pieces: list[bytes] = []
        size, began = 0, asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(patience) as late:
                while True:
                    message = await self._receive()
                    if message["type"] == "http.disconnect":
                        raise Cancelled()
                    piece = message.get("body", b"")
                    size += len(piece)
                    if size > limits.MAX_BODY:
                        raise RequestTooLarge(size, limits.MAX_BODY)
                    pieces.append(piece)
                    if not message.get("more_body"):
                        return b"".join(pieces)
                    late.reschedule(began + patience + size / limits.SLOWEST)
        except TimeoutError as error:
            raise RequestTooSlow(size, round(asyncio.get_running_loop().time() - began)) from error

    async def reply(self, reply: Reply) -> None:
        """All at once."""
        body = reply.body if isinstance(reply.body, bytes) else encode(reply.body)
        await self._begin(reply.status, reply.media_type, {"content-length": str(len(body)), **reply.headers})
        await self._send({"type": "http.response.body", "body": body})

    async def refuse(self, error: AbiertoError, dialect: Dialect) -> None:
        """An error, if nothing was said before."""
        self.entry.error, self.entry.status = error.code, guard.status_of(error)
        if self._begun or isinstance(error, Cancelled):
            return
        status = guard.status_of(error)
        seconds = getattr(error, "seconds", None)
        headers = {"retry-after": str(seconds)} if seconds and status in (429, 503) else {}
        await self.reply(Reply(worded(dialect, error, self._name), status, headers))

    async def run(self, state: State, job: Job, dialect: Dialect) -> None:
        """The answer of a model, as it comes or whole."""
        self.entry.model = job.model
        tap = _Tap()
        running = Running(state, job, tap.put)
        late = asyncio.get_running_loop().call_later(state.settings.request_seconds, running.expire)
        watching = asyncio.create_task(self._watch(running))
        try:
            await (self._stream(job, tap, dialect) if job.stream else self._whole(job, tap))
        except BaseException:
            running.cancel()
            raise
        finally:
            late.cancel()
            watching.cancel()

    async def flow(self, state: State, flow: Flow, dialect: Dialect) -> None:
        """Pieces that come from a thread."""
        loop = asyncio.get_running_loop()
        gone = asyncio.create_task(self._gone())
        try:
            while not gone.done():
                piece = await loop.run_in_executor(state.threads, copy_context().run, _next, flow.chunks)
                if piece is None:
                    break
                if piece and not self._begun:
                    await self._begin(200, flow.media_type, _STREAMED)
                if piece:
                    await self._send({"type": "http.response.body", "body": piece, "more_body": True})
        finally:
            gone.cancel()
            close = getattr(flow.chunks, "close", None)
            if close:
                await loop.run_in_executor(state.threads, close)
        if not self._begun:
            await self._begin(200, flow.media_type, _STREAMED)
        await self._send({"type": "http.response.body", "body": b""})

    async def _whole(self, job: Job, tap: "_Tap") -> None:
        answers: list[list[Event]] = [[] for _ in job.requests]
        facts, left = Facts(job.model, job.model, 0), len(job.requests)
        while left:
            for index, item in await tap.items():
                if isinstance(item, AbiertoError):
                    raise item
                if item is None:
                    left -= 1
                elif isinstance(item, Facts):
                    facts = item
                else:
                    self.entry.note(item)
                    answers[index].append(item)
        await self.reply(Reply(job.whole(answers, facts), headers=_told(facts)))

    async def _stream(self, job: Job, tap: "_Tap", dialect: Dialect) -> None:
        stream, left = job.stream, len(job.requests)
        assert stream
        facts: Facts | None = None
        while left:
            items = await tap.items(FIRST_WORD if facts and not self._begun else None)
            written: list[bytes] = [] if items or not facts else [await self._opened(stream, facts)]
            for index, item in items:
                if isinstance(item, Facts):
                    facts = item
                    continue
                if isinstance(item, AbiertoError):
                    if self._begun:
                        written.append(stream.failed(worded(dialect, item, self._name)))
                        await self._write(b"".join(written), last=True)
                    raise item
                if facts and not self._begun:
                    written.append(await self._opened(stream, facts))
                if item is None:
                    left -= 1
                else:
                    self.entry.note(item)
                    written.append(stream.event(index, item))
            if piece := b"".join(written):
                await self._write(piece)
        await self._write(stream.end(), last=True)

    async def _opened(self, stream: Stream, facts: Facts) -> bytes:
        await self._begin(200, stream.media_type, _STREAMED | _told(facts))
        return stream.begin(facts)

    async def _write(self, piece: bytes, *, last: bool = False) -> None:
        await self._send({"type": "http.response.body", "body": piece, "more_body": not last})

    async def _begin(self, status: int, media_type: str, headers: Mapping[str, str]) -> None:
        self._begun, self.entry.status = True, status
        all_headers = {"content-type": media_type, **headers, **self.cors}
        self._begun = True
        named = dict.fromkeys(_NAMES, self._name)
        all_headers = {"content-type": media_type, **named, **headers, **self.cors}
        raw = [(name.encode(), value.encode("latin-1", "replace")) for name, value in all_headers.items()]
        await self._send({"type": "http.response.start", "status": status, "headers": raw})

    async def _watch(self, running: Running) -> None:
        await self._gone()
        running.cancel()

    async def _gone(self) -> None:
        message: Message = {"type": ""}
        while message["type"] != "http.disconnect":
            message = await self._receive()


class _Tap:
    """From the threads that work to the loop that writes: what has gathered is taken in one go."""

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._filled = asyncio.Event()
        self._items: deque[tuple[int, Any]] = deque()
        self._called = False

    def put(self, index: int, item: Facts | Event | AbiertoError | None) -> None:
        """Called by the threads."""
        self._items.append((index, item))
        if not self._called:
            self._called = True
            try:
                self._loop.call_soon_threadsafe(self._filled.set)
            except RuntimeError:
                return  # the server has ended

    async def items(self, patience: float | None = None) -> list[tuple[int, Any]]:
        """At least one; none when so many seconds have passed."""
        if patience is None:
            await self._filled.wait()
        else:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._filled.wait(), patience)
        self._filled.clear()
        self._called = False
        items: list[tuple[int, Any]] = []
        while self._items:
            items.append(self._items.popleft())
        return items


# Whoever stands between, nginx above all, shall not keep the pieces until there are many.
_STREAMED = {"cache-control": "no-cache", "x-accel-buffering": "no"}
# Under which a request's name is told: clients of OpenAI look for the one, of Anthropic for the other.
_NAMES = ("x-request-id", "request-id")


def worded(dialect: Dialect, error: AbiertoError, request: str) -> Any:
    """The error in the dialect's own form. request: the name of the request that it is the answer to."""
    body = dialect.error(error, guard.status_of(error), " ".join(locale.tell(error)))
    return body | {dialect.request_key: request} if dialect.request_key else body


def _next(chunks: Iterator[bytes]) -> bytes | None:
    return next(chunks, None)


def _told(facts: Facts) -> dict[str, str]:
    headers = {"x-abierto-model": facts.loaded, "x-abierto-context": str(facts.context)}
    return headers | ({"x-abierto-notice": facts.notice} if facts.notice else {})


def _decoder(route: Route) -> Callable[[bytes], Any]:
    if route.body is None:
        return lambda _raw: None
    decoder = msgspec.json.Decoder(route.body)

    def decode(raw: bytes) -> Any:
        limits.check_depth(raw)
        try:
            return decoder.decode(raw)
        except msgspec.ValidationError as error:
            detail, _, where = str(error).partition(" - at ")
            raise InvalidRequest(detail, where.strip("`")) from error
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise InvalidRequest(str(error)) from error

    return decode


def _query(scope: Scope) -> dict[str, str]:
    return dict(parse_qsl(scope["query_string"].decode("latin-1")))


async def _nowhere(scope: Scope, receive: Receive, send: Send) -> None:
    """Routes are only matched here; `App` answers."""


__all__ = ["EVENT_STREAM", "JSON", "ASGIApp", "App"]
