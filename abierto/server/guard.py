"""Who may come in: hosts, origins and tokens, checked before anything else looks at a request.

A web page can send requests to this computer, and a name can be made to lead here (DNS rebinding): so the Host header
must be one of ours, and the Origin header, which browsers send, our own or one that the settings list.
"""

from collections.abc import Iterable, Mapping
from urllib.parse import urlsplit

from abierto.errors import AbiertoError, ForbiddenHost, ForbiddenOrigin

LOOPBACK = ("127.0.0.1", "localhost", "::1")


def is_loopback(host: str) -> bool:
    """Whether only programs on this computer reach this address."""
    return host in LOOPBACK or host.startswith("127.")


def check_host(headers: Mapping[str, str], host: str) -> None:
    """Raise ForbiddenHost for a name that is not ours. host: what the server listens on."""
    named = _name(headers.get("host", ""))
    if named not in (*LOOPBACK, host) and not named.startswith("127."):
        raise ForbiddenHost(named)


def check_origin(headers: Mapping[str, str], listed: Iterable[str]) -> None:
    """Raise ForbiddenOrigin for a web page that is neither ours nor listed."""
    origin = headers.get("origin")
    if origin is None or origin in listed:
        return
    parts = urlsplit(origin)
    if not parts.netloc or parts.netloc != headers.get("host"):
        raise ForbiddenOrigin(origin)


def cors(headers: Mapping[str, str], listed: Iterable[str]) -> dict[str, str]:
    """The headers by which a browser lets a listed page read the answer."""
    origin = headers.get("origin", "")
    if origin not in listed:
        return {}
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-headers": "authorization, content-type, x-api-key, anthropic-version, anthropic-beta",
        "access-control-allow-methods": "GET, POST, DELETE",
        "vary": "origin",
    }


def secret(headers: Mapping[str, str]) -> str:
    """The token that came with a request, as the dialects send it; empty without one."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else headers.get("x-api-key", "")


def _name(host: str) -> str:
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()


STATUS: dict[str, int] = {
    "forbidden_host": 403,
    "forbidden_origin": 403,
    "token_missing": 401,
    "request_too_large": 413,
    "too_many_requests": 429,
    "not_offered": 501,
    "rate_limited": 429,
    "remotes_off": 403,
    "key_refused": 502,
    "no_credit": 402,
    "content_refused": 400,
    "remote_refused": 400,
    "remote_failed": 502,
    "deadline_exceeded": 504,
    "missing_feature": 400,
    "model_cannot_see": 400,
    "model_in_use": 409,
    "name_taken": 409,
    "cancelled": 499,
}
_BY_EXIT = {2: 400, 3: 404, 4: 500, 5: 503, 6: 502, 7: 503, 8: 500, 130: 499}


def status_of(error: AbiertoError) -> int:
    """The HTTP status that says what kind of error this is."""
    return STATUS.get(error.code, _BY_EXIT.get(error.exit_status, 500))
