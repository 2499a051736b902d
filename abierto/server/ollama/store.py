"""Ollama's /api/pull, /api/copy and /api/delete; and what it has beside them that is not offered here.

Only names of cards and sources elsewhere may be pulled: no request makes the server read a file of this computer.
"""

from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from time import monotonic
from typing import Any

from msgspec import Struct

from abierto import locale
from abierto.errors import AbiertoError, JournalUnavailable, NotOffered
from abierto.recipes.second import second
from abierto.runtime.removal import removal
from abierto.runtime.wanted import Wanted, bring, here, wanted, write_pull
from abierto.server.exchange import JSON, JSON_LINES, Call, Flow, Reply, Route, encode, line
from abierto.server.ollama import names
from abierto.store.progress import PullProgress
from abierto.store.records import Record

_PAUSE = 0.1  # seconds between two lines about the same stage
_SHORT = 12  # digits of a digest that people are shown


class PullBody(Struct):
    """The body. name: what older clients call `model`."""

    model: str = ""
    name: str = ""
    stream: bool | None = True


class DeleteBody(Struct):
    """The body. name: what older clients call `model`."""

    model: str = ""
    name: str = ""


class CopyBody(Struct):
    """The body."""

    source: str = ""
    destination: str = ""


def pull(call: Call) -> Flow:
    """Fetch a model."""
    body: PullBody = call.body
    asked = wanted(names.source(body.model or body.name))
    if body.stream is False:
        return Flow(_at_once(asked), JSON)
    return Flow(streamed(asked), JSON_LINES)


def delete(call: Call) -> Reply:
    """Delete a pulled model, which is let go first if it is loaded and nobody uses it."""
    body: DeleteBody = call.body
    name = names.ours(body.model or body.name)
    found = removal(name)
    call.state.residents.let_go(found.name)
    found.carry_out()
    return Reply(b"")


def copy(call: Call) -> Reply:
    """Give a pulled model a second name, which stays when the first goes."""
    body: CopyBody = call.body
    second(names.ours(body.source), names.ours(body.destination))
    return Reply(b"")


def create(_call: Call) -> Reply:
    """Raises NotOffered: there are no models here that are made of another one, a template and a prompt."""
    raise NotOffered("/api/create", "create")


def push(_call: Call) -> Reply:
    """Raises NotOffered: nothing leaves this computer."""
    raise NotOffered("/api/push", "push")


def blob(_call: Call) -> Reply:
    """Raises NotOffered: files are not taken over the network."""
    raise NotOffered("/api/blobs", "blobs")


def lines_of(asked: Wanted, steps: Iterator[PullProgress]) -> Iterator[dict[str, Any] | None]:
    """What is told of each step; None where nothing new is worth a line."""
    yield {"status": "pulling manifest"}
    stage, told = "", 0.0
    for step in steps:
        if step.stage == stage and step.done != step.total and monotonic() - told < _PAUSE:
            yield None
            continue
        stage, told = step.stage, monotonic()
        yield line_of(asked, step)
    yield {"status": "success"}


def line_of(asked: Wanted, step: PullProgress) -> dict[str, Any]:
    """What is told of one step."""
    if step.stage == "resolve":
        return {"status": "pulling manifest"}
    if step.stage == "verify":
        return {"status": "verifying sha256 digest"}
    if step.stage == "unpack":
        return {"status": "unpacking", "completed": step.done, **({"total": step.total} if step.total else {})}
    digest = {"digest": f"sha256:{asked.sha256}"} if asked.sha256 else {}
    total = {"total": step.total} if step.total else {}
    return {"status": f"pulling {(asked.sha256 or asked.name)[:_SHORT]}", **digest, **total, "completed": step.done}


def _steps(asked: Wanted) -> Generator[PullProgress, None, Record | None]:
    if known := here(asked):
        return known
    return (yield from bring(asked, _journal))


def streamed(asked: Wanted) -> Generator[bytes, None, None]:
    """The lines of a stream. Closing it stops the pull."""
    with closing(_steps(asked)) as steps:
        try:
            for told in lines_of(asked, steps):
                yield line(told) if told else b""
        except AbiertoError as error:
            yield line({"error": " ".join(locale.tell(error))})


def _at_once(asked: Wanted) -> Iterator[bytes]:
    with closing(_steps(asked)) as steps:
        for told in lines_of(asked, steps):
            yield encode(told) if told and told["status"] == "success" else b""


def _journal(**facts: Any) -> None:
    with suppress(JournalUnavailable):  # the model is there; nobody looks at the server's terminal
        write_pull(**facts)


ROUTES = (
    Route("POST", "/api/pull", pull, PullBody, blocking=True),
    Route("DELETE", "/api/delete", delete, DeleteBody, blocking=True),
    Route("POST", "/api/copy", copy, CopyBody, blocking=True),
    Route("POST", "/api/create", create),
    Route("POST", "/api/push", push),
    Route("POST", "/api/blobs/{digest}", blob),
)
