"""Tokens for other devices over our own dialect. Only for the person at the server's computer."""

from typing import Annotated

from msgspec import Meta, Struct

from abierto import config
from abierto.server import guard
from abierto.server.administration.owner import check
from abierto.server.exchange import Call, Reply, Route
from abierto.server.tokens import Tokens


class TokenBody(Struct):
    """name: who uses it. per_minute: requests, 0 for as many as one likes."""

    name: str
    per_minute: Annotated[int, Meta(ge=0, le=10**6)] = 0


def all_tokens(call: Call) -> Reply:
    """The tokens, without their secrets; and whether other devices reach this server at all."""
    check(call)
    told = [{"name": one.name, "per_minute": one.per_minute, "created": one.created} for one in _tokens().all()]
    return Reply({"tokens": told, "reached": not guard.is_loopback(call.state.settings.host)})


def add(call: Call) -> Reply:
    """Make a token. Its secret is told this once."""
    check(call)
    body: TokenBody = call.body
    return Reply({"name": body.name, "token": _tokens().add(body.name, body.per_minute)}, 201)


def remove(call: Call) -> Reply:
    """Forget a token; it is refused from now on."""
    check(call)
    _tokens().remove(call.path["name"])
    return Reply({"name": call.path["name"], "deleted": True})


def _tokens() -> Tokens:
    return Tokens(config.folders().data)


ROUTES = (
    Route("GET", "/abierto/v1/tokens", all_tokens, blocking=True),
    Route("POST", "/abierto/v1/tokens", add, TokenBody, blocking=True),
    Route("DELETE", "/abierto/v1/tokens/{name}", remove, blocking=True),
)
