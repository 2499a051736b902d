"""`abierto key`: the keys for models on other computers. None is ever shown, or taken from an argument."""

import sys

import click

from abierto import config
from abierto.catalog.providers import Provider
from abierto.cli import out
from abierto.cli.words import argument, command
from abierto.errors import InvalidKey, KeyNotKept, UsageFault
from abierto.locale import text
from abierto.runtime import remotes
from abierto.store import keys


@command("key")
@argument("key_action", type=click.Choice(["add", "list", "remove"]))
@argument("provider", required=False)
def key(key_action: str, provider: str | None) -> None:
    """Keep a key, tell which are there, or forget one."""
    if key_action == "list":
        _list()
        return
    if provider is None:
        raise UsageFault("missing", {"name": text("argument.provider").strip("[]")})
    found, folder = remotes.provider(provider), config.folders().config
    if key_action == "add":
        place = keys.add(folder, found.name, _asked(found))
        out.say(text("key.kept", provider=found.name, place=_place(place)))
    elif keys.remove(folder, found.name):
        out.say(text("key.removed", provider=found.name))
    else:
        raise KeyNotKept(found.name)


def _list() -> None:
    """Every provider, where its key is, and where its words go."""
    folder = config.folders().config
    rows = []
    for provider in remotes.providers().values():
        place = keys.place(folder, provider.name)
        where = text("key.variable", variable=provider.variable) if config.secret(provider.variable) else _place(place)
        rows.append((provider.name, where, provider.address))
    out.table([text(f"key.{column}") for column in ("provider", "key", "address")], rows)


def _place(place: str) -> str:
    match place:
        case "file":
            return text("key.in_file", path=config.folders().config / keys.FILE_NAME)
        case "keyring":
            return text("key.in_keyring")
        case _:
            return text("word.none")


def _asked(provider: Provider) -> str:
    """The key, typed without being shown, or from a pipe. Raises InvalidKey."""
    if out.is_terminal(sys.stdin):
        from getpass import getpass

        out.note(text("key.make", url=provider.keys) if provider.keys else text("key.own", host=provider.host))
        given = getpass(f"{text('key.ask', provider=provider.name)} ", sys.stderr)
    else:
        given = sys.stdin.readline(keys.LONGEST_KEY + 2)
    given = given.strip()
    if not keys.sound(given):
        raise InvalidKey(provider.name)
    return given
