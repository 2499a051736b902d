"""OpenAI's /v1/responses: answers that are kept for a while, continued, made in the background and told again.

They are kept in memory only (see `server.kept`); with `store: false` they are not kept at all.
"""

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import time
from typing import Any

from abierto import locale
from abierto.errors import AbiertoError, Cancelled, DeadlineExceeded, InvalidRequest, UnknownResponse
from abierto.server import guard
from abierto.server.exchange import EVENT_STREAM, Call, Facts, Flow, Job, Reply, Route, encode
from abierto.server.kept import Record
from abierto.server.openai import error as error_body
from abierto.server.openai.responses_body import CountBody, Head, ResponsesBody, echo, request_of
from abierto.server.openai.responses_events import Broken, Writer, to_bytes
from abierto.server.openai.responses_items import Item, items_of, new_name
from abierto.server.running import Running
from abierto.server.state import State
from abierto.tasks.events import Event

# Seconds after which something is sent where nothing happens, so that a client that went away is noticed.
HEARTBEAT = 5.0
MOST_ITEMS = 100  # in one page


def create(call: Call) -> Job | Flow | Reply:
    """The job that a body asks for, or the beginning of one in the background."""
    body: ResponsesBody = call.body
    earlier, size = _earlier(call.state, body.previous_response_id)
    own = items_of(body.input, _finder(call.state))
    head = Head(
        new_name("resp"),
        int(time()),
        echo(body),
        (*earlier, *own),
        background=bool(body.background),
        size=size + len(encode(own)),
    )
    keep = call.state.responses.put if body.store is not False else _keep_nothing
    job = Job(
        body.model or "",
        (request_of(body, head.items),),
        lambda answers, facts: whole(head, answers[0], facts, keep),
        ResponsesStream(head, keep) if body.stream else None,
        body.keep_alive,
    )
    if not head.background:
        return job
    record = _begin(call.state, job, head)
    return Flow(Following(record)) if body.stream else Reply(_response(record))


def whole(head: Head, events: Sequence[Event], facts: Facts, keep: Callable[[Record], None]) -> Any:
    """The body of a whole answer, which is kept."""
    record = Record(head.name, head, head.size)
    record.put(facts, *events, None, last=True)
    keep(record)
    return _response(record)


