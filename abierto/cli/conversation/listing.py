"""Lists of a name and what it stands for, readable in 20 columns too."""

import shutil
import textwrap
from collections.abc import Sequence

from abierto.cli import out
from abierto.cli.draft import harmless

# Below this width a name and its text share no line.
NARROW = 50


def show(rows: Sequence[tuple[str, str]]) -> None:
    """Show names and texts in two columns, in a narrow terminal below each other."""
    columns = shutil.get_terminal_size().columns
    clean = [(_one_line(name), _one_line(told)) for name, told in rows]
    left = min(max((len(name) for name, _ in clean), default=0) + 2, columns // 2)
    for name, told in clean:
        if columns < NARROW or len(name) >= left:
            out.say(name)
            _paragraph("", told, 2, columns)
        else:
            _paragraph(name.ljust(left), told, left, columns)


def _paragraph(first: str, told: str, indent: int, columns: int) -> None:
    start = first or " " * indent
    for line in textwrap.wrap(
        told, max(columns - 1, indent + 8), initial_indent=start, subsequent_indent=" " * indent
    ) or [first.rstrip()]:
        if line:
            out.say(line)


def _one_line(told: str) -> str:
    return " ".join(harmless(told).split())
