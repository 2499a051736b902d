"""Who may come in: hosts, origins and tokens, checked before anything else looks at a request.

A web page can send requests to this computer, and a name can be made to lead here (DNS rebinding): so on an address
that only this computer reaches, the Host header must be one of ours; and the Origin header, which browsers send, must
be our own or one that the settings list. On any other address a token protects instead of the Host header, which may be
any name of this computer there.
"""

import hmac
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from ipaddress import ip_address
from math import ceil
from time import monotonic
from urllib.parse import urlsplit

from abierto.config import Settings
from abierto.errors import AbiertoError, ForbiddenHost, ForbiddenOrigin, OwnerOnly, TokenMissing, TooManyRequests
from abierto.server.tokens import PREFIX, Token, Tokens

LOOPBACK = ("127.0.0.1", "localhost", "::1")
# Answers without a token wherever the server listens: whoever watches over a server asks here, and has none; and
# programs of the person who runs it, before they show the key that they have in place of a token.
OPEN = ("/", "/health", "/abierto/v1/identity")
# The studio's own files, which hold nobody's words; what the page then asks for needs a token.
PAGE = "/studio/"
MINUTE = 60.0  # seconds


class Guard:
    """Stands before all routes of one server. Called from one thread.

    clock: seconds; only differences count. own: the key of this person's own programs, which passes everywhere; empty
    without one.
    """

    def __init__(
        self, settings: Settings, tokens: Tokens, clock: Callable[[], float] = monotonic, own: str = ""
    ) -> None:
        self._own = own.encode()
        self._host, self._listed = settings.host, settings.cors
        self._local = is_loopback(settings.host)
        self._tokens, self._clock = tokens, clock
        self._uses: dict[str, deque[float]] = {}

    def check(self, headers: Mapping[str, str]) -> None:
        """Raise ForbiddenHost, ForbiddenOrigin."""
        if self._local:
            check_host(headers, self._host)
        check_origin(headers, self._listed)

    def cors(self, headers: Mapping[str, str]) -> dict[str, str]:
        """As the function `cors`."""
        return cors(headers, self._listed)

    def admit(self, path: str, headers: Mapping[str, str]) -> str:
        """The name of the token that came with a request; empty without one. Raises TokenMissing, TooManyRequests.

        On loopback a request needs none, and any other key passes: clients for local servers send `none`, `ollama` or
        `sk-…` because they must send something. One that has the form of ours is a token that was removed or mistyped,
        and is refused there as well.
        """
        key = secret(headers)
        if self._own and hmac.compare_digest(key.encode(), self._own):
            return ""
        token = self._tokens.find(key) if key else None
        if token:
            self._count(token)
            return token.name
        if path in OPEN or path.startswith(PAGE) or (self._local and not key.startswith(PREFIX)):
            return ""
        raise TokenMissing()

    def _count(self, token: Token) -> None:
        if not token.per_minute:
            return
        now = self._clock()
        uses = self._uses.setdefault(token.digest, deque())
        while uses and uses[0] <= now - MINUTE:
            uses.popleft()
        if len(uses) >= token.per_minute:
            raise TooManyRequests(token.per_minute, max(1, ceil(uses[0] + MINUTE - now)))
        uses.append(now)


def is_loopback(host: str) -> bool:
    """Whether only programs on this computer reach this address."""
    try:
        # Never by how it begins: 127.0.0.1.example.org is a name that anybody can make lead anywhere.
        return host in LOOPBACK or ip_address(host).is_loopback
    except ValueError:
        return False


def check_host(headers: Mapping[str, str], host: str) -> None:
    """Raise ForbiddenHost for a name that is not ours. host: what the server listens on."""
    named = _name(headers.get("host", ""))
    if named != host and not is_loopback(named):
        raise ForbiddenHost(named)


def check_origin(headers: Mapping[str, str], listed: Iterable[str]) -> None:
    """Raise ForbiddenOrigin for a web page that is neither ours nor listed."""
    origin = headers.get("origin")
    if origin is None:
        # Pictures and scripts of a page are fetched without Origin, but a browser says that another page asks. What a
        # person follows as a link is no such thing.
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            raise ForbiddenOrigin(headers.get("referer", "?"))
        return
    if origin in listed:
        return
    parts = urlsplit(origin)
    if not parts.netloc or parts.netloc != headers.get("host"):
        raise ForbiddenOrigin(origin)


def check_owner(headers: Mapping[str, str], host: str, own: str) -> None:
    """Raise OwnerOnly for whoever is not at the server's computer, and ForbiddenOrigin for a page that is only listed.

    host: what the server listens on. Where others reach it, only a program that knows the key `own` passes.
    """
    check_origin(headers, ())
    known = bool(own) and hmac.compare_digest(secret(headers).encode(), own.encode())
    if not known and not is_loopback(host):
        raise OwnerOnly()


def cors(headers: Mapping[str, str], listed: Iterable[str]) -> dict[str, str]:
    """The headers by which a browser lets a listed page read the answer."""
    origin = headers.get("origin", "")
    if origin not in listed:
        return {}
    # Clients send headers of their own, as OpenAI's x-stainless-…: what a listed page wants to send it may.
    wanted = headers.get("access-control-request-headers", "authorization, content-type")
    private = headers.get("access-control-request-private-network") == "true"
    return {
        "access-control-allow-origin": origin,
        "access-control-allow-headers": wanted,
        "access-control-allow-methods": "GET, HEAD, POST, PUT, PATCH, DELETE",
        "access-control-expose-headers": "retry-after, x-abierto-model, x-abierto-context, x-abierto-notice",
        "access-control-max-age": "600",
        "vary": "origin",
    } | ({"access-control-allow-private-network": "true"} if private else {})


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
    "owner_only": 403,
    "request_too_large": 413,
    "too_many_requests": 429,
    "request_too_slow": 408,
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
    "model_cannot_think": 400,
    "model_in_use": 409,
    "name_taken": 409,
    "cancelled": 499,
}
_BY_EXIT = {2: 400, 3: 404, 4: 500, 5: 503, 6: 502, 7: 503, 8: 500, 130: 499}


def status_of(error: AbiertoError) -> int:
    """The HTTP status that says what kind of error this is."""
    return STATUS.get(error.code, _BY_EXIT.get(error.exit_status, 500))
