"""The journal over our own dialect: what ran and what was pulled, in numbers and without a word that was said."""

from abierto import config, locale
from abierto.errors import InvalidRequest
from abierto.runtime.model import write_runs
from abierto.server.exchange import Call, Reply, Route

KINDS = ("runs", "pulls")
USUAL, MOST = 20, 1000


def journal(call: Call) -> Reply:
    """The newest entries, newest first. kind: `runs` or `pulls`; limit: how many, 1 to 1000.

    hint: of one that failed what to do next, null where that depends on facts that are not kept.
    """
    kind, limit = call.query.get("kind", "runs"), call.query.get("limit", str(USUAL))
    if kind not in KINDS:
        raise InvalidRequest(f"one of {', '.join(KINDS)} is needed", "kind")
    # Only what is short is a number worth reading; other alphabets have digits too.
    if not (limit.isascii() and limit.isdecimal() and len(limit) <= len(str(MOST)) and 1 <= int(limit) <= MOST):
        raise InvalidRequest(f"a number from 1 to {MOST} is needed", "limit")
    write_runs()
    from abierto.journal import PULLS, RUNS, Journal

    opened = Journal.at(config.folders().data, call.state.settings.journal)
    try:
        rows = opened.recent({"runs": RUNS, "pulls": PULLS}[kind], limit=int(limit))
    finally:
        opened.close()
    return Reply({"kind": kind, "entries": [{**row, "hint": locale.next_step(row["outcome"]) or None} for row in rows]})


ROUTES = (Route("GET", "/abierto/v1/journal", journal, blocking=True, query=("kind", "limit")),)
