"""Anthropic's dialect: what its paths have in common.

The forms are those of https://docs.anthropic.com/en/api/messages; what a local model cannot do is refused in the same
form, never passed over.
"""

from typing import Any

from abierto.errors import AbiertoError, PromptTooLong
from abierto.server.exchange import Dialect

_TYPES = {
    401: "authentication_error",
    403: "permission_error",
    404: "not_found_error",
    409: "conflict_error",
    413: "request_too_large",
    429: "rate_limit_error",
    503: "overloaded_error",
    504: "timeout_error",
}


def error(problem: AbiertoError, status: int, sentences: str) -> Any:
    """The body of an error."""
    if isinstance(problem, PromptTooLong):
        # By these words clients know that they must shorten the conversation, which some then do by themselves.
        sentences = f"prompt is too long: {problem.tokens} tokens > {problem.context} maximum. {sentences}"
    kind = _TYPES.get(status, "api_error" if status >= 500 else "invalid_request_error")
    return {"type": "error", "error": {"type": kind, "message": sentences}}


def dialect() -> Dialect:
    """The whole dialect."""
    from abierto.server.anthropic import messages, models

    return Dialect("anthropic", (*messages.ROUTES, *models.ROUTES), ("/v1/messages",), error, request_key="request_id")
