"""Starts the server: the port, the dialects, the end."""

import socket
from collections.abc import Callable

from abierto.config import Settings
from abierto.errors import AddressInUse
from abierto.runtime.residents import Residents
from abierto.server import openai
from abierto.server.app import App
from abierto.server.state import State


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until somebody stops it. ready: called with the address when requests are taken.

    Raises AddressInUse.
    """
    import uvicorn

    listener = listen(settings.host, settings.port)
    state = State(settings, Residents(settings))
    application = App(state, [openai.dialect()])
    options = uvicorn.Config(
        application,
        lifespan="off",
        log_config=None,
        access_log=False,
        http="httptools",
        loop="asyncio",
        server_header=False,
        timeout_graceful_shutdown=5,
    )
    host, port = listener.getsockname()[:2]
    try:
        ready(f"http://{f'[{host}]' if ':' in host else host}:{port}")
        uvicorn.Server(options).run(sockets=[listener])
    finally:
        state.close()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises AddressInUse."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise AddressInUse(f"{host}:{port}", str(error)) from error
