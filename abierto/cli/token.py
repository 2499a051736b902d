"""`abierto token`: who may use the server."""

import click

from abierto import config
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import UsageFault
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.server.tokens import Tokens


@command("token")
@argument("action", type=click.Choice(["add", "list", "remove"]))
@argument("name", required=False)
@option("--per-minute", type=click.IntRange(1), metavar="N")
@option("--json", "as_json", is_flag=True)
def token(action: str, name: str | None, per_minute: int | None, as_json: bool) -> None:
    """Make, list and remove tokens."""
    tokens = Tokens(config.folders().data)
    if action == "list":
        _list(tokens, as_json)
    elif name is None:
        raise UsageFault("missing", {"name": text("argument.name").strip("[]")})
    elif action == "add":
        secret = tokens.add(name, per_minute or 0)
        out.note(text("token.added", name=name))
        out.say(secret)
    else:
        tokens.remove(name)
        out.note(text("token.removed", name=name))


def _list(tokens: Tokens, as_json: bool) -> None:
    found = tokens.all()
    if as_json:
        out.as_json([{"name": one.name, "per_minute": one.per_minute, "created": one.created} for one in found])
        return
    if not found:
        out.note(text("token.none"))
        return
    rows = [
        (one.name, count(one.per_minute) if one.per_minute else text("token.unlimited"), one.created[:10])
        for one in found
    ]
    out.table([text("token.name"), text("token.limit"), text("token.created")], rows)
