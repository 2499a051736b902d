"""Reads what a person types: with line editing where the terminal allows it, else line by line."""

import sys
from collections.abc import Callable

from abierto.cli import out
from abierto.cli.conversation.keyboard import CONTINUATION, PROMPT, Reader, unfinished, unquoted
from abierto.locale import text


def open_reader(
    history: Callable[[], list[str]], remember: Callable[[str], None], complete: Callable[[str], list[str]]
) -> Reader:
    """The best reader here. history: what was typed before, newest first; complete: what a line may become."""
    editor = None
    if out.is_terminal(sys.stdin) and out.is_terminal(sys.stdout):
        from abierto.cli.conversation.editor import open_editor

        editor = open_editor(history, remember, complete)
    return editor or LineReader(remember)


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
