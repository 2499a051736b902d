"""Where the server listens."""

import asyncio
import socket
from contextlib import closing

import pytest

from abierto.errors import AddressInUse
from abierto.server.serve import listen


def test_small_pieces_are_sent_at_once() -> None:
    """Without TCP_NODELAY each small answer would wait for the client's acknowledgement, which takes 40 ms."""

    async def accepted_without_delay(listener: socket.socket) -> bool:
        loop, seen = asyncio.get_running_loop(), asyncio.get_running_loop().create_future()

        class Once(asyncio.Protocol):
            def connection_made(self, transport: asyncio.BaseTransport) -> None:
                made = transport.get_extra_info("socket")
                seen.set_result(bool(made.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)))
                transport.close()

        server = await loop.create_server(Once, sock=listener)
        with socket.create_connection(listener.getsockname()):
            found: bool = await seen
        server.close()
        return found

    with closing(listen("127.0.0.1", 0)) as listener:
        assert asyncio.run(accepted_without_delay(listener))


def test_an_address_that_is_taken() -> None:
    with closing(listen("127.0.0.1", 0)) as first, pytest.raises(AddressInUse):
        listen("127.0.0.1", first.getsockname()[1])
