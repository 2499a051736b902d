"""The server against its engine called directly, and against llama.cpp's own server, with many people at once.

Every side is asked by the same few lines of client code over a socket. The model is tuned before, so that the server
takes the engine that is the fastest for many.
"""

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from itertools import count
from threading import Event, Thread
from time import perf_counter
from typing import Any

import psutil

from abierto import machine
from abierto.config import folders
from abierto.engines._llama_client import Address, Exchange
from abierto.engines.session import LoadOptions
from abierto.runtime import child
from abierto.runtime.resolve import resolve
from abierto.runtime.tune import tune
from abierto.tasks.chat import ChatRequest, Message
from bench.measure import median, ratios, spread
from bench.peer import Peer, Timed, program
from bench.soak import soak

MODEL = "smollm2:135m"
CONTEXT, PEOPLE, CROWD, IDLE = 2048, 16, 64, 1000
ROUNDS = 5
_STORY = "{0}. Tell me a long story about a river, with many characters."
_RULES = "".join(
    f"{number}. The box number {number * 7} stands in the hall, and nobody may open it.\n" for number in range(60)
)

Ask = Callable[[str, int], Timed]


@dataclass(frozen=True)
class Serving:
    """A running `abierto serve`."""

    port: int
    pid: int

    def answer(self, prompt: str, tokens: int, *, system: str = "", model: str = MODEL) -> Timed:
        """Ask, streaming, with greedy sampling."""
        messages = [{"role": "system", "content": system}] if system else []
        messages.append({"role": "user", "content": prompt})
        body = {"model": model, "messages": messages, "max_tokens": tokens, "temperature": 0, "stream": True}
        body["stream_options"] = {"include_usage": True}
        began, first, made = perf_counter(), 0.0, 0
        exchange = Exchange(Address(port=self.port), "POST", "/v1/chat/completions", body)
        status = exchange.status()
        if status != 200:
            raise RuntimeError(f"{status}: {exchange.json()}")
        for line in exchange.events():
            if line == b"[DONE]":
                break
            chunk = json.loads(line)
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                first = first or perf_counter() - began
            made = (chunk.get("usage") or {}).get("completion_tokens", made)
        whole = perf_counter() - began
        exchange.close()
        return Timed(first, whole, made)


