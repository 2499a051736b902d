"""Ollama's dialect: what its paths have in common.

The forms are those of https://github.com/ollama/ollama/blob/main/docs/api.md and of the types of its own client. What
cannot be done here is refused in its form of an error, never passed over.
"""

from typing import Any

from abierto.errors import AbiertoError
from abierto.server.exchange import Dialect


def error(problem: AbiertoError, status: int, sentences: str) -> Any:  # noqa: ARG001 - the contract of all dialects
    """The body of an error."""
    return {"error": sentences}


def dialect() -> Dialect:
    """The whole dialect."""
    from abierto.server.ollama import chat, embed, generate, listing, probes, store

    routes = (*chat.ROUTES, *generate.ROUTES, *embed.ROUTES, *listing.ROUTES, *store.ROUTES, *probes.ROUTES)
    return Dialect("ollama", routes, ("/api",), error)
