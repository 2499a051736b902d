"""One thread that computes all requests of a pipeline together, a token of each at a time.

A step of the pipeline holds the interpreter lock and may not be called by two threads, so that this thread is the
only one that touches the pipeline; requests come in through a queue, and each has a queue for its tokens. It knows
nothing of messages, text or templates.
"""

import re
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from queue import SimpleQueue
from time import perf_counter
from typing import Any, Literal

from abierto.errors import AbiertoError, EngineCrashed, EngineFailed, InvalidSchema

NAME = "openvino"
# What native code throws arrives as one of these, depending on its C++ class.
NATIVE = (RuntimeError, ValueError, IndexError, TypeError)
_TRIED_SCHEMAS = 64
# Every delivery wakes a thread, which turns tokens into text while nothing is computed. Where many requests run, a step
# takes long and each of them gets some tokens at a time: one for so many requests.
_REQUESTS_PER_TOKEN = 4
# Seconds for which the next step waits for requests that are being made ready. A step holds the interpreter lock, so
# that of many that come at once one would get ready in each step; together they soon are, and are computed together.
_PATIENCE = 0.1
# Seconds after a request in which another one may come along with it.
_LINGER = 0.003


@dataclass(frozen=True, slots=True)
class Piece:
    """Tokens that were made, when (in the seconds of `perf_counter`), and why they are the last."""

    ids: tuple[int, ...]
    at: float
    reason: Literal["stop", "length"] | None = None


@dataclass(eq=False, slots=True)
class Ticket:
    """A request: the prompt, a GenerationConfig, and where its pieces arrive.

    prompt: a tensor of tokens, or a text and a list of images. work: in place of all that, what is to be done with the
    pipeline, and is answered by one piece with one number. alone: nothing else may be computed at the same time.
    schema: what `config` constrains the answer by, as JSON. pieces: at last comes one with a reason, or an error, or
    None when it was broken off. started: when its turn came.
    """

    prompt: tuple[Any, ...]
    config: Any
    work: Callable[[Any], int] | None = None
    alone: bool = False
    schema: str = ""
    pieces: SimpleQueue[Piece | AbiertoError | None] = field(default_factory=SimpleQueue)
    started: float = 0.0
    begun: bool = False
    cancelled: bool = False
    handle: Any = None

    def cancel(self) -> None:
        """Break off: it is taken out before the next step. From any thread, and as often as one likes."""
        self.cancelled = True
        self.pieces.put(None)


