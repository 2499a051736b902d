"""A client that does with its connection what no library would: half a request, a byte now and then, no reading."""

import json
import socket
from contextlib import closing
from typing import Any
from urllib.parse import urlsplit

from tests.server.conftest import PATIENCE, Served


def connect(server: Served) -> socket.socket:
    """A connection. To be closed."""
    where = urlsplit(server.address)
    assert where.hostname
    return socket.create_connection((where.hostname, where.port or 80), timeout=PATIENCE)


def request(path: str, body: Any, *, length: int | None = None) -> bytes:
    """A whole POST; length: what Content-Length says in place of the truth."""
    content = json.dumps(body).encode()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
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
