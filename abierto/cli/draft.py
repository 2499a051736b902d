"""The end of a terminal's output that is redrawn in place until it is kept.

It knows lines and the size of the terminal, nothing of what the lines say.
"""

import os
import re
from typing import NamedTuple, TextIO

# Control characters (C0 but line feed and tab, DEL, C1) and those that turn the direction of writing around.
_HARMFUL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_WRAP_OFF, _WRAP_ON = "\x1b[?7l", "\x1b[?7h"
# What an old encoding can show in place of the signs that Markdown is drawn with.
_PLAIN = str.maketrans({"•": "*", "▌": "|", "─": "-", "━": "-", "│": "|", "…": "."})


def harmless(text: str) -> str:
    """The text without the characters by which it could command a terminal; only line feeds and tabs stay."""
    return _HARMFUL.sub("", text.replace("\u2028", "\n").replace("\u2029", "\n"))


def encodable(text: str, file: TextIO) -> str:
    """The text with what the file's encoding lacks replaced."""
    encoding = file.encoding or "utf-8"
    if encoding.lower().replace("-", "") != "utf8":
        text = text.translate(_PLAIN)
    return text.encode(encoding, "replace").decode(encoding)


class Line(NamedTuple):
    """A line with its colour codes, and how many columns it takes."""

    text: str
    width: int


class Draft:
    """The lines below all that is kept. Between two calls the cursor is at their end."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._drawn: list[Line] = []
        self._columns = self.size()[0]

    def size(self) -> tuple[int, int]:
        """Columns and rows of the terminal now."""
        try:
            columns, rows = os.get_terminal_size(self._file.fileno())
        except (OSError, ValueError):
            columns, rows = 80, 24
        return columns or 80, rows or 24

    def write(self, kept: list[Line], draft: list[Line]) -> None:
        """Put `kept` where the draft was, for good, and a new draft below; of a long one only the last lines."""
        columns, rows = self.size()
        draft = draft[-max(1, rows - 1) :]
        same = 0 if kept or columns != self._columns else _same(self._drawn, draft)
        if draft and same == len(self._drawn) == len(draft):
            return
        # Rows that stay need not be drawn again, but the cursor has to end on the last one.
        same = min(same, max(0, len(draft) - 1))
        text = self._to_row(same, columns) + "".join(line.text + "\n" for line in kept)
        if draft:
            # A line that is wider than it was counted must not flow over: the rows above would move.
            text += _WRAP_OFF + "\n".join(line.text for line in draft[same:]) + _WRAP_ON
        self._drawn, self._columns = draft, columns
        if text:
            self._file.write(encodable(text, self._file))
            self._file.flush()

    def _to_row(self, row: int, columns: int) -> str:
        """The codes that go from the end of the draft to the beginning of one of its rows and erase from there."""
        if not self._drawn:
            return ""
        if row == len(self._drawn):
            return "\n"
        below = self._drawn[row:]
        # A terminal that became narrower has broken the rows; the cursor went down with the text.
        up = sum(max(1, -(-line.width // columns)) if columns < self._columns else 1 for line in below) - 1
        # Never erase the whole screen at once, from its first column and row: some terminals save it in their history.
        return "\r" + (f"\x1b[{up}A\x1b[B\x1b[J\x1b[A" if up else "") + "\x1b[K"


def _same(old: list[Line], new: list[Line]) -> int:
    pairs = zip(old, new, strict=False)
    return next((row for row, (one, other) in enumerate(pairs) if one != other), min(len(old), len(new)))
