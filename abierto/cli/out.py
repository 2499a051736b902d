"""The one voice of the command line: data to standard output, everything else to standard error.

Nothing here depends on colour to be understood.
"""

import json
import shutil
import sys
import textwrap
from collections.abc import Iterable, Sequence
from typing import Any, TextIO

from abierto import config
from abierto.cli.draft import harmless
from abierto.errors import AbiertoError, NotConfirmed
from abierto.locale import tell, text

# Columns. Below this a terminal breaks lines itself.
NARROWEST = 16
# Columns. Below this a row of a table is shown as lines below each other.
TABLE_WIDTH = 60
RED, YELLOW, CYAN = "31", "33", "36"


def is_terminal(stream: TextIO) -> bool:
    """Whether a person reads this stream as it is written."""
    return stream.isatty()


def say(line: str = "") -> None:
    """A line of what was asked for."""
    _write(_folded(line, sys.stdout), sys.stdout)


def note(line: str) -> None:
    """A line beside what was asked for."""
    _write(_folded(line, sys.stderr), sys.stderr)


def error(problem: AbiertoError) -> None:
    """What happened, and what to do next."""
    what, next_step = tell(problem)
    _marked(text("word.error"), RED, what)
    _marked(text("word.hint"), CYAN, next_step)


def warn(problem: AbiertoError) -> None:
    """Something that went wrong and does not stop what was asked for."""
    _marked(text("word.note"), YELLOW, " ".join(tell(problem)))


def as_json(body: Any) -> None:
    """The one JSON document of a command that was called with --json."""
    _write(json.dumps(body, ensure_ascii=False, indent=2), sys.stdout)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """Rows in columns for a person; for a program, lines with tabs and without headings."""
    if not is_terminal(sys.stdout):
        for row in rows:
            say("\t".join(row))
        return
    if shutil.get_terminal_size().columns < TABLE_WIDTH:
        for row in rows:
            say("\n".join(f"{heading}: {cell}" for heading, cell in zip(headings, row, strict=True) if cell) + "\n")
        return
    from rich.console import Console
    from rich.table import Table

    drawn = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        drawn.add_row(*row)
    Console(highlight=False, markup=False).print(drawn)


def confirm(question: str, *, option: str) -> bool:
    """Ask for a yes. Raises NotConfirmed, which names the option that says yes, where nobody can answer."""
    if not (is_terminal(sys.stdin) and is_terminal(sys.stderr)):
        raise NotConfirmed(option)
    sys.stderr.write(f"{question} {text('word.yes_no')} ")
    sys.stderr.flush()
    answer = sys.stdin.readline().strip().lower()
    return answer in ("", "y", "yes", "s", "si", "sí")


def shortened(line: str) -> str:
    """A line that is drawn over again: never so long that the terminal breaks it, and without commands to it."""
    columns = max(shutil.get_terminal_size().columns, NARROWEST) - 1
    line = harmless(line)
    return line if len(line) <= columns else f"{line[: columns - 1]}…"


def _write(lines: str, stream: TextIO) -> None:
    stream.write(lines + "\n")
    stream.flush()


def _folded(text: str, stream: TextIO) -> str:
    """What a terminal gets: without characters that command it, broken between words. Paths stay whole."""
    if not is_terminal(stream):
        return text
    text = harmless(text)
    columns = max(shutil.get_terminal_size().columns, NARROWEST)
    lines = (
        textwrap.fill(line, columns, break_long_words=False, break_on_hyphens=False, replace_whitespace=False)
        for line in text.split("\n")
    )
    return "\n".join(lines)


def _marked(word: str, colour: str, sentence: str) -> None:
    line = _folded(f"{word}: {sentence}", sys.stderr)
    if is_terminal(sys.stderr) and config.wants_colour():
        line = f"\x1b[{colour}m{word}\x1b[0m{line[len(word) :]}"
    _write(line, sys.stderr)
