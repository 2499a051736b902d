"""Starts the server: the port, the dialects, the end."""

import os
import socket
from collections.abc import Callable

from abierto.config import Settings
from abierto.errors import AddressInUse
from abierto.runtime.residents import Residents
from abierto.server import anthropic, ollama, openai
from abierto.server.app import App
from abierto.server.state import State


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until somebody stops it. ready: called with the address when requests are taken.

    Raises AddressInUse.
    """
    import uvicorn

    listener = listen(settings.host, settings.port)
    state = State(settings, Residents(settings))
    application = App(state, [anthropic.dialect(), ollama.dialect(), openai.dialect()])
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
    # asyncio sends at once, and not in larger pieces later, only where the protocol is named (TCP_NODELAY).
    listener = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        if os.name == "posix":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(2048)
    except OSError as error:
        listener.close()
        raise AddressInUse(f"{host}:{port}", str(error)) from error
    return listener
