"""`abierto serve`: the models of this computer for every program that speaks to one."""

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
def serve(host: str | None, port: int | None, keep_alive: int | None, users: int | None) -> None:
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
        run(settings, lambda address: out.note(text("serve.ready", address=address)))
