"""Names with their texts, in two columns or below each other."""

import shutil
import textwrap
from collections.abc import Sequence

from abierto.cli import out
from abierto.cli.draft import harmless

# Below this width only a short name shares a line with its text.
NARROW = 50
SHORT = 4


def show(rows: Sequence[tuple[str, str]]) -> None:
    """Names and texts in two columns, in a narrow terminal below each other."""
    columns = _columns()
    clean = [(_one_line(name), _one_line(told)) for name, told in rows]
    left = min(max((len(name) for name, _ in clean), default=0) + 2, columns // 2)
    for name, told in clean:
        beside = len(name) < left and (columns >= NARROW or left <= SHORT)
        if not beside:
            out.say(name)
        start = name.ljust(left) if beside else "  "
        for line in _broken(told, start, left if beside else 2):
            out.say(line)


def _broken(told: str, start: str = "", indent: int = 0) -> list[str]:
    wrapper = textwrap.TextWrapper(max(_columns(), indent + 8), start, " " * indent)
    # Paths and commands stay whole, so that they can be copied.
    wrapper.break_long_words = wrapper.break_on_hyphens = False
    return [line for part in harmless(told).split("\n") for line in wrapper.wrap(part) or [start.rstrip()]]


def _columns() -> int:
    return shutil.get_terminal_size().columns


def _one_line(told: str) -> str:
    return " ".join(harmless(told).split())