@contextmanager
def serving(**settings: object) -> Iterator[Serving]:
    """Start a server, and end it."""
    chosen = {f"ABIERTO_{name.upper()}": str(value) for name, value in settings.items()}
    process = subprocess.Popen(
        [sys.executable, "-m", "abierto", "serve", "--port", "0"],
        env={**os.environ, **chosen},
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr
    found = re.search(r"127\.0\.0\.1:(\d+)", process.stderr.readline())
    assert found, "the server did not start"
    try:
        yield Serving(int(found[1]), process.pid)
    finally:
        process.terminate()
        process.wait()
        process.stderr.close()


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    for _ in tune(MODEL):
        pass
    yield "| what | seen | against | ratio | goal | reached |"
    yield "|---|---|---|---|---|---|"
    with serving(users=PEOPLE, context=CONTEXT) as server:
        yield from _overhead(server)
        yield _prefix(server)
        yield from _people(server)
        yield _crowd(server)
        yield _gone(server)
    with serving() as server:
        yield _idle(server)


def soaked(seconds: float) -> Iterator[str]:
    """The lines of a Markdown table about a long run."""
    yield "| seconds | requests | unexpected errors | memory, start | memory, end | growth | goal | reached |"
    yield "|---|---|---|---|---|---|---|---|"
    with serving(users=4, context=CONTEXT) as server:
        found = soak(server.port, server.pid, seconds, ["echo", MODEL])
    told = ", ".join(f"{name} {number}" for name, number in found.outcomes.most_common())
    reached = "yes" if abs(found.growth) <= 0.05 and not found.strange else "no"
    yield (
        f"| {seconds:.0f} | {told} | {len(found.strange)} | {found.before / 1e6:.1f} MB | {found.after / 1e6:.1f} MB "
        f"| {found.growth:.1%} | at most 5 % | {reached} |"
    )
    for strange in sorted(set(found.strange))[:5]:
        yield f"| | {strange} | | | | | | |"


def _row(what: str, seen: str, against: str, ratio: str, goal: str, reached: bool) -> str:
    return f"| {what} | {seen} | {against} | {ratio} | {goal} | {'yes' if reached else 'no'} |"


def _overhead(server: Serving) -> Iterator[str]:
    """The echo engine in a process of its own, called over its pipe and through the server, in turn."""
    request = ChatRequest((Message("user", "one two three"),))
    body = json.dumps({"model": "echo", "messages": [{"role": "user", "content": "one two three"}]})
    head = f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n"
    asked = (head + body).encode()
    through: list[float] = []
    direct: list[float] = []
    with closing(child.load("echo", [], LoadOptions())) as session, _connection(server) as connection:
        for turn in range(1100):
            began = perf_counter()
            list(session.chat(request))
            middle = perf_counter()
            connection.sendall(asked)
            _read(connection)
            if turn >= 100:
                direct.append(middle - began)
                through.append(perf_counter() - middle)
    added = sorted(1000 * (slow - quick) for slow, quick in zip(through, direct, strict=True))
    middle, late = median(added), added[int(len(added) * 0.99)]
    pipe = "the engine's pipe"
    yield _row("added to a request, median of 1,000", f"{middle:.2f} ms", pipe, "", "at most 1 ms", middle <= 1)
    yield _row("added to a request, 99 of 100", f"{late:.2f} ms", pipe, "", "at most 5 ms", late <= 5)
    process, words, costs = psutil.Process(server.pid), "word " * 1000, []
    for _ in range(5):
        before = sum(process.cpu_times()[:2])
        # Processor time is counted in hundredths of a second: there must be many of them.
        made = sum(server.answer(words, 1000, model="echo").tokens for _ in range(20))
        costs.append(1e6 * (sum(process.cpu_times()[:2]) - before) / made)
    what = "processor time of the server for a token"
    yield _row(what, f"{spread(costs, 0)} µs", "", "", "at most 60 µs", median(costs) <= 60)


def _connection(server: Serving) -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port))


def _read(connection: socket.socket) -> bytes:
    """The body of one answer, which tells its length; in few lines, so that the client costs as little as it can."""
    received = b""
    while b"\r\n\r\n" not in received:
        received += connection.recv(65536)
    head, _, body = received.partition(b"\r\n\r\n")
    length = int(head.lower().partition(b"content-length:")[2].split()[0])
    while len(body) < length:
        body += connection.recv(65536)
    return body


def _prefix(server: Serving) -> str:
    """The same long system prompt in conversations that begin differently after it."""
    numbers = count()
    new = [server.answer("Hello!", 1, system=f"{number}. {_RULES}").first for number in range(ROUNDS)]
    known = [server.answer(f"{next(numbers)}. Hello!", 1, system=f"0. {_RULES}").first for _ in range(ROUNDS)]
    ratio = ratios(known, new)
    return _row(
        "seconds to the first token, long system prompt known from another conversation",
        spread(known, 3),
        f"{spread(new, 3)} when it is new",
        spread(ratio),
        "at most 0.5",
        median(ratio) <= 0.5,
    )


def _people(server: Serving) -> Iterator[str]:
    if not program():
        yield "| not measured: there is no `llama-server` on the PATH | | | | | |"
        return
    file = resolve(MODEL, folders().models).files[0]
    ours: list[tuple[float, float]] = []
    theirs: list[tuple[float, float]] = []
    with ExitStack() as held:
        peer = held.enter_context(Peer(file, machine.cores().physical, PEOPLE, CONTEXT))
        for turn in range(ROUNDS + 1):
            for side, found in ((server.answer, ours), (peer.answer, theirs)):
                value = _together(side, turn * 1000)
                if turn:
                    found.append(value)
    speed, first = [value[0] for value in ours], [value[1] for value in ours]
    their_speed, their_first = [value[0] for value in theirs], [value[1] for value in theirs]
    faster, sooner = ratios(speed, their_speed), ratios(first, their_first)
    yield _row(
        f"token/s, {PEOPLE} people", spread(speed, 0), f"{spread(their_speed, 0)} llama-server, same file",
        spread(faster), "at least 2.5", median(faster) >= 2.5,
    )  # fmt: skip
    yield _row(
        f"seconds to the first token, {PEOPLE} people, 95 of 100", spread(first), f"{spread(their_first)} llama-server",
        spread(sooner), "below 1", median(sooner) < 1,
    )  # fmt: skip


