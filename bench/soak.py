"""People who come and go for as long as wanted: chats, cancels, and engines that are killed; and what it leaves.

The tests run a minute of it, `python -m bench soak` half an hour. It knows the server by its address and process.
"""

import json
import random
import socket
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from statistics import median
from time import monotonic
from typing import Any

import psutil

from abierto.engines._llama_client import Address, Exchange

PEOPLE = 8
# What a person may be told instead of an answer while engines are killed.
EXPECTED = {"engine_crashed", "engine_restarting", "engine_failed", "queue_full"}
PATIENCE = 120.0


@dataclass
class Soaked:
    """What was seen. outcomes: how many requests ended how; strange: unexpected errors. before, after: bytes of memory,
    the middle of many looks in the first and in the last tenth of the time."""

    outcomes: Counter[str] = field(default_factory=Counter)
    strange: list[str] = field(default_factory=list)
    before: int = 0
    after: int = 0

    @property
    def growth(self) -> float:
        """The share by which the server's memory grew."""
        return self.after / self.before - 1


def soak(port: int, server: int, seconds: float, models: list[str], *, kill: bool = True) -> Soaked:
    """Let people come and go. server: its process id. kill: every few seconds, end an engine's process."""
    found = Soaked()
    people = [_Person(port, random.Random(number), models, found) for number in range(PEOPLE)]
    filled = monotonic() + seconds / 10  # until then caches and pools fill, by all that is done later too
    end = filled + seconds
    killer = threading.Thread(target=_kill, args=(server, end), daemon=True)
    if kill:
        killer.start()
    _all(people, filled)
    looks: list[int] = []
    watcher = threading.Thread(target=_watch, args=(server, end, looks), daemon=True)
    watcher.start()
    _all(people, end)
    watcher.join()
    if kill:
        killer.join()
    tenth = max(len(looks) // 10, 1)
    found.before, found.after = int(median(looks[:tenth])), int(median(looks[-tenth:]))
    return found


def _watch(server: int, end: float, looks: list[int]) -> None:
    """Memory goes up and down as it is given back; one look at the start and one at the end would tell of chance."""
    pause = threading.Event()
    while not looks or monotonic() < end:
        looks.append(psutil.Process(server).memory_info().rss)
        pause.wait(1.0)


def _all(people: "list[_Person]", end: float) -> None:
    threads = [threading.Thread(target=person.live, args=(end,)) for person in people]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _kill(server: int, end: float) -> None:
    chance = random.Random(0)
    pause = threading.Event()
    while monotonic() < end:
        pause.wait(chance.uniform(2.0, 6.0))
        with suppress(psutil.NoSuchProcess, IndexError):
            chance.choice(psutil.Process(server).children(recursive=True)).kill()


class _Person:
    def __init__(self, port: int, chance: random.Random, models: list[str], found: Soaked) -> None:
        self._address, self._chance, self._models, self._found = Address(port=port), chance, models, found
        self._habits: list[Callable[[], str]] = [self._chat, self._stream, self._leave, self._leave_before]

    def live(self, end: float) -> None:
        """One thing after the other."""
        while monotonic() < end:
            try:
                outcome = self._chance.choice(self._habits)()
            except (OSError, ValueError) as error:
                outcome = "lost"
                self._found.strange.append(repr(error))
            self._found.outcomes[outcome] += 1

    def _ask(self, **more: Any) -> Exchange:
        words = " ".join(self._chance.choices(["river", "boat", "wind", "árbol", "🙂"], k=self._chance.randint(1, 80)))
        body = {"model": self._chance.choice(self._models), "messages": [{"role": "user", "content": words}]}
        exchange = Exchange(self._address, "POST", "/v1/chat/completions", {**body, "max_tokens": 64, **more})
        exchange.timeout(PATIENCE)
        return exchange

    def _chat(self) -> str:
        exchange = self._ask()
        try:
            status, body = exchange.status(), exchange.json()
        finally:
            exchange.close()
        return "whole" if status == 200 else self._refused(body)

    def _stream(self) -> str:
        exchange = self._ask(stream=True)
        try:
            if exchange.status() != 200:
                return self._refused(exchange.json())
            for line in exchange.events():
                if line == b"[DONE]":
                    return "streamed"
                if "error" in (body := json.loads(line)):
                    return self._refused(body)
        finally:
            exchange.close()
        self._found.strange.append("a stream ended without a word")
        return "lost"

    def _leave(self) -> str:
        """Go away in the middle of the answer."""
        exchange = self._ask(stream=True)
        try:
            if exchange.status() != 200:
                return self._refused(exchange.json())
            next(exchange.events(), None)
        finally:
            exchange.close()
        return "left"

    def _leave_before(self) -> str:
        """Go away before anything is said, with half a request sent."""
        connection = socket.create_connection(("127.0.0.1", self._address.port))
        connection.sendall(b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000\r\n\r\n{")
        connection.close()
        return "left"

    def _refused(self, body: Any) -> str:
        code = str((body or {}).get("error", {}).get("code"))
        if code not in EXPECTED:
            self._found.strange.append(json.dumps(body))
        return code
