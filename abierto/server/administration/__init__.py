"""Our own dialect: what the server holds and does, what shall come and go, and what other programs of ours need.

Its errors tell the code and the facts besides the sentences, so that a program of ours raises them again as they were.
"""

from collections.abc import Iterable
from typing import Any

from abierto.errors import AbiertoError
from abierto.server.exchange import Dialect, Route


def error(problem: AbiertoError, _status: int, sentences: str) -> Any:
    """The body of an error."""
    return {"error": {"code": problem.code, "message": sentences, "facts": problem.facts}}


def dialect(others: Iterable[Dialect] = ()) -> Dialect:
    """The whole dialect. others: those that are described and counted with it."""
    from abierto.server.administration import (
        catalogue,
        conversations,
        direct,
        journal,
        models,
        process,
        pulls,
        remotes,
        reports,
        storage,
        tokens,
        tuning,
    )
    from abierto.server.openapi import described

    ours = (process, models, pulls, journal, reports, direct, conversations, catalogue)
    parts = (*ours, tuning, remotes, tokens, storage)
    routes: tuple[Route, ...] = tuple(route for part in parts for route in part.ROUTES)
    prefixes = ("/abierto", "/health", "/metrics", "/openapi.json")
    whole = Dialect("abierto", routes, prefixes, error)
    return Dialect("abierto", (*routes, described([*others, whole])), prefixes, error)