def _together(side: Ask, number: int) -> tuple[float, float]:
    """Tokens per second of all, and the seconds in which 95 of 100 have their first token."""
    found: list[Timed] = []

    def work(index: int) -> None:
        found.append(side(_STORY.replace("{0}", f"{number + index}"), 128))

    threads = [Thread(target=work, args=(index,)) for index in range(PEOPLE)]
    began = perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    took = perf_counter() - began
    firsts = sorted(timed.first for timed in found)
    return sum(timed.tokens for timed in found) / took, firsts[int(len(firsts) * 0.95)]


def _crowd(server: Serving) -> str:
    """Each person asks again as soon as the answer is there, for half a minute."""
    tokens = [0] * CROWD
    failures: list[str] = []
    end = perf_counter() + 30

    def live(index: int) -> None:
        for number in count():
            if perf_counter() > end:
                return
            try:
                tokens[index] += server.answer(_STORY.replace("{0}", f"{index}, {number}"), 16).tokens
            except (RuntimeError, OSError, ValueError) as error:
                failures.append(repr(error))

    threads = [Thread(target=live, args=(index,)) for index in range(CROWD)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ratio = max(tokens) / max(min(tokens), 1)
    return _row(
        f"{CROWD} people, tokens of the one with most against the one with fewest", f"{max(tokens)} and {min(tokens)}",
        f"{len(failures)} failures", f"{ratio:.2f}", "at most 1.5, no failure", ratio <= 1.5 and not failures,
    )  # fmt: skip


def _gone(server: Serving) -> str:
    """From the moment in which somebody who reads a long answer goes away until nothing is computed for them."""
    body = json.dumps(
        {"model": MODEL, "messages": [{"role": "user", "content": _STORY}], "max_tokens": 1000, "stream": True}
    )
    asked = (
        f"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    )
    found, idle = [], []
    with _connection(server) as looks:
        for _ in range(20):
            with _connection(server) as connection:
                connection.sendall(asked)
                received = b""
                while received.count(b'"content"') < 3:
                    received += connection.recv(65536)
            began = perf_counter()
            while (resident := _resident(looks))["users"]:
                pass
            found.append(1000 * (perf_counter() - began))
            engine = psutil.Process(resident["process_id"])
            before = sum(engine.cpu_times()[:2])
            Event().wait(0.2)
            idle.append(sum(engine.cpu_times()[:2]) - before)
    return _row(
        "ms from the going of a client until its place is free, 20 times", spread(found, 0),
        f"processor time of the engine in the 200 ms after it: {1000 * median(idle):.0f} ms", "", "at most 200 ms",
        max(found) <= 200,
    )  # fmt: skip


def _resident(connection: socket.socket) -> dict[str, Any]:
    connection.sendall(b"GET /abierto/v1/status HTTP/1.1\r\nHost: localhost\r\n\r\n")
    residents: list[dict[str, Any]] = json.loads(_read(connection))["residents"]
    return next(one for one in residents if one["model"] == MODEL)


def _idle(server: Serving) -> str:
    """Connections that have asked once and say nothing any more."""
    process = psutil.Process(server.pid)
    with _connection(server) as first:
        first.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        _read(first)
    before = process.memory_info().rss
    held: list[socket.socket] = []
    for _ in range(IDLE):
        connection = _connection(server)
        connection.sendall(b"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n\r\n")
        connection.recv(1)
        held.append(connection)
    cost = (process.memory_info().rss - before) / 1e6
    for connection in held:
        connection.close()
    return _row(f"memory of {IDLE} idle connections", f"{cost:.1f} MB", "", "", "under 100 MB", cost < 100)
