"""Starts the server: the port, the dialects, the end."""

import logging
import os
import secrets
import socket
import sys
from collections.abc import Callable
from contextlib import suppress

from abierto import config
from abierto.config import Settings
from abierto.errors import AddressInUse, TokensNeeded
from abierto.runtime import preferred, serving
from abierto.runtime.residents import Residents
from abierto.server import administration, anthropic, ollama, openai, pages
from abierto.server.app import App
from abierto.server.exchange import Dialect
from abierto.server.guard import is_loopback
from abierto.server.log import Faults, Log
from abierto.server.recorder import Recorder
from abierto.server.state import State
from abierto.server.tokens import Tokens

SWITCH = 0.0005  # seconds; Python's own is ten times as long
# Connections that wait to be taken. All of them are taken at once, and each costs some 20 kB until it is looked at.
BACKLOG = 256
# Seconds. Longer than clients keep a connection that they do not use: none is closed just when it is taken up again.
KEEP_ALIVE = 75
MOST_FILES = 65_536


def serve(settings: Settings, ready: Callable[[str], None]) -> None:
    """Serve until somebody stops it. ready: called with the address when requests are taken.

    Raises TokensNeeded, AddressInUse, ServerRunning.
    """
    if not is_loopback(settings.host) and not Tokens(config.folders().data).all():
        raise TokensNeeded(settings.host)
    with serving.alone():
        _serve(settings, ready)


def _serve(settings: Settings, ready: Callable[[str], None]) -> None:
    import uvicorn

    from abierto.server.connection import patient_for

    def end() -> None:
        server.should_exit = True

    _allow_many_connections()
    # A thread that computes for long, above all the one that writes the journal, gives way to requests after this.
    sys.setswitchinterval(SWITCH)
    listener = listen(settings.host, settings.port)
    residents = Residents(settings)
    residents.engines.update(preferred.read())
    state = State(settings, residents, secrets.token_urlsafe(32), end)
    recorder = Recorder()
    log = Log(config.folders().logs)
    application = App(state, [*dialects(), pages.dialect()], log)
    options = uvicorn.Config(
        application,
        backlog=BACKLOG,
        lifespan="off",
        log_config=None,
        access_log=False,
        http=patient_for(settings.client_seconds),
        ws="none",
        loop="asyncio",
        server_header=False,
        proxy_headers=False,  # who asks is not for a header to say
        timeout_keep_alive=KEEP_ALIVE,
        timeout_graceful_shutdown=5,
    )
    complaints = logging.getLogger("uvicorn.error")
    complaints.addHandler(Faults(log))
    complaints.propagate = False
    server = uvicorn.Server(options)
    host, port = listener.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    try:
        serving.announce(address, state.key)
        ready(address)
        server.run(sockets=[listener])
    finally:
        state.close()
        recorder.close()
        log.close()


def dialects() -> list[Dialect]:
    """All that the server speaks."""
    others = [anthropic.dialect(), ollama.dialect(), openai.dialect()]
    return [*others, administration.dialect(others)]


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


def _allow_many_connections() -> None:
    """Each connection is an open file, and many systems begin with few of these."""
    if sys.platform == "win32":
        return
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):  # macOS promises more than it allows
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
