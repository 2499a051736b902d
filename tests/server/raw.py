"""A client that does with its connection what no library would: half a request, a byte now and then, no reading."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from tests.server.conftest import PATIENCE, Served


def connect(server: Served) -> socket.socket:
    """A connection. To be closed."""
    return socket.create_connection(place(server), timeout=PATIENCE)


def place(server: Served) -> tuple[str, int]:
    """Host and port."""
    where = urlsplit(server.address)
    assert where.hostname
    assert where.port
    return where.hostname, where.port


def request(path: str, body: Any, *, length: int | None = None, token: str = "none") -> bytes:
    """A whole POST; length: what Content-Length says in place of the truth."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nX-Api-Key: {token}\r\n"
    return f"{head}Content-Length: {length or len(content)}\r\n\r\n".encode() + content


def until_closed(connection: socket.socket) -> bytes:
    """All that comes until the server closes the connection."""
    pieces: list[bytes] = []
    with closing(connection):
        while True:
            try:
                piece = connection.recv(65536)
            except ConnectionResetError:
                break
            if not piece:
                break
            pieces.append(piece)
    return b"".join(pieces)


def written(server: Served) -> Iterator[dict[str, Any]]:
    """The lines of the log from its first one on, each as soon as it is written: an answer is sent before its line."""
    command = [sys.executable, "-m", "abierto", "logs", "--follow", "--json", "--lines", "1000"]
    environment = {**os.environ, "ABIERTO_HOME": str(server.home)}
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as following:
        assert following.stdout
        try:
            for line in following.stdout:
                yield json.loads(line)
        finally:
            following.terminate()


def logged(server: Served, name: str) -> dict[str, Any]:
    """The first line of the log of a request with the token of this name. Waits for it."""
    return next(entry for entry in written(server) if entry.get("token") == name)
