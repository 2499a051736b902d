"""Requests of our own programs in our own terms: they see the events as the engine made them, and lose nothing.

The forms of requests are those of `abierto.tasks`, those of events are `tasks.events.to_wire`; one JSON object in a
line. A command that finds a model loaded here uses it so, instead of loading it a second time.
"""

from collections.abc import Sequence
from typing import Any, Literal

import msgspec
from msgspec import Struct

from abierto.errors import InvalidRequest
from abierto.server.exchange import JSON_LINES, Call, Facts, Job, Reply, Route, line
from abierto.tasks import TASKS, Request
from abierto.tasks.events import Event, to_wire


class RunBody(Struct):
    """request: as `to_wire` of the task writes it."""

    model: str
    task: Literal["chat", "complete", "draw", "embed", "rerank"]
    request: dict[str, Any]


class EventLines:
    """See `exchange.Stream`."""

    media_type = JSON_LINES

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        return b""

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`."""
        return line(to_wire(event))

    def end(self) -> bytes:
        """See `exchange.Stream`. Without this line the answer was broken off."""
        return line({"end": True})

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return line({"event": "failure", "code": body["error"]["code"], "facts": body["error"]["facts"]})


def run(call: Call) -> Job:
    """Have a model do a task; the events come as lines of JSON."""
    body: RunBody = call.body
    return Job(body.model, (_request(body),), _whole, EventLines())


def count(call: Call) -> Reply:
    """How many tokens a request is, as the model reads it."""
    body: RunBody = call.body
    request = _request(body)
    # Counting takes no place from those who compute: a model that is there counts at once.
    for resident in call.state.residents.all():
        ready = resident.model if resident.name == body.model else None
        if ready and request.task in ready.features and ready.alive:
            return Reply({"tokens": ready.count_tokens(request)})
    with call.state.residents.turn(body.model, request.task, request.needs) as model:
        return Reply({"tokens": model.count_tokens(request)})


def _whole(answers: Sequence[Sequence[Event]], _facts: Facts) -> Any:
    return {"events": [to_wire(event) for events in answers for event in events]}


def _request(body: RunBody) -> Request:
    kind: type[Request] = TASKS[body.task]
    try:
        request: Request = msgspec.convert(body.request, kind)
    except msgspec.ValidationError as error:
        detail, _, where = str(error).partition(" - at ")
        raise InvalidRequest(detail, where.strip("`").replace("$", "$.request", 1)) from error
    empty = {"chat": "messages", "embed": "texts", "rerank": "documents"}.get(body.task, "")
    if empty and not getattr(request, empty):
        raise InvalidRequest("one at least is needed", f"$.request.{empty}")
    return request


ROUTES = (
    Route("POST", "/abierto/v1/run", run, RunBody),
    Route("POST", "/abierto/v1/count", count, RunBody, blocking=True),
)
