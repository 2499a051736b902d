"""A Hugging Face hub on this computer that holds what a test puts in, and misbehaves as a test tells it to.

The client library talks to it: one server is the hub, another one the host that the hub sends on to for a file.
"""

import json
import re
import socket
import threading
from dataclasses import dataclass, field
from hashlib import sha1, sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

from tests.store.stand_in_index import Manner

TOKEN = "hf_stand_in"
_INFO = re.compile(r"/api/models/([^/]+/[^/]+)/revision/([^/]+)")
_RESOLVE = re.compile(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)")


@dataclass
class Repository:
    """Files by path, at one commit. gated: only for who sends the token. git: paths that are not stored as large files.

    promised, sizes: where the hub lies about a file. manners: of the next answers about the repository, `sending`: of
    those with a file's bytes; the last one stays.
    """

    files: dict[str, bytes]
    gated: bool = False
    git: frozenset[str] = frozenset()
    promised: dict[str, str] = field(default_factory=dict)
    sizes: dict[str, int] = field(default_factory=dict)
    revisions: set[str] = field(default_factory=lambda: {"main"})
    manners: list[Manner] = field(default_factory=lambda: [Manner()])
    sending: list[Manner] = field(default_factory=lambda: [Manner()])

    @property
    def commit(self) -> str:
        return sha1(b"".join(path.encode() + body for path, body in sorted(self.files.items()))).hexdigest()

    def sha256(self, path: str) -> str:
        """What the hub says that the file's hash is."""
        return self.promised.get(path) or sha256(self.files[path]).hexdigest()

    def info(self, name: str) -> dict[str, Any]:
        """What the hub tells of the repository."""
        siblings: list[dict[str, Any]] = []
        for path, body in self.files.items():
            lfs = {"size": self.sizes.get(path, len(body)), "sha256": self.sha256(path), "pointerSize": 134}
            known = {"rfilename": path, "size": len(body), "blobId": sha1(body).hexdigest()}
            siblings.append(known if path in self.git else {**known, "lfs": lfs})
        about = {"id": name, "sha": self.commit, "lastModified": "2024-07-23T14:48:00.000Z"}
        return {**about, "gated": "manual" if self.gated else False, "siblings": siblings}


def next_of(manners: list[Manner]) -> Manner:
    """The manner of this answer."""
    return manners.pop(0) if len(manners) > 1 else manners[0]


class StandInHub:
    """The hub. Use it as a context manager; it listens on the loopback interface only."""

    def __init__(self) -> None:
        self.repositories: dict[str, Repository] = {}
        self.requests: list[dict[str, str]] = []
        self.closing = threading.Event()
        self.sent = 0  # bytes of parts that were asked for
        self._servers = [_Server(self), _Server(self)]
        self.host, self.other_host = (f"127.0.0.1:{server.server_address[1]}" for server in self._servers)
        self.address = f"http://{self.host}"

    def __enter__(self) -> "StandInHub":
        for server in self._servers:
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        for server in self._servers:
            server.shutdown()
            server.server_close()

    def add(self, name: str, files: dict[str, bytes], **facts: Any) -> Repository:
        """Put a repository on the hub."""
        self.repositories[name] = Repository(files, **facts)
        return self.repositories[name]

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of each request for a file's bytes so far."""
        return [request.get("Range") for request in self.requests if request["target"].startswith("/bytes/")]


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, hub: StandInHub) -> None:
        self.hub = hub
        super().__init__(("127.0.0.1", 0), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing: that a client goes away is what many tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "_Server"

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        """Say nothing."""

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        hub = self.server.hub
        hub.requests.append({"method": self.command, "target": self.path, **dict(self.headers.items())})
        path = urlsplit(self.path).path
        if found := _INFO.fullmatch(path):
            self._about(found[1], unquote(found[2]), None)
        elif found := _RESOLVE.fullmatch(path):
            self._about(found[1], unquote(found[2]), unquote(found[3]))
        elif path.startswith("/bytes/"):
            owner, name, file = unquote(path.removeprefix("/bytes/")).split("/", 2)
            repository = hub.repositories[f"{owner}/{name}"]
            self._bytes(next_of(repository.sending), repository.files[file])
        else:
            self._answer(404, {})

    def _about(self, name: str, revision: str, path: str | None) -> None:
        hub = self.server.hub
        repository = hub.repositories.get(name)
        if repository is None:
            # As the real one: who may not see a repository does not learn whether it exists.
            self._answer(401, {"X-Error-Code": "RepoNotFound"})
            return
        manner = next_of(repository.manners)
        if manner.stall_after is not None:
            hub.closing.wait()
        if manner.status != 200:
            self._answer(manner.status, manner.headers)
        elif revision not in {*repository.revisions, repository.commit}:
            self._answer(404, {"X-Error-Code": "RevisionNotFound"})
        elif path is None:
            self._answer(200, {"Content-Type": "application/json"}, json.dumps(repository.info(name)).encode())
        elif path not in repository.files:
            self._answer(404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": repository.commit})
        elif repository.gated and self.headers.get("Authorization") != f"Bearer {TOKEN}":
            self._answer(403, {"X-Error-Code": "GatedRepo"})
        else:
            self._send_on(name, repository, path)

    def _send_on(self, name: str, repository: Repository, path: str) -> None:
        body = repository.files[path]
        headers = {"X-Repo-Commit": repository.commit}
        if path in repository.git:
            self._answer(200, {**headers, "ETag": f'"{sha1(body).hexdigest()}"'}, body)
            return
        headers |= {"X-Linked-Etag": f'"{repository.sha256(path)}"', "X-Linked-Size": str(len(body))}
        self._answer(302, {**headers, "Location": f"http://{self.server.hub.other_host}/bytes/{name}/{path}"})

    def _answer(self, status: int, headers: dict[str, str], body: bytes = b"") -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _span(self, manner: Manner, body: bytes, start: int, end: int) -> None:
        """A part. What a file has beyond the bytes that a test gave it are zeros."""
        sent = body[start:end].ljust(end - start, b"\0")
        self.server.hub.sent += len(sent)
        self.send_response(206)
        self.send_header("Content-Range", f"bytes {start}-{end - 1}/*")
        self.send_header("Content-Length", str(len(sent)))
        self.end_headers()
        self.wfile.write(sent[: manner.drop_after])
        self.close_connection = manner.drop_after is not None

    def _bytes(self, manner: Manner, body: bytes) -> None:
        if manner.status != 200:
            self._answer(manner.status, manner.headers)
            return
        asked = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if asked and asked[2] and manner.ranges:
            self._span(manner, body, int(asked[1]), int(asked[2]) + 1)
            return
        start = int(asked[1]) if asked and manner.ranges else 0
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        sent = body if manner.body is None else manner.body
        end = manner.drop_after if manner.drop_after is not None else manner.stall_after
        try:
            self.wfile.write(sent[start:][:end])
            if manner.stall_after is not None:
                self.server.hub.closing.wait()
            if end is not None:
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
        except OSError:  # whoever asked has gone
            self.close_connection = True
