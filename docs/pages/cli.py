"""The page of the command line: the help of every command, and the commands inside a conversation."""

import os
import subprocess
import sys
import tempfile

from abierto.cli import COMMANDS
from abierto.cli.conversation.settings import NAMES
from abierto.cli.conversation.slash import COMMANDS as SLASH_COMMANDS
from docs.pages.words import Words, fenced, join, table

_WIDTH = "88"
# The command line takes its language when it starts, so each language has a process of its own; one is enough for all.
_HELPS = """
from abierto.cli import COMMANDS, run
for name in ("", *COMMANDS):
    assert run([*filter(None, [name]), "--help"]) == 0, name
    print(end="\\0")
"""


def page(words: Words) -> str:
    """The Markdown of the page."""
    with tempfile.TemporaryDirectory() as empty:
        told = helps(words.language, empty)
    return join(
        f"# {words('cli', 'title')}",
        words("cli", "introduction"),
        *(f"## `{' '.join(('abierto', name)).rstrip()}`\n\n{fenced(text)}" for name, text in told.items()),
        f"## {words('cli', 'slash_title')}",
        words("cli", "slash_introduction"),
        _slash_commands(words),
        words("cli", "set").format(names=", ".join(f"`{name}`" for name in NAMES)),
    )


def helps(language: str, home: str) -> dict[str, str]:
    """What `abierto COMMAND --help` says, by command; that of `abierto --help` comes first, under ""."""
    environment = {**os.environ, "ABIERTO_LANGUAGE": language, "ABIERTO_HOME": home, "COLUMNS": _WIDTH}
    arguments = [sys.executable, "-c", _HELPS]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, encoding="utf-8")
    return dict(zip(("", *COMMANDS), done.stdout.split("\0")[:-1], strict=True))


def _slash_commands(words: Words) -> str:
    rows = [(f"`{words.program(f'slash.{name}.form')}`", words.program(f"slash.{name}")) for name in SLASH_COMMANDS]
    return table([words("cli", "slash_command"), words("cli", "slash_meaning")], rows)