class ResponsesStream:
    """See `exchange.Stream`. The answer is kept when it has ended."""

    media_type = EVENT_STREAM

    def __init__(self, head: Head, keep: Callable[[Record], None]) -> None:
        self._writer, self._keep = Writer(head), keep
        self._record = Record(head.name, head, head.size)

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        return self._write(facts)

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`."""
        return self._write(event)

    def end(self) -> bytes:
        """See `exchange.Stream`."""
        return self._write(None, last=True)

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return self._write(_why(body), last=True)

    def _write(self, item: Facts | Event | Broken | None, *, last: bool = False) -> bytes:
        self._record.put(item, last=last)
        if last:
            self._keep(self._record)
        return to_bytes(self._writer.feed(item))


class Following:
    """The events of a kept response after a sequence number, as they come. Read in one thread, closed from any."""

    def __init__(self, record: Record, after: int = -1) -> None:
        self._record, self._after = record, after
        self._writer = Writer(record.about)
        self._position, self._closed = 0, False
        self._opening = to_bytes(self._writer.open(), after) if record.about.background else b""

    def __iter__(self) -> "Following":
        return self

    def __next__(self) -> bytes:
        if self._opening:
            opening, self._opening = self._opening, b""
            return opening
        while not self._closed:
            items, ended = self._record.since(self._position, HEARTBEAT)
            self._position += len(items)
            told = [event for item in items for event in self._writer.feed(item)]
            if piece := to_bytes(told, self._after):
                return piece
            if ended and not items:
                break
            if not items:
                return b":\n\n"
        raise StopIteration

    def close(self) -> None:
        """Nobody reads any more."""
        self._closed = True


def retrieve(call: Call) -> Reply | Flow:
    """A kept response, or its events after one that the client had."""
    record = _kept(call.state, call.path["id"])
    after = _number(call, "starting_after", -1, -1)
    if call.query.get("stream") == "true":
        return Flow(Following(record, after))
    return Reply(_response(record))


def delete(call: Call) -> Reply:
    """Forget a response; one that is still made is broken off."""
    if call.state.responses.remove(call.path["id"]) is None:
        raise UnknownResponse(call.path["id"])
    return Reply({"id": call.path["id"], "object": "response", "deleted": True})


def cancel(call: Call) -> Reply:
    """Break off a response that is made in the background; one that has ended stays as it is."""
    record = _kept(call.state, call.path["id"])
    if not record.about.background:
        raise InvalidRequest("only a response that is made in the background can be cancelled", "background")
    if record.put(Broken(None), last=True) and record.stop:
        record.stop()
    return Reply(_response(record))


def input_items(call: Call) -> Reply:
    """The items of the conversation before the answer, newest first unless asked otherwise."""
    items = list(_kept(call.state, call.path["id"]).about.items)
    if call.query.get("order", "desc") != "asc":
        items.reverse()
    names = [item["id"] for item in items]
    if after := call.query.get("after"):
        if after not in names:
            raise InvalidRequest("there is no item of this name", "after")
        items = items[names.index(after) + 1 :]
    limit = _number(call, "limit", 20, 1, MOST_ITEMS)
    page = items[:limit]
    ends = [page[0]["id"], page[-1]["id"]] if page else ["", ""]
    told = {"object": "list", "data": page, "first_id": ends[0], "last_id": ends[1]}
    return Reply(told | {"has_more": len(items) > limit})


def input_tokens(call: Call) -> Reply:
    """How many tokens a request would be."""
    body: CountBody = call.body
    earlier, _ = _earlier(call.state, body.previous_response_id)
    own = items_of(body.input, _finder(call.state))
    request = request_of(body, (*earlier, *own))
    turn = call.state.residents.turn(body.model or "", request.task, request.needs)
    seconds = call.state.settings.request_seconds
    late = _timer(seconds, turn.cancel)
    try:
        with turn as model:
            return Reply({"object": "response.input_tokens", "input_tokens": model.count_tokens(request)})
    except Cancelled as error:
        raise DeadlineExceeded(seconds) from error
    finally:
        late.cancel()


def _begin(state: State, job: Job, head: Head) -> Record:
    """Start a job in the background, whose events go into the record."""
    record = Record(head.name, head, head.size)
    done, language = threading.Event(), locale.current()

    def put(_: int, item: Facts | Event | AbiertoError | None) -> None:
        last = item is None or isinstance(item, AbiertoError)
        with locale.speaking(language):  # what comes of it is told by the engine's thread
            record.put(_broken(item) if isinstance(item, AbiertoError) else item, last=last)
        if last:
            done.set()
            if late:
                late[0].cancel()

    late: list[threading.Timer] = []
    running = Running(state, replace(job, stream=None), put)
    late.append(_timer(state.settings.request_seconds, running.expire))
    if done.is_set():  # it was faster than the line before
        late[0].cancel()
    record.stop = running.cancel
    state.responses.put(record)
    return record


def _timer(seconds: float, call: Callable[[], None]) -> threading.Timer:
    timer = threading.Timer(seconds, call)
    timer.daemon = True
    timer.start()
    return timer


def _broken(problem: AbiertoError) -> Broken:
    return _why(error_body(problem, guard.status_of(problem), " ".join(locale.tell(problem))))


def _why(body: Any) -> Broken:
    """Why it is broken, from the body of an error: one whose client went away is cancelled."""
    return Broken(None if body["error"]["code"] == Cancelled.code else body["error"])


def _response(record: Record) -> dict[str, Any]:
    """What has come of it so far."""
    if record.whole is None:
        ended, writer = record.ended, Writer(record.about)
        for item in record.items():
            writer.feed(item)
        if not ended:
            return writer.response
        record.whole = writer.response
    response: dict[str, Any] = record.whole
    return response


def _kept(state: State, name: str) -> Record:
    record = state.responses.get(name)
    if record is None:
        raise UnknownResponse(name)
    return record


def _earlier(state: State, name: str | None) -> tuple[tuple[Item, ...], int]:
    """The conversation up to and with a kept response, and its size. Raises UnknownResponse, InvalidRequest."""
    if not name:
        return (), 0
    record = _kept(state, name)
    if not record.ended:
        raise InvalidRequest("this response has not ended yet", "$.previous_response_id")
    return (*record.about.items, *_response(record)["output"]), record.size


def _finder(state: State) -> Callable[[str], Item | None]:
    """Finds the items of kept responses by name; they are looked through once, when the first is asked for."""
    found: dict[str, Item] = {}

    def find(name: str) -> Item | None:
        if not found:
            for record in state.responses.newest_first():
                items = (*record.about.items, *(_response(record)["output"] if record.ended else ()))
                found.update((item["id"], item) for item in items if item["id"] not in found)
        return found.get(name)

    return find


def _number(call: Call, name: str, default: int, low: int, high: int | None = None) -> int:
    """A whole number in the query. Raises InvalidRequest."""
    given = call.query.get(name, str(default))
    try:
        value = int(given)
    except ValueError as error:
        raise InvalidRequest("a whole number is needed", name) from error
    if value < low or (high is not None and value > high):
        raise InvalidRequest(f"must be {low} or more" if high is None else f"must be {low} to {high}", name)
    return value


def _keep_nothing(record: Record) -> None:
    """For `store: false`."""


ROUTES = (
    Route("POST", "/v1/responses", create, ResponsesBody),
    Route("POST", "/v1/responses/input_tokens", input_tokens, CountBody, blocking=True),
    Route("GET", "/v1/responses/{id}", retrieve, blocking=True),
    Route("DELETE", "/v1/responses/{id}", delete, blocking=True),
    Route("POST", "/v1/responses/{id}/cancel", cancel, blocking=True),
    Route("GET", "/v1/responses/{id}/input_items", input_items, blocking=True),
)
