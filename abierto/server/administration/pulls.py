"""Pulls over our own dialect: begin one, watch it, cancel it.

What may be asked for: the names of cards, and the sources `hf:`, `pypi:` and `https:` with its SHA-256.
"""

from collections.abc import Iterator

from msgspec import Struct

from abierto.errors import InvalidRequest
from abierto.runtime.wanted import wanted
from abierto.server.exchange import Call, Flow, Reply, Route, sse
from abierto.server.pulls import Pulls

LONGEST_SOURCE = 4096


class PullBody(Struct):
    """model: the name of a card or a source. name: what it shall be called here. sha256: what its file must have."""

    model: str
    name: str | None = None
    sha256: str | None = None


def begin(call: Call) -> Reply:
    """Pull a model in the background; of two pulls of one name the second joins the first."""
    body: PullBody = call.body
    # The server looks at no file because a request names it.
    if body.model.startswith("file:") or not 0 < len(body.model) <= LONGEST_SOURCE:
        raise InvalidRequest("the name of a card, hf:, pypi: or https: with sha256 is needed", "$.model")
    if body.name is not None and not 0 < len(body.name) <= LONGEST_SOURCE:
        raise InvalidRequest("a name is needed", "$.name")
    return Reply(call.state.pulls.begin(wanted(body.model, body.name, body.sha256)), 202)


def all_pulls(call: Call) -> Reply:
    """The pulls that run and the last that did."""
    return Reply({"pulls": call.state.pulls.all()})


def one_pull(call: Call) -> Reply:
    """How far a pull is."""
    return Reply(call.state.pulls.get(call.path["id"]))


def events(call: Call) -> Flow:
    """How far a pull is, now and whenever that changes, as server-sent events, until it is over."""
    return Flow(_written(call.state.pulls, call.path["id"]))


def cancel(call: Call) -> Reply:
    """Break a pull off; what has arrived is kept for the next one."""
    return Reply(call.state.pulls.cancel(call.path["id"]))


def _written(pulls: Pulls, name: str) -> Iterator[bytes]:
    states = pulls.watch(name)  # raises before there is an answer
    return (b": \n\n" if state is None else sse(state, "progress") for state in states)


ROUTES = (
    Route("POST", "/abierto/v1/pulls", begin, PullBody, blocking=True),
    Route("GET", "/abierto/v1/pulls", all_pulls),
    Route("GET", "/abierto/v1/pulls/{id}", one_pull),
    Route("GET", "/abierto/v1/pulls/{id}/events", events),
    Route("DELETE", "/abierto/v1/pulls/{id}", cancel),
)
