"""Pulls in the background: begun by one request, watched by any number of others, and cancelled by any.

It knows no wire format; what it tells is made of plain values.
"""

import secrets
import threading
from collections.abc import Iterator
from contextlib import closing, suppress
from time import monotonic
from typing import Any

from abierto import locale
from abierto.errors import AbiertoError, Cancelled, JournalUnavailable, UnknownPull
from abierto.runtime.wanted import Wanted, bring, here, write_pull
from abierto.store.progress import PullProgress

MOST_AT_ONCE = 3
MOST_REMEMBERED = 50
# Seconds over which the speed is averaged; between two states that are told; between two signs of life; for an end.
WINDOW, PAUSE, HEARTBEAT, GRACE = 5.0, 0.1, 5.0, 5.0
OVER = ("done", "failed", "cancelled")


class Pull:
    """One pull. state: `waiting`, `running`, `done`, `failed` or `cancelled`. Its house holds the lock.

    `cancelling` is told until it has heard of its end, which it does with the next bytes or the end of its patience.
    """

    def __init__(self, asked: Wanted) -> None:
        self.id = f"pull_{secrets.token_hex(8)}"
        self.asked = asked
        self.state = "waiting"
        self.cancelled = False
        self.error: AbiertoError | None = None
        self._step = PullProgress("resolve", 0)
        self._points: list[tuple[float, int]] = []

    def step(self, step: PullProgress) -> bool:
        """Go on to this step; whether it is worth telling."""
        now, before = monotonic(), self._step
        if step.stage != before.stage:
            self._points = []
        elif step.done != step.total and self._points and now - self._points[-1][0] < PAUSE:
            return False
        self._step = step
        self._points = [point for point in self._points if now - point[0] < WINDOW] or self._points[-1:]
        self._points.append((now, step.done))
        return True

    def told(self) -> dict[str, Any]:
        """How it is now. Sizes in bytes, speed in bytes per second, times in seconds; None where unknown."""
        step, speed = self._step, self._speed()
        known = bool(speed) and step.total is not None and self.state == "running"
        return {
            "id": self.id,
            "model": self.asked.name,
            "source": str(self.asked.source),
            "state": "cancelling" if self.cancelled and self.state not in OVER else self.state,
            "stage": step.stage,
            "done": step.done if step.stage != "resolve" else 0,
            "total": step.total if step.stage != "resolve" else None,
            "resumed": step.resumed,
            "speed": speed if self.state == "running" else 0.0,
            "seconds_left": (step.total - step.done) / speed if known and step.total is not None else None,
            "error": _told(self.error) if self.error else None,
        }

    def _speed(self) -> float:
        if len(self._points) < 2 or self._step.stage == "resolve":
            return 0.0
        (start, before), (end, after) = self._points[0], self._points[-1]
        return (after - before) / (end - start) if end > start else 0.0


class Pulls:
    """All that a server pulls, or has pulled lately. Close it."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._places = threading.Semaphore(MOST_AT_ONCE)
        self._all: dict[str, Pull] = {}
        self._threads: list[threading.Thread] = []
        self._closing = False

    def begin(self, asked: Wanted) -> dict[str, Any]:
        """Pull it, or go on with the pull of the same name that runs; what `told` tells."""
        with self._changed:
            for known in self._all.values():
                if known.asked.name == asked.name and known.state not in OVER:
                    return known.told()
            pull = Pull(asked)
            self._all[pull.id] = pull
            over = [one.id for one in self._all.values() if one.state in OVER]
            for old in over[: max(0, len(self._all) - MOST_REMEMBERED)]:
                del self._all[old]
            thread = threading.Thread(target=self._work, args=(pull,), daemon=True)
            self._threads = [one for one in self._threads if one.is_alive()] + [thread]
            thread.start()
            return pull.told()

    def all(self) -> list[dict[str, Any]]:
        """All of them, the oldest first."""
        with self._changed:
            return [pull.told() for pull in self._all.values()]

    def get(self, name: str) -> dict[str, Any]:
        """One of them by its id. Raises UnknownPull."""
        with self._changed:
            return self._named(name).told()

    def cancel(self, name: str) -> dict[str, Any]:
        """Break one off; what has arrived is kept. Raises UnknownPull."""
        with self._changed:
            pull = self._named(name)
            pull.cancelled = True
            self._changed.notify_all()
            return pull.told()

    def watch(self, name: str) -> Iterator[dict[str, Any] | None]:
        """How it is now, and then whenever that changes, until it is over; None now and then when nothing changes.

        Raises UnknownPull, at once.
        """
        with self._changed:
            pull = self._named(name)
        return self._states(pull)

    def close(self) -> None:
        """Break off all, and let nobody wait."""
        with self._changed:
            self._closing = True
            for pull in self._all.values():
                pull.cancelled = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(GRACE)

    def _states(self, pull: Pull) -> Iterator[dict[str, Any] | None]:
        told: dict[str, Any] | None = None
        while True:
            with self._changed:
                now = pull.told()
                if now == told and not self._closing:
                    self._changed.wait(HEARTBEAT)
                    now = pull.told()
                ended = self._closing
            yield None if now == told else now
            told = now
            if ended or now["state"] in OVER:
                return

    def _named(self, name: str) -> Pull:
        if name not in self._all:
            raise UnknownPull(name)
        return self._all[name]

    def _work(self, pull: Pull) -> None:
        try:
            with self._places:
                self._change(pull, "running")
                if not here(pull.asked):
                    self._bring(pull)
            self._change(pull, "done")
        except Cancelled:
            self._change(pull, "cancelled")
        except AbiertoError as error:
            pull.error = None if pull.cancelled else error
            self._change(pull, "cancelled" if pull.cancelled else "failed")

    def _bring(self, pull: Pull) -> None:
        with closing(bring(pull.asked, _note)) as steps:
            for step in steps:
                with self._changed:
                    if pull.step(step):
                        self._changed.notify_all()
                    if pull.cancelled:
                        raise Cancelled()

    def _change(self, pull: Pull, state: str) -> None:
        with self._changed:
            if pull.cancelled and state == "running":
                raise Cancelled()
            pull.state = state
            self._changed.notify_all()


def _note(**facts: Any) -> None:
    with suppress(JournalUnavailable):  # it was fetched all the same
        write_pull(**facts)


def _told(error: AbiertoError) -> dict[str, Any]:
    return {"code": error.code, "message": " ".join(locale.tell(error)), "facts": error.facts}
