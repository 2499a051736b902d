"""A package index on this computer that holds what a test puts in, and misbehaves as a test tells it to."""

import io
import os
import re
import socket
import ssl
import threading
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

import pytest


@dataclass(frozen=True)
class Manner:
    """How to answer one request for a file. `drop_after` and `stall_after` count bytes of the answer's body."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    ranges: bool = True
    content_range: str | None = None
    drop_after: int | None = None
    stall_after: int | None = None
    endless: bool = False
    tells_length: bool = True
    body: bytes | None = None


@dataclass
class Shelf:
    """A file of the index, the manners of its next answers (the last one stays), and who asked for it."""

    filename: str
    body: bytes
    metadata: bytes | None
    manners: list[Manner] = field(default_factory=lambda: [Manner()])
    requests: list[dict[str, str]] = field(default_factory=list)
    promised_sha256: str = ""

    @property
    def path(self) -> str:
        return f"/files/{self.filename}"

    @property
    def ranges(self) -> list[str | None]:
        """The Range header of each GET so far."""
        return [request.get("Range") for request in self.requests if request["method"] == "GET"]


def wheel(name: str, version: str, files: dict[str, bytes]) -> tuple[bytes, bytes]:
    """A wheel and its metadata."""
    stem = f"{name.replace('-', '_')}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode()
    tags = b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_STORED) as archive:
        for path, content in files.items():
            archive.writestr(path, content)
        archive.writestr(f"{stem}/METADATA", metadata)
        archive.writestr(f"{stem}/WHEEL", tags)
        archive.writestr(f"{stem}/RECORD", b"")
    return out.getvalue(), metadata


class StandInIndex:
    """The index. Use it as a context manager; it listens on the loopback interface only."""

    def __init__(self) -> None:
        self.shelves: dict[str, Shelf] = {}
        self.page_manner = Manner()
        self.pages: list[str] = []
        self.closing = threading.Event()
        self._server = _Server(self)
        self.host = f"127.0.0.1:{self._server.server_address[1]}"
        self.address = f"http://{self.host}"
        self.simple = f"{self.address}/simple/"

    def __enter__(self) -> "StandInIndex":
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()

    def secure(self, certificate: Path, key: Path) -> None:
        """Speak TLS from now on."""
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(certificate, key)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.address = f"https://{self.host}"

    def add(
        self,
        name: str,
        version: str,
        files: dict[str, bytes],
        *,
        tag: str = "py3-none-any",
        with_metadata: bool = True,
    ) -> Shelf:
        """Put a wheel on the index; with its metadata beside it, as most indexes have it, or without."""
        body, metadata = wheel(name, version, files)
        filename = f"{name.replace('-', '_')}-{version}-{tag}.whl"
        return self.put(filename, body, metadata if with_metadata else None)

    def put(self, filename: str, body: bytes, metadata: bytes | None = None) -> Shelf:
        """Put any file on the index."""
        shelf = Shelf(filename, body, metadata, promised_sha256=sha256(body).hexdigest())
        self.shelves[filename] = shelf
        return shelf

    def page(self, project: str) -> bytes | None:
        """The page of a project, in the simple form, or None where there is no such project."""
        lines = []
        for shelf in self.shelves.values():
            if re.sub(r"[-_.]+", "-", shelf.filename.split("-")[0]).lower() == project:
                extra = ""
                if shelf.metadata is not None:
                    extra = f' data-core-metadata="sha256={sha256(shelf.metadata).hexdigest()}"'
                address = f"{shelf.path}#sha256={shelf.promised_sha256}"
                lines.append(f'<a href="{address}"{extra}>{shelf.filename}</a>')
        return f"<!DOCTYPE html><html><body>{''.join(lines)}</body></html>".encode() if lines else None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, index: StandInIndex) -> None:
        self.index = index
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
        # As a proxy we are asked for a whole address; what counts is its path.
        path = urlsplit(self.path).path
        if path.startswith("/simple/"):
            self._page(path.removeprefix("/simple/").strip("/"))
        elif path.endswith(".metadata"):
            self._plain(
                200, self.server.index.shelves[path.rsplit("/", 1)[-1].removesuffix(".metadata")].metadata or b""
            )
        elif shelf := self.server.index.shelves.get(path.rsplit("/", 1)[-1]):
            self._file(shelf)
        else:
            self._plain(404, b"")

    def _page(self, project: str) -> None:
        self.server.index.pages.append(project)
        if self.server.index.page_manner.stall_after is not None:
            self.server.index.closing.wait()
        page = self.server.index.page(project)
        status = 404 if page is None else 200
        if self.server.index.page_manner.status != 200:
            status = self.server.index.page_manner.status
        self._plain(status, page or b"")

    def _plain(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def _file(self, shelf: Shelf) -> None:
        shelf.requests.append({"method": self.command, "target": self.path, **dict(self.headers.items())})
        if self.command == "HEAD":
            self._plain_head(len(shelf.body))
            return
        manner = shelf.manners.pop(0) if len(shelf.manners) > 1 else shelf.manners[0]
        if manner.status != 200:
            self._refuse(manner)
            return
        self._send(manner, shelf.body if manner.body is None else manner.body)

    def _plain_head(self, length: int) -> None:
        self.send_response(200)
        self.send_header("Content-Length", str(length))
        self.end_headers()

    def _refuse(self, manner: Manner) -> None:
        self.send_response(manner.status)
        for name, value in manner.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send(self, manner: Manner, body: bytes) -> None:
        asked = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        start = int(asked[1]) if asked and manner.ranges else 0
        if start:
            self.send_response(206)
            span = manner.content_range or f"bytes {start}-{len(body) - 1}/{len(body)}"
            self.send_header("Content-Range", span)
        else:
            self.send_response(200)
        if manner.tells_length and not manner.endless:
            self.send_header("Content-Length", str(len(body) - start))
        self.close_connection = manner.endless or not manner.tells_length
        self.end_headers()
        try:
            self._body(manner, body[start:])
        except OSError:  # whoever asked has gone
            self.close_connection = True

    def _body(self, manner: Manner, body: bytes) -> None:
        if manner.endless:
            for block in _without_end(body):
                self.wfile.write(block)
        elif manner.drop_after is not None:
            self.wfile.write(body[: manner.drop_after])
            self.connection.shutdown(socket.SHUT_RDWR)
            self.close_connection = True
        elif manner.stall_after is not None:
            self.wfile.write(body[: manner.stall_after])
            self.server.index.closing.wait()
            self.close_connection = True
        else:
            self.wfile.write(body)


def _without_end(body: bytes) -> Iterator[bytes]:
    while True:
        yield body


@contextmanager
def alone() -> Iterator[StandInIndex]:
    """A stand-in that all processes started inside fetch from, whatever pip is set to on this computer."""
    with StandInIndex() as stand_in, pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
            patch.delenv(name)
        patch.setenv("PIP_CONFIG_FILE", os.devnull)
        patch.setenv("PIP_INDEX_URL", stand_in.simple)
        patch.setenv("PIP_RETRIES", "0")
        patch.setenv("PIP_TIMEOUT", "2")
        yield stand_in
