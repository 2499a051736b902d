"""What another computer answers when it does not do what it was asked, as our errors. Pure functions.

The forms are those of the providers' documents: `{"error": {"message", "type", "code"}}` with the HTTP status, the
status again as `code` (OpenRouter), `error` as a text (Hugging Face), or `detail` (servers made with FastAPI).
"""

import re
from collections.abc import Mapping
from typing import Any

from abierto.errors import (
    AbiertoError,
    ContentRefused,
    KeyRefused,
    NoCredit,
    PromptTooLong,
    RateLimited,
    RemoteFailed,
    RemoteModelUnknown,
    RemoteRefused,
)

# Characters of what a provider says that are shown.
LONGEST_DETAIL = 400
_NO_MODEL = {
    "model_decommissioned",
    "model_not_available",
    "model_not_found",
    "model_not_supported",
    "model_terms_required",
}
_TOO_LONG = {"context_length_exceeded", "context_window_exceeded"}
_REFUSED = {"content_filter", "content_policy_violation", "moderation"}
_CONTEXT = re.compile(r"maximum context length (?:is|of) (\d+)", re.IGNORECASE)
_TOKENS = re.compile(r"(\d+) (?:input |prompt )?tokens", re.IGNORECASE)


def failure(provider: str, model: str, status: int, body: Any, wait: float | None = None) -> AbiertoError:
    """The error that an answer tells of. model: empty where none was asked for. body: its JSON, None without any.
    wait: seconds that it asks for."""
    error = _error(body)
    message = _message(error, body) or f"HTTP {status}"
    codes = {str(error.get(name)).lower() for name in ("code", "type")}
    metadata = error.get("metadata")
    flagged = isinstance(metadata, Mapping) and ("flagged_input" in metadata or "reasons" in metadata)
    if codes & _REFUSED or (status == 403 and flagged):
        return ContentRefused(provider, message)
    if status in (401, 403):
        return KeyRefused(provider, message)
    if status == 402:
        return NoCredit(provider, message)
    if status == 429:
        return RateLimited(provider, max(1, round(wait or 1)), message)
    if too_long := _too_long(codes, message):
        return too_long
    if model and (status in (404, 410) or codes & _NO_MODEL or "not a valid model" in message):
        return RemoteModelUnknown(provider, model, message)
    if status >= 500:
        return RemoteFailed(provider, status, message)
    return RemoteRefused(provider, status, message)


def in_stream(provider: str, model: str, body: Mapping[str, Any]) -> AbiertoError | None:
    """The error that a piece of a stream tells of; the HTTP status was a good one by then."""
    beside = body.get("x_groq")
    told = body.get("error") or (beside.get("error") if isinstance(beside, Mapping) else None)
    if not told:
        return None
    code = told.get("code") if isinstance(told, Mapping) else None
    number = int(code) if isinstance(code, int | float) or (isinstance(code, str) and code.isdecimal()) else 0
    status = number if 400 <= number < 600 else 500
    return failure(provider, model, status, {"error": told})


def _error(body: Any) -> Mapping[str, Any]:
    found = body.get("error") if isinstance(body, Mapping) else None
    if isinstance(found, Mapping):
        return found
    return {"message": found} if isinstance(found, str) else {}


def _message(error: Mapping[str, Any], body: Any) -> str:
    told = error.get("message")
    if not told and isinstance(body, Mapping):
        told = body.get("message") or body.get("detail")
    return str(told)[:LONGEST_DETAIL] if told else ""


def _too_long(codes: set[str], message: str) -> PromptTooLong | None:
    """That the prompt is too long, where the provider says so and tells the numbers."""
    limit = _CONTEXT.search(message)
    if not limit and not codes & _TOO_LONG:
        return None
    context = int(limit[1]) if limit else 0
    tokens = max((int(number) for number in _TOKENS.findall(message)), default=0)
    return PromptTooLong(tokens, context, context) if context and tokens > context else None
