"""HTTP to another computer: certificates, proxy, patience, one connection for one request. It knows no dialect.

TLS is verified, and a redirect is never followed: the key and the words go where they were meant to go, or nowhere. A
proxy of the system is used for `https` alone, through a tunnel, so that it sees neither.
"""

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from http.client import BadStatusLine, HTTPException, RemoteDisconnected
from pathlib import Path
from secrets import SystemRandom
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies, proxy_bypass

from abierto.engines._remote_errors import failure
from abierto.errors import AbiertoError, Cancelled, RemoteGarbled, RemoteRedirected, RemoteUnreachable

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse
    from urllib3.connection import HTTPConnection

MOST_RETRIES = 4
# Seconds: to reach the computer, and the longest that it may ask us to wait before we try again.
CONNECT_TIMEOUT, PATIENCE = 10.0, 60.0
# Bytes: of a whole body, and of one read.
LARGEST_BODY, BLOCK = 64_000_000, 1 << 16
# Characters. A shorter key of a computer of one's own is a word like others, and nothing is hidden by hiding it.
SHORTEST_SECRET = 8
_TRY_AGAIN = frozenset({408, 425, 429})


class Dropped(Exception):
    """The connection ended in the middle of a body."""


@dataclass(frozen=True, slots=True)
class Link:
    """How to reach a computer. provider, model: for errors. address: `http` or `https`, without a slash at the end.

    certificates: a file or folder of authorities to trust beside the system's. timeout: seconds without a byte.
    pause: seconds before the first retry, at most; each further one may wait twice as long.
    """

    provider: str
    model: str
    address: str
    key: str = field(default="", repr=False)
    certificates: str = ""
    timeout: float = 120.0
    pause: float = 0.5

    @property
    def host(self) -> str:
        """The computer's name, with its port if that is told."""
        return urlsplit(self.address).netloc

    def connection(self) -> "HTTPConnection":
        """A connection that is not open yet. Raises RemoteUnreachable for certificates that cannot be used."""
        from urllib3.connection import HTTPConnection, HTTPSConnection

        place = urlsplit(self.address)
        assert place.hostname
        if place.scheme == "http":
            return HTTPConnection(place.hostname, place.port or 80, timeout=CONNECT_TIMEOUT)
        proxy = None if proxy_bypass(place.hostname) else getproxies().get("https")
        hop = urlsplit(proxy if "://" in proxy else f"http://{proxy}") if proxy else None
        host, port = (hop.hostname, hop.port or 8080) if hop and hop.hostname else (place.hostname, place.port or 443)
        made = HTTPSConnection(host, port, timeout=CONNECT_TIMEOUT, ssl_context=self._tls())
        if hop:
            made.set_tunnel(place.hostname, place.port or 443, _login(hop.username, hop.password))
        return made

    def headers(self) -> dict[str, str]:
        """What every request says."""
        told = {"Content-Type": "application/json", "Accept-Encoding": "identity", "User-Agent": "abierto"}
        return {**told, "Authorization": f"Bearer {self.key}"} if self.key else told

    def hidden(self, error: AbiertoError) -> AbiertoError:
        """The error without the key: whoever is sent it may repeat it in what they say."""
        if len(self.key) < SHORTEST_SECRET or not any(self.key in str(fact) for fact in error.facts.values()):
            return error
        told = {
            name: fact.replace(self.key, "***") if isinstance(fact, str) else fact for name, fact in error.facts.items()
        }
        return type(error)(**told)

    def _tls(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        try:
            if self.certificates:
                folder = Path(self.certificates).is_dir()
                context.load_verify_locations(
                    capath=self.certificates if folder else None, cafile=None if folder else self.certificates
                )
        except OSError as problem:
            raise RemoteUnreachable(self.provider, self.host, f"{self.certificates}: {problem}") from None
        return context


class Call:
    """One request and its answer. `send` it, read it by one of the methods, `close` it. retries: how often, at most.

    `cancel` may come from any thread, and wakes one that waits for the other computer or for the next try.
    """

    def __init__(self, link: Link, method: str, path: str, body: object = None, retries: int = MOST_RETRIES) -> None:
        self._link, self._method, self._path = link, method, path
        self._body = None if body is None else json.dumps(body).encode()
        self._retries = retries
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._response: BaseHTTPResponse | None = None

    @property
    def cancelled(self) -> bool:
        """Whether it was broken off."""
        return self._over.is_set()

    @property
    def content_type(self) -> str:
        """Of the answer, without parameters, in small letters."""
        assert self._response, "it was sent"
        return self._response.headers.get("Content-Type", "").partition(";")[0].strip().lower()

    def send(self) -> None:
        """Send it, again if need be, until a good answer begins.

        Raises Cancelled, RemoteUnreachable, RemoteRedirected, RemoteGarbled, and what `failure` makes of an answer.
        """
        for tried in range(self._retries + 1):
            problem, wait = self._attempt()
            if self.cancelled:
                self.close()
                raise Cancelled()
            if problem is None:
                return
            if wait is None or wait > PATIENCE or tried == self._retries:
                raise self._link.hidden(problem)
            # Spread over time, so that not all who were refused together come again together.
            self._over.wait(wait + SystemRandom().uniform(0, self._link.pause * 2**tried))
        raise AssertionError("the last try has returned or raised")

    def blocks(self) -> Iterator[bytes]:
        """The body as it arrives. Raises Dropped."""
        from urllib3.exceptions import HTTPError

        assert self._response, "it was sent"
        try:
            while block := self._response.read1(BLOCK):
                yield block
        except (HTTPError, OSError, HTTPException) as problem:
            raise Dropped(str(problem)) from problem

    def json(self) -> Any:
        """The whole body as JSON. Raises Dropped, RemoteGarbled."""
        raw = self.whole()
        try:
            return json.loads(raw)
        except ValueError as error:
            raise RemoteGarbled(self._link.provider, f"no JSON: {raw[:80].decode('utf-8', 'replace')}") from error

    def whole(self) -> bytes:
        """The whole body. Raises Dropped, RemoteGarbled."""
        raw = bytearray()
        for block in self.blocks():
            raw += block
            if len(raw) > LARGEST_BODY:
                raise RemoteGarbled(self._link.provider, f"more than {LARGEST_BODY} bytes")
        return bytes(raw)

    def cancel(self) -> None:
        """Break it off."""
        with self._lock:
            self._over.set()
            if self._socket:
                with suppress(OSError):  # it was over already
                    # Not that of the TLS socket, which would first take its own state apart under the reader.
                    socket.socket.shutdown(self._socket, socket.SHUT_RDWR)

    def close(self) -> None:
        """Give the connection back. May be called twice."""
        with self._lock:
            response, self._response = self._response, None
            opened, self._socket = self._socket, None
        if response:
            response.close()
        if opened:
            opened.close()

    def _attempt(self) -> tuple[AbiertoError | None, float | None]:
        """One try: what went wrong, and how many seconds to wait at least before the next; None where none helps."""
        from urllib3.exceptions import HTTPError, NewConnectionError, ProxyError, ReadTimeoutError

        try:
            self._response = self._exchange()
        except (ssl.SSLError, ReadTimeoutError) as problem:
            return self._unreachable(problem), None
        except TimeoutError as problem:
            # Once it was reached it may be working on the request, and would have to do it twice.
            return self._unreachable(problem), None if self._socket else 0.0
        except BadStatusLine as problem:
            if not isinstance(problem, RemoteDisconnected):
                return self._end(RemoteGarbled(self._link.provider, f"no HTTP: {problem}")), None
            return self._unreachable(problem), 0.0
        except (NewConnectionError, ProxyError, HTTPError, HTTPException, OSError) as problem:
            return self._unreachable(problem), 0.0
        status = self._response.status
        if 200 <= status < 300:
            return None, None
        try:
            return self._refusal(status, self._response.headers)
        finally:
            self.close()

    def _exchange(self) -> "BaseHTTPResponse":
        """Connect and send, up to the head of the answer."""
        connection = self._link.connection()
        connection.connect()
        with self._lock:
            # Kept here, because the connection lets go of it as soon as the answer will be the last one.
            self._socket = connection.sock
        if self.cancelled:
            raise OSError("cancelled")
        connection.timeout = self._link.timeout
        path = f"{urlsplit(self._link.address).path}{self._path}"
        connection.request(self._method, path, self._body, self._link.headers(), preload_content=False)
        return connection.getresponse()

    def _refusal(self, status: int, headers: Mapping[str, str]) -> tuple[AbiertoError, float | None]:
        provider = self._link.provider
        if 300 <= status < 400:
            target = urlsplit(headers.get("Location", "")).netloc or headers.get("Location", "")
            return RemoteRedirected(provider, self._link.host, target), None
        body: Any = None
        with suppress(Dropped, RemoteGarbled):
            body = self.json()
        wait = _retry_after(headers.get("Retry-After", ""))
        again = status in _TRY_AGAIN or (status >= 500 and status != 501)
        return failure(provider, self._link.model, status, body, wait), wait or 0.0 if again else None

    def _unreachable(self, problem: Exception) -> AbiertoError:
        # Without the library's name for the connection, which it sets before some messages.
        told = re.sub(r"^\w+\(host=.*?\): ", "", str(problem)) or type(problem).__name__
        return self._end(RemoteUnreachable(self._link.provider, self._link.host, told))

    def _end(self, error: AbiertoError) -> AbiertoError:
        self.close()
        return error


def _login(user: str | None, password: str | None) -> dict[str, str]:
    from urllib3 import make_headers

    if not user:
        return {}
    return dict(make_headers(proxy_basic_auth=f"{unquote(user)}:{unquote(password or '')}"))


def _retry_after(told: str) -> float | None:
    """Seconds, from a number of them or a date; None where neither is told."""
    with suppress(ValueError):
        return max(0.0, float(told))
    with suppress(ValueError, TypeError):
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    return None
