"""The server itself: whether it lives, how it does, that it is the one it says to be, and its end."""

import hmac
import os
from typing import Any

from abierto import __version__, machine
from abierto.errors import InvalidRequest, TokenMissing
from abierto.runtime.licenses import licenses as all_licenses
from abierto.runtime.serving import proof
from abierto.server import guard, metrics
from abierto.server.administration.models import absent, residents
from abierto.server.exchange import Call, Reply, Route

LONGEST_CHALLENGE = 128


def health(_call: Call) -> Reply:
    """Whether the server answers."""
    return Reply({"status": "ok"})


def numbers(call: Call) -> Reply:
    """Requests, tokens, memory and the lives of models, in the text format of Prometheus."""
    return Reply(metrics.text(call.state).encode(), media_type=metrics.MEDIA_TYPE)


def status(call: Call) -> Reply:
    """The server, this computer's memory, each model that is loaded, and why others are not there."""
    memory = machine.memory()
    body: dict[str, Any] = {
        "version": __version__,
        "started": call.state.started,
        "process_id": os.getpid(),
        "memory": {
            "total": memory.total,
            "available": memory.available,
            "server": machine.process_memory(os.getpid()),
        },
        "residents": residents(call.state),
        "absent": absent(call.state),
    }
    return Reply(body)


def licenses(_call: Call) -> Reply:
    """Every package that the server runs on and every pulled model, with its licence; null where none is stated."""
    rows = [{"kind": one.kind, "name": one.name, "license": one.license or None} for one in all_licenses()]
    return Reply({"licenses": rows})


def identity(call: Call) -> Reply:
    """That this is the server whose key a program knows: the HMAC-SHA-256 of the parameter `challenge` with the key."""
    challenge = call.query.get("challenge", "")
    if not 0 < len(challenge) <= LONGEST_CHALLENGE:
        raise InvalidRequest(f"1 to {LONGEST_CHALLENGE} characters are needed", "challenge")
    return Reply({"proof": proof(call.state.key, challenge), "version": __version__})


def stop(call: Call) -> Reply:
    """End the server. Only for programs on its computer that are no web pages, or that know its key."""
    known = bool(call.state.key) and hmac.compare_digest(guard.secret(call.headers).encode(), call.state.key.encode())
    if not known and ("origin" in call.headers or not guard.is_loopback(call.state.settings.host)):
        raise TokenMissing()
    call.state.pulls.close()
    call.state.end()
    return Reply({"status": "stopping"}, 202)


ROUTES = (
    Route("GET", "/health", health),
    Route("GET", "/metrics", numbers, blocking=True),
    Route("GET", "/abierto/v1/status", status, blocking=True),
    Route("GET", "/abierto/v1/licenses", licenses, blocking=True),
    Route("GET", "/abierto/v1/identity", identity, query=("challenge",)),
    Route("POST", "/abierto/v1/stop", stop, blocking=True),
)
