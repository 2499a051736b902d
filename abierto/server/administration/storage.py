"""What is kept on this disk, over our own dialect: where it lies, how much it is, and to delete parts of it. Only for
the person at the server's computer. No model is among the parts: see `models.remove`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from abierto import config, machine
from abierto.errors import InvalidRequest
from abierto.runtime import choice
from abierto.server.administration.owner import check
from abierto.server.exchange import Call, Reply, Route
from abierto.store import kept, records

if TYPE_CHECKING:
    from abierto.journal import Journal

CACHE = "cache"
PARTS = ("conversations", "lines", "runs", "pulls", "tunings", CACHE)


def storage(call: Call) -> Reply:
    """The folders, what is free on their disk, and the parts: rows of the journal, and bytes of what is in files."""
    check(call)
    folders = config.folders()
    pulled, begun = records.all_records(folders.models), records.partials(folders.models)
    with _journal(call) as journal:
        counts = {name: journal.count(table) for name, table in _tables().items()}
    body: dict[str, Any] = {
        "data": str(folders.data),
        "settings": str(folders.config / config.FILE_NAME),
        "free": machine.disk_free(folders.data),
        "models": {"count": len(pulled), "bytes": sum(one.size for one in pulled)},
        "begun": [{"name": one.name, "bytes": one.size} for one in begun],
        "journal": sum(_bytes(path) for path in folders.data.glob("journal.db*")),
        "counts": counts,
        "cache": kept.bytes_in(folders.cache),
        "logs": sum(_bytes(path) for path in folders.logs.glob("*")),
    }
    return Reply(body)


def forget(call: Call) -> Reply:
    """Delete a part: `conversations`, `lines` typed in the terminal, `runs`, `pulls`, `tunings` or `cache`."""
    check(call)
    part = call.path["part"]
    if part not in PARTS:
        raise InvalidRequest(f"one of {', '.join(PARTS)} is needed", "part")
    if part == CACHE:
        return Reply({"part": part, "freed": kept.clear(config.folders().cache)})
    if part == "tunings":
        choice.forget()
    with _journal(call) as journal:
        return Reply({"part": part, "deleted": journal.forget(_tables()[part])})


def _tables() -> dict[str, Any]:
    from abierto.journal import CONVERSATIONS, LINES, PULLS, RUNS, TUNINGS

    return {"conversations": CONVERSATIONS, "lines": LINES, "runs": RUNS, "pulls": PULLS, "tunings": TUNINGS}


@contextmanager
def _journal(call: Call) -> "Iterator[Journal]":
    from abierto.journal import Journal

    opened = Journal.at(config.folders().data, call.state.settings.journal)
    try:
        yield opened
    finally:
        opened.close()


def _bytes(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


ROUTES = (
    Route("GET", "/abierto/v1/storage", storage, blocking=True),
    Route("DELETE", "/abierto/v1/storage/{part}", forget, blocking=True),
)
