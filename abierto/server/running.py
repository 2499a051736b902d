"""A job at work: each of its requests in a thread, their events handed on as they come. It knows no HTTP."""

import threading
from collections.abc import Callable
from concurrent.futures import Future
from functools import partial
from time import time

from abierto.errors import AbiertoError, Cancelled, DeadlineExceeded, EngineFailed
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.runtime.model import Answering
from abierto.runtime.residents import Turn
from abierto.server.exchange import Facts, Job
from abierto.server.state import State
from abierto.tasks import Request
from abierto.tasks.events import Event

# What comes out: first the facts, of the first request that got its place; then events with the index of their
# request; for each request one error, or None when it has ended.
Sink = Callable[[int, Facts | Event | AbiertoError | None], None]


class Running:
    """Starts at once. `sink` is called from several threads, and never after it got None or an error for each index."""

    def __init__(self, state: State, job: Job, sink: Sink) -> None:
        self._state, self._job, self._sink = state, job, sink
        self._lock = threading.Lock()
        self._cancelled = self._late = self._told = False
        self._turns = [
            state.residents.turn(job.model, request.task, request.needs, job.keep_alive, job.context)
            for request in job.requests
        ]
        self._answers: list[Answering | None] = [None] * len(job.requests)
        for index, request in enumerate(job.requests):
            work = state.threads.submit(self._answer, index, self._turns[index], request)
            work.add_done_callback(partial(self._begun, index))

    def cancel(self) -> None:
        """Break off what is not done. From any thread, and at any time."""
        with self._lock:
            self._cancelled = True
            answers = [answer for answer in self._answers if answer is not None]
        for turn in self._turns:
            turn.cancel()
        for answer in answers:
            answer.close()

    def expire(self) -> None:
        """Break it off because it takes too long; the errors say so."""
        self._late = True
        self.cancel()

    def _begun(self, index: int, work: "Future[None]") -> None:
        """Tell what kept an answer from being begun. Whatever a thread died of, the client shall hear of it."""
        error = Cancelled() if work.cancelled() else work.exception()
        if error is None:
            return
        told = self._broken_off() or error
        if not isinstance(told, AbiertoError):
            told = EngineFailed(self._turns[index].name, repr(told))
        self._sink(index, told)

    def _answer(self, index: int, turn: Turn, request: Request) -> None:
        model = turn.take()
        try:
            with self._lock:
                if self._cancelled:
                    raise Cancelled()
                answer = self._answers[index] = model.run(request)
                first, self._told = not self._told, True
            if first:
                self._sink(index, self._facts(turn))
            answer.feed(partial(self._pass_on, index, turn, answer))
        except BaseException:
            turn.leave()
            raise

    def _pass_on(self, index: int, turn: Turn, answer: Answering, item: Event | AbiertoError | None) -> None:
        if item is None or isinstance(item, AbiertoError):
            with self._lock:
                self._answers[index] = None
            turn.leave(answer.stats)
            item = self._broken_off() or item
        self._sink(index, item)

    def _broken_off(self) -> AbiertoError | None:
        if self._late:
            return DeadlineExceeded(self._state.settings.request_seconds)
        return Cancelled() if self._cancelled else None

    def _facts(self, turn: Turn) -> Facts:
        resident = turn.resident
        assert resident
        assert resident.model
        notice = text("server.smaller_context", context=count(resident.notice)) if resident.notice else ""
        return Facts(
            model=self._job.model or turn.name,
            loaded=resident.model.name,
            created=int(time()),
            waited=turn.waited,
            load_seconds=min(resident.load_seconds, turn.waited),
            context=resident.model.context,
            notice=notice,
        )
