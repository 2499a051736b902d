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


def page(words: Words) -> str:
    """The Markdown of the page."""
    with tempfile.TemporaryDirectory() as empty:
        # Each in a process of its own: the command line takes its language when it starts.
        helps = {name: _help(words.language, empty, name) for name in ("", *COMMANDS)}
    return join(
        f"# {words('cli', 'title')}",
        words("cli", "introduction"),
        *(f"## `{' '.join(('abierto', name)).rstrip()}`\n\n{fenced(text)}" for name, text in helps.items()),
        f"## {words('cli', 'slash_title')}",
        words("cli", "slash_introduction"),
        _slash_commands(words),
        words("cli", "set").format(names=", ".join(f"`{name}`" for name in NAMES)),
    )


def _help(language: str, home: str, command: str) -> str:
    environment = {**os.environ, "ABIERTO_LANGUAGE": language, "ABIERTO_HOME": home, "COLUMNS": _WIDTH}
    arguments = [sys.executable, "-m", "abierto", *filter(None, [command]), "--help"]
    done = subprocess.run(arguments, env=environment, capture_output=True, text=True, check=True, encoding="utf-8")
    return done.stdout


def _slash_commands(words: Words) -> str:
    rows = [(f"`{words.program(f'slash.{name}.form')}`", words.program(f"slash.{name}")) for name in SLASH_COMMANDS]
    return table([words("cli", "slash_command"), words("cli", "slash_meaning")], rows)
