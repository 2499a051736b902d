"""What a dialect is made of: routes whose handlers turn a body into a job, and writers that turn events into bytes.

All of it is pure: it is tested without a server.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec

from abierto.errors import AbiertoError
from abierto.server.state import State
from abierto.tasks import Request
from abierto.tasks.events import Event

JSON = "application/json"
EVENT_STREAM = "text/event-stream"
JSON_LINES = "application/x-ndjson"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known when an answer begins.

    model: as the request named it. loaded: what the model is called here. created: seconds since 1970. waited: seconds
    for a place, of which the model's start was `load_seconds`. context: tokens that a conversation may hold. notice: a
    sentence for the person, empty if there is nothing to say.
    """

    model: str
    loaded: str
    created: int
    waited: float = 0.0
    load_seconds: float = 0.0
    context: int = 0
    notice: str = ""


class Stream(Protocol):
    """Writes an answer as it comes. One object for one answer; media_type is that of the whole stream."""

    @property
    def media_type(self) -> str: ...

    def begin(self, facts: Facts) -> bytes:
        """What comes before the first event."""
        ...

    def event(self, index: int, event: Event) -> bytes:
        """What is written for an event of the request of this index; may be nothing."""
        ...

    def end(self) -> bytes:
        """What comes after the last event of the last request."""
        ...

    def failed(self, body: Any) -> bytes:
        """An error in the middle, of which `body` is the dialect's own form; nothing comes after it."""
        ...


# From the events of each request, in order, to the JSON body of the whole answer.
Whole = Callable[[Sequence[Sequence[Event]], Facts], Any]


@dataclass(frozen=True, slots=True)
class Job:
    """A model is asked. requests: one, or several that are answered side by side. stream: None for an answer at once.

    keep_alive: seconds that the model stays afterwards, negative: for ever; None: as it is. context: tokens that the
    model's context must hold; 0: as it is loaded.
    """

    model: str
    requests: tuple[Request, ...]
    whole: Whole
    stream: Stream | None = None
    keep_alive: float | None = None
    context: int = 0


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer that is there at once. body: bytes as they are, or what becomes JSON."""

    body: Any = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    media_type: str = JSON


@dataclass(frozen=True, slots=True)
class Flow:
    """An answer that takes its time without a model. chunks: read in a thread of its own, and closed at the end.

    An empty chunk is not sent: it is there so that the work can be stopped when the client has gone.
    """

    chunks: Iterator[bytes]
    media_type: str = EVENT_STREAM


@dataclass(frozen=True, slots=True)
class Call:
    """A request to a route. body: of the route's type, None without one. path: the parts in braces."""

    state: State
    body: Any = None
    path: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Route:
    """A path, with what answers to it. body: the type that the JSON body has; None where none is read.

    blocking: the handler reads the disk or waits, and runs in a thread. header: one that a request must have for this
    route; without it, it goes to the next one of the same path. query: names that may stand after the question mark.
    secret: its body is never written into the log.
    """

    method: str
    path: str
    handler: Callable[[Call], Job | Reply | Flow]
    body: type[Any] | None = None
    blocking: bool = False
    header: str = ""
    query: tuple[str, ...] = ()
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """A dialect. prefixes: of the paths for which it words errors where no route is found. error: the body of an error,
    from the error, the HTTP status and the sentences for a person. request_key: where in that body, an object, the name
    of the request stands; empty for nowhere."""

    name: str
    routes: tuple[Route, ...]
    prefixes: tuple[str, ...]
    error: Callable[[AbiertoError, int, str], Any]
    request_key: str = ""


_encoder = msgspec.json.Encoder()


def encode(body: Any) -> bytes:
    """JSON, as compact as it can be."""
    return _encoder.encode(body)


def sse(body: Any, event: str = "") -> bytes:
    """One server-sent event. event: its name, if the dialect gives names."""
    data = b"data: " + _encoder.encode(body) + b"\n\n"
    return b"event: " + event.encode() + b"\n" + data if event else data


def line(body: Any) -> bytes:
    """One line of newline-delimited JSON."""
    return _encoder.encode(body) + b"\n"
