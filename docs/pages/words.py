"""What the generated pages say beside what the program says, and how Markdown is written. It knows no page."""

import tomllib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from abierto import locale

LANGUAGES = locale.LANGUAGES


class Words:
    """The words of one language: ours from its TOML file, the program's from `abierto/locale`."""

    def __init__(self, language: str) -> None:
        self.language = language
        self._ours: dict[str, Any] = tomllib.loads(Path(__file__).with_name(f"{language}.toml").read_text("utf-8"))
        self._program = locale.sentences(language)

    def __call__(self, place: str, name: str) -> str:
        """A text of ours. Raises KeyError where one is missing, so that no page can be made without it."""
        text: str = self._ours[place][name]
        return text.strip()

    def program(self, key: str) -> str:
        """A sentence of the program, its placeholders as `{name}`."""
        return self._program[key].format_map(_Placeholders())

    def family(self, prefix: str) -> list[tuple[str, str]]:
        """The program's sentences under a prefix, by what follows it."""
        return [(key[len(prefix) :], self.program(key)) for key in self._program if key.startswith(prefix)]


class _Placeholders(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return f"{{{name}}}"


def join(*blocks: str) -> str:
    """A page: blocks with an empty line between them."""
    return "\n\n".join(block for block in blocks if block) + "\n"


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [headings, ["---"] * len(headings), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in row)} |" for row in lines)


def fenced(text: str, language: str = "text") -> str:
    """A block of code."""
    return f"```{language}\n{text.rstrip()}\n```"
