"""The server of this home: how it tells that it runs, and how other programs of this person find it and speak to it.

While it runs, its address and a key lie in a file that only this person can read, and it holds a lock. Whoever finds an
address there first lets the server prove that it knows the key: after a crash somebody else may listen on that port,
and shall see neither the key nor a prompt. It knows no dialect but our own.
"""

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from abierto import config
from abierto.errors import AbiertoError, EngineFailed, ServerNotRunning, ServerRunning, codes, rebuild
from abierto.store import locks

if TYPE_CHECKING:
    from http.client import HTTPConnection, HTTPResponse

FILE_NAME, LOCK_NAME = "server.json", "server.lock"
PREFIX = "/abierto/v1"
# Seconds for what is answered at once. Work that takes a model has no limit here: the server has one.
PATIENCE = 5.0
# Who listens on all addresses is reached here.
_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, never listened on


@dataclass(frozen=True, slots=True)
class Server:
    """A server of this person on this computer. pid: its process. key: what only it and this person's programs know."""

    address: str
    pid: int
    key: str

    def ask(self, method: str, path: str, body: Any = None, *, patience: float | None = PATIENCE) -> Any:
        """What it answers to a request under `/abierto/v1`. patience: seconds; None: as long as it takes.

        Raises the error that it answers with, and ServerNotRunning when it is gone.
        """
        connection = self.connect(patience)
        try:
            return json.loads(self.send(connection, method, path, body).read() or b"null")
        except (OSError, ValueError) as error:
            raise ServerNotRunning() from error
        finally:
            connection.close()

    def connect(self, patience: float | None = PATIENCE) -> "HTTPConnection":
        """A connection, which is made with the first request."""
        from http.client import HTTPConnection

        parts = urlsplit(self.address)
        host = parts.hostname or ""
        return HTTPConnection(_ANYWHERE.get(host, host), parts.port, timeout=patience)

    def send(self, connection: "HTTPConnection", method: str, path: str, body: Any = None) -> "HTTPResponse":
        """Send a request; the answer, of which only the head has been read. Raises as `ask`, and OSError."""
        from http.client import HTTPException

        headers = {"authorization": f"Bearer {self.key}", "content-type": "application/json"}
        try:
            connection.request(method, PREFIX + path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            if answer.status >= 400:
                raise told(json.loads(answer.read()).get("error", {}))
        except HTTPException as error:
            raise ServerNotRunning() from error
        return answer


def find() -> Server | None:
    """The server of this home; None where there is none, or where what answers there is not it."""
    with suppress(OSError, ValueError, KeyError, TypeError, AbiertoError):
        body = json.loads(_file().read_text("utf-8"))
        import hmac  # not above: where there is no server, nobody waits for this
        import secrets

        server = Server(str(body["address"]), int(body["pid"]), str(body["key"]))
        challenge = secrets.token_hex(16)
        # The key is not sent before the proof is there.
        answer = Server(server.address, server.pid, "").ask("GET", f"/identity?challenge={challenge}")
        if hmac.compare_digest(str(answer["proof"]), proof(server.key, challenge)):
            return server
    return None


def running() -> Server:
    """As `find`. Raises ServerNotRunning."""
    server = find()
    if server is None:
        raise ServerNotRunning()
    return server


def proof(key: str, challenge: str) -> str:
    """What only who knows the key can answer to a challenge."""
    import hmac

    return hmac.new(key.encode(), challenge.encode(), "sha256").hexdigest()


@contextmanager
def alone() -> Iterator[None]:
    """Be the one server of this home; what `announce` wrote is gone afterwards. Raises ServerRunning."""
    from abierto.runtime.wanted import make_private

    make_private(config.folders().data)
    with locks.holding(config.folders().data / LOCK_NAME, ServerRunning(_announced_address())):
        try:
            yield
        finally:
            with suppress(OSError):
                _file().unlink()


def announce(address: str, key: str) -> None:
    """Tell the other programs of this person where the server is. Within `alone`."""
    body = json.dumps({"address": address, "pid": os.getpid(), "key": key})
    beside = _file().with_suffix(".new")
    with suppress(OSError):
        beside.unlink()
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(body)
    beside.replace(_file())


def _announced_address() -> str:
    with suppress(OSError, ValueError, KeyError, TypeError):
        return str(json.loads(_file().read_text("utf-8"))["address"])
    return "?"


def _file() -> Path:
    return config.folders().data / FILE_NAME


def told(error: Mapping[str, Any]) -> AbiertoError:
    """The error that a server tells by its code and facts, or by words that are not known here."""
    if error.get("code") in codes():
        return rebuild(error["code"], error["facts"])
    return EngineFailed("abierto serve", str(error.get("message", error)))
