"""A connection to a client: uvicorn's, with an end to its patience.

uvicorn waits for ever for a client that connects and sends nothing, sends its headers byte by byte, or never takes what
it is sent, and keeps headers of any length. It knows nothing of what is asked; that a body takes too long to arrive is
told by `app`, in the words of the client's dialect.
"""

from asyncio import TimerHandle, Transport
from typing import Any

from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from abierto.server.limits import MAX_HEAD


class Connection(HttpToolsProtocol):
    """patience: seconds."""

    patience = 30.0

    def connection_made(self, transport: Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        self._late: TimerHandle | None = None
        self._stuck: TimerHandle | None = None
        self._head = 0
        self._in_head, self._whole, self._too_large = True, True, False
        self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        """See `asyncio.Protocol`."""
        self._calm()
        self._flows()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """See `asyncio.Protocol`."""
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        # A head that is whole is measured where it ends. This is one of which the end has not come yet.
        self._head += len(data)
        if self._head > MAX_HEAD:
            self._refuse(431)
        elif self._late is None:
            self._hurry()

    def on_message_begin(self) -> None:
        """See `httptools.HttpRequestParser`."""
        self._head, self._in_head, self._whole = 0, True, False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        """See `httptools.HttpRequestParser`."""
        self._in_head = False
        self._calm()
        if len(self.url) + sum(len(name) + len(value) for name, value in self.headers) > MAX_HEAD:
            self._too_large = True
            raise ValueError("the head is too large")  # the parser makes a bad request of it
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """See `httptools.HttpRequestParser`."""
        self._whole = True
        self._calm()
        super().on_message_complete()
        if self.cycle.response_complete:
            # It was answered before its body was there, as one that is refused. Now it is like any other again.
            self.timeout_keep_alive_task = self.loop.call_later(
                self.timeout_keep_alive, self.timeout_keep_alive_handler
            )

    def on_response_complete(self) -> None:
        """See `HttpToolsProtocol`."""
        super().on_response_complete()
        if not self._whole and not self.transport.is_closing():
            # Closing now would throw away what was answered while the client still sends; but not for ever.
            self._hurry()

    def send_400_response(self, msg: str) -> None:
        """See `HttpToolsProtocol`."""
        self._refuse(431 if self._too_large else 400)

    def timeout_keep_alive_handler(self) -> None:
        """See `HttpToolsProtocol`."""
        self._leave()

    def pause_writing(self) -> None:
        """See `asyncio.Protocol`."""
        super().pause_writing()
        self._stuck = self.loop.call_later(self.patience, self.transport.abort)

    def resume_writing(self) -> None:
        """See `asyncio.Protocol`."""
        self._flows()
        super().resume_writing()

    def _hurry(self) -> None:
        self._calm()
        self._late = self.loop.call_later(self.patience, self._give_up)

    def _calm(self) -> None:
        if self._late:
            self._late.cancel()
            self._late = None

    def _flows(self) -> None:
        if self._stuck:
            self._stuck.cancel()
            self._stuck = None

    def _give_up(self) -> None:
        if self._in_head and self._head and not self.transport.is_closing():
            self._refuse(408)
        else:
            self._leave()

    def _refuse(self, status: int) -> None:
        """An answer to what has not become a request."""
        if getattr(self.cycle, "response_complete", True):  # else it would come in the middle of an answer
            head = STATUS_LINE[status] + b"content-length: 0\r\nconnection: close\r\n\r\n"
            self.transport.write(head)
        self.transport.close()

    def _leave(self) -> None:
        """Close, and do not wait until a client takes what it has not taken so far."""
        if self.transport.get_write_buffer_size():
            self.transport.abort()
        else:
            self.transport.close()


def patient_for(seconds: float) -> type[Any]:
    """The kind of connections that wait so long."""
    return type("PatientConnection", (Connection,), {"patience": seconds})
