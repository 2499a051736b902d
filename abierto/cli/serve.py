"""`abierto serve`: the models of this computer for every program that speaks to one."""

import sys
import threading
import webbrowser
from contextlib import suppress
from dataclasses import replace

import click

from abierto import config
from abierto.cli import out
from abierto.cli.words import command, option
from abierto.locale import text


@command("serve")
@option("--host", metavar="ADDRESS")
@option("--port", type=click.IntRange(0, 65535), metavar="PORT")
@option("--keep-alive", type=int, metavar="SECONDS")
@option("--users", type=click.IntRange(0), metavar="N")
@option("--open", "show", is_flag=True, says="open_browser")
def serve(host: str | None, port: int | None, keep_alive: int | None, users: int | None, show: bool) -> None:
    """Make the models here available to programs that speak OpenAI's, Anthropic's or Ollama's dialect."""
    from abierto.server.serve import serve as run

    settings = config.settings()
    settings = replace(
        settings,
        host=host or settings.host,
        port=settings.port if port is None else port,
        keep_alive=settings.keep_alive if keep_alive is None else keep_alive,
        users=settings.users if users is None else users,
    )
    with suppress(KeyboardInterrupt):  # that is how it is meant to end
        run(settings, lambda address: _ready(address, show))


def _ready(address: str, show: bool) -> None:
    out.note(text("serve.ready", address=address))
    if show and _has_screen():
        # A browser may take its time to start, and the server is not to wait for it.
        threading.Thread(target=webbrowser.open, args=(address,), daemon=True).start()


def _has_screen() -> bool:
    """Whether a page can be shown: without a screen a browser for terminals would take over this one."""
    return sys.platform in ("win32", "darwin") or config.has_display()
