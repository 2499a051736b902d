"""Reads what a person types: with line editing where the terminal allows it, else line by line.

It knows when a message goes on over the next line, nothing of what messages mean.
"""

import sys
from collections.abc import Callable
from typing import Protocol

from abierto.cli import out
from abierto.locale import text

PROMPT = "> "
CONTINUATION = "  "
QUOTES = '"""'


class Reader(Protocol):
    """Where messages come from."""

    def message(self, draft: str) -> str:
        """The next message; `draft` is already typed. Raises EOFError, and KeyboardInterrupt on an empty line."""
        ...

    def choice(self, highest: int) -> int:
        """A number from 1 to `highest`, or 0 for none of them."""
        ...


def open_reader(
    lines: Callable[[], list[str]], remember: Callable[[str], None], complete: Callable[[str], list[str]]
) -> Reader:
    """The best reader for this terminal. lines: those typed before, newest first; complete: what a line may become."""
    editor = None
    if out.is_terminal(sys.stdin) and out.is_terminal(sys.stdout):
        from abierto.cli.conversation.editor import open_editor

        editor = open_editor(lines, remember, complete)
    return editor or LineReader(remember)


def unfinished(typed: str) -> bool:
    """Whether a block in triple quotes is still open."""
    return typed.lstrip().startswith(QUOTES) and typed.count(QUOTES) < 2


def unquoted(typed: str) -> str:
    """The message without the triple quotes around it and the empty lines at its ends."""
    inner = typed.strip()
    if inner.count(QUOTES) == 2 and inner.startswith(QUOTES) and inner.endswith(QUOTES):
        typed = inner.removeprefix(QUOTES).removesuffix(QUOTES)
    return typed.strip("\n").rstrip()


class LineReader:
    """Reads whole lines. A backslash at the end of a line, or triple quotes, make a message of several."""

    def __init__(self, remember: Callable[[str], None]) -> None:
        self._remember = remember

    def message(self, draft: str) -> str:
        """See `Reader`. The draft cannot be edited here: an empty line sends it."""
        if draft:
            out.note(text("chat.again", message=draft))
        typed = self._line(PROMPT)
        while typed.endswith("\\") or unfinished(typed):
            typed = typed.removesuffix("\\") + "\n" + self._line(CONTINUATION)
        if typed.strip():
            self._remember(typed)
        return unquoted(typed) or draft

    def choice(self, highest: int) -> int:
        """See `Reader`."""
        while True:
            try:
                typed = self._line(PROMPT).strip()
            except (EOFError, KeyboardInterrupt):
                return 0
            if typed.isdecimal() and 1 <= int(typed) <= highest:
                return int(typed)
            out.note(text("chat.choose", highest=highest))

    def _line(self, prompt: str) -> str:
        sys.stdout.write(prompt)
        sys.stdout.flush()
        line = sys.stdin.readline()
        if not line:
            out.say()
            raise EOFError
        return line.rstrip("\r\n")