class Batch:
    """A pipeline and its thread. `max_concurrent` tickets are computed at once, the others wait in order."""

    def __init__(self, pipeline: Any, max_concurrent: int, trial: Callable[[Any, str], None]) -> None:
        self._pipeline, self._max_concurrent, self._trial = pipeline, max_concurrent, trial
        self._waiting: deque[Ticket] = deque()
        self._running: list[Ticket] = []
        self._tried: deque[str] = deque(maxlen=_TRIED_SCHEMAS)
        self._numbers = count(1)
        self._steps = count(1)
        self._changed = threading.Condition()
        self._closed = False
        self._preparing = 0
        self._has_come = False
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def add(self, ticket: Ticket) -> bool:
        """Queue a ticket; False when the batch is closed."""
        with self._changed:
            if not self._closed:
                self._waiting.append(ticket)
                self._has_come = True
                self._changed.notify()
            return not self._closed

    @contextmanager
    def preparing(self) -> Iterator[None]:
        """To be held while a request is made ready for `add`."""
        with self._changed:
            self._preparing += 1
        try:
            yield
        finally:
            with self._changed:
                self._preparing -= 1
                self._changed.notify()

    def ask(self, work: Callable[[Any], int]) -> int:
        """What `work` says, which is done when nothing is computed. Raises EngineFailed, EngineCrashed."""
        ticket = Ticket((), None, work, alone=True)
        said = ticket.pieces.get() if self.add(ticket) else None
        if isinstance(said, Piece):
            return said.ids[0]
        raise said or EngineCrashed(NAME, "closed")

    def close(self) -> None:
        """Break all tickets off, and let the pipeline go. May be called twice."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        self._thread.join()
        self._pipeline = None

    def _run(self) -> None:
        while self._await_work():
            self._admit()
            if self._running:
                self._step()
        for ticket in (*self._waiting, *self._running):
            ticket.cancel()
        self._waiting.clear()
        if self._running:
            self._step()  # so that the pipeline gives back what they hold

    def _await_work(self) -> bool:
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._waiting or self._running)
            while self._has_come and len(self._waiting) + len(self._running) < self._max_concurrent:
                self._has_come = False
                self._changed.wait_for(lambda: self._closed or not self._preparing, _PATIENCE)
                self._changed.wait_for(lambda: self._closed or self._has_come, _LINGER)
            return not self._closed

    def _admit(self) -> None:
        while ticket := self._next():
            ticket.started = perf_counter()
            try:
                if ticket.schema:
                    self._check(ticket.schema)
                if ticket.work:
                    ticket.pieces.put(Piece((ticket.work(self._pipeline),), ticket.started, "stop"))
                    continue
                ticket.handle = self._pipeline.add_request(next(self._numbers), *ticket.prompt, ticket.config)
            except InvalidSchema as invalid:
                ticket.pieces.put(invalid)
            except NATIVE as error:
                ticket.pieces.put(EngineFailed(NAME, words(error)))
            else:
                self._running.append(ticket)

    def _next(self) -> Ticket | None:
        """The first that waits, if its turn has come."""
        while self._waiting and self._waiting[0].cancelled:
            self._waiting.popleft()
        if not self._waiting or len(self._running) >= self._max_concurrent:
            return None
        first = self._waiting[0]
        untried = first.schema and first.schema not in self._tried
        if self._running and (first.alone or untried or any(ticket.alone for ticket in self._running)):
            return None
        return self._waiting.popleft()

    def _check(self, schema: str) -> None:
        # A schema that cannot be followed would make every step fail, for everybody; a trial cleans up behind itself.
        if schema in self._tried:
            return
        try:
            self._trial(self._pipeline, schema)
        except NATIVE as error:
            raise InvalidSchema("#", words(error)) from error
        self._tried.append(schema)

    def _step(self) -> None:
        broken_off = [ticket for ticket in self._running if ticket.cancelled]
        for ticket in broken_off:
            ticket.handle.cancel()
        try:
            self._pipeline.step()
        except NATIVE as error:
            self._fail(words(error))
        else:
            due = next(self._steps) % max(1, len(self._running) // _REQUESTS_PER_TOKEN) == 0
            # One that was cancelled during this step stays, until a step has taken it out of the pipeline.
            self._running = [
                ticket for ticket in self._running if ticket not in broken_off and not _deliver(ticket, due)
            ]

    def _fail(self, detail: str) -> None:
        for ticket in self._running:
            ticket.pieces.put(EngineFailed(NAME, detail))
            ticket.handle.cancel()
        self._running.clear()
        try:
            self._pipeline.step()  # takes out what was cancelled
        except NATIVE:
            return  # it will fail again at the next request, and say so


def _deliver(ticket: Ticket, due: bool) -> bool:
    """Hand over what steps made: the first and the last always, others when it is time; whether all is done."""
    status = ticket.handle.get_status().name
    if status == "RUNNING" and ticket.begun and not due:
        return False
    made: list[int] = []
    reason: Literal["stop", "length"] = "stop"
    while ticket.handle.can_read():
        for output in ticket.handle.read().values():
            reason = "length" if output.finish_reason.name == "LENGTH" else "stop"
            made += output.generated_ids
    if made:
        ticket.begun = True
        ticket.pieces.put(Piece(tuple(made), perf_counter()))
    if status == "RUNNING":
        return False
    if status == "FINISHED":
        ticket.pieces.put(Piece((), perf_counter(), reason))
    else:
        ticket.pieces.put(EngineFailed(NAME, status))
    return True


def words(error: BaseException) -> str:
    """What the engine says, without the place in its source where it says so."""
    return re.sub(r"(?s)^.*\.(cpp|cc|hpp|h):\d+:", "", str(error)).strip()
