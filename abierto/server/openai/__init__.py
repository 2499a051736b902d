"""OpenAI's dialect: what its paths have in common.

The forms are those of https://platform.openai.com/docs/api-reference; what a local model cannot do is refused in the
same form, never passed over.
"""

from typing import Any

from abierto.errors import AbiertoError
from abierto.server.exchange import Dialect

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    413: "invalid_request_error",
    429: "rate_limit_error",
}


def error(problem: AbiertoError, status: int, sentences: str) -> Any:
    """The body of an error."""
    where = problem.facts.get("where") or problem.facts.get("option") or problem.facts.get("feature")
    kind = _TYPES.get(status, "server_error")
    return {"error": {"message": sentences, "type": kind, "param": where, "code": problem.code}}


def dialect() -> Dialect:
    """The whole dialect."""
    from abierto.server.openai import chat, completions, embeddings, images, models, rerank, responses

    parts = (chat, completions, responses, embeddings, rerank, images, models)
    return Dialect("openai", tuple(route for part in parts for route in part.ROUTES), ("/",), error)
