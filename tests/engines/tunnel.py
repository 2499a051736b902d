"""A proxy that passes on what it is asked to connect to, and remembers all that it could read."""

import socket
import threading
from contextlib import suppress
from types import TracebackType


class Tunnel:
    """heads: the requests to connect. passed: the bytes that went through, from both sides."""

    def __init__(self) -> None:
        self.heads: list[bytes] = []
        self.passed: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._open: list[socket.socket] = []
        self._threads = [threading.Thread(target=self._accept, daemon=True)]

    def __enter__(self) -> "Tunnel":
        self._threads[0].start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                head = b""
                while not head.endswith(b"\r\n\r\n"):
                    head += client.recv(1)
                self.heads.append(head)
                host, _, port = head.split()[1].decode().rpartition(":")
                target = socket.create_connection((host, int(port)))
                client.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._open += [client, target]
                for pair in ((client, target), (target, client)):
                    thread = threading.Thread(target=self._pump, args=pair, daemon=True)
                    self._threads.append(thread)
                    thread.start()

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(65536):
                self.passed.append(piece)
                sink.sendall(piece)
            sink.shutdown(socket.SHUT_WR)
