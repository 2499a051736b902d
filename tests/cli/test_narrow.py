"""Twenty columns and no colour: everything can still be read."""

import os
from pathlib import Path

import pytest

from tests.cli.terminal import Program

pytestmark = pytest.mark.skipif(os.name != "posix", reason="Windows has no pseudo-terminals of this kind")


PLAIN = {"TERM": "dumb", "NO_COLOR": "1"}


def _screen(home: Path, *arguments: str) -> str:
    with Program(*arguments, home=home, columns=20, rows=300, environment=PLAIN) as program:
        assert program.end() == 0
        return program.screen.text


def test_a_row_is_shown_as_lines_below_each_other(home: Path) -> None:
    lines = _screen(home, "models", "--all").splitlines()
    assert "name: smollm2:135m" in lines
    assert "size: 98.4 MB" in lines


def test_help_and_answers_fit(home: Path) -> None:
    assert "Options:" in _screen(home, "chat", "--help")
    assert "one two three" in " ".join(_screen(home, "chat", "-m", "echo", "one two three").split())
