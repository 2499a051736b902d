"""A terminal for tests: a pseudo-terminal with a program or this process in it, and a screen that shows what it wrote.

The screen understands what our output and prompt_toolkit's consist of; any other escape sequence is an error.
"""

import codecs
import fcntl
import os
import re
import sqlite3
import struct
import sys
import termios
import threading
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from types import TracebackType
from typing import TextIO

import pexpect

SEQUENCE = re.compile(r"\x1b\[([?>]?)([\d;]*)([A-Za-z])|\x1b([()][A-Z0-9]|[=>78])")
# Modes and colours that change no text: cursor shape and blinking, bracketed paste, application keys.
SILENT_MODES = {"1", "12", "25", "2004"}
PATIENCE = 30


class Screen:
    """What a terminal of this size shows, and what has scrolled away. `raw` is all that was written to it."""

    def __init__(self, columns: int = 80, rows: int = 24) -> None:
        self.columns, self.rows = columns, rows
        self.raw = ""
        self.lines: list[list[str]] = [[]]
        self.top = self.row = self.column = 0
        self._wraps = True
        self._waiting = ""
        self._changed = threading.Condition()

    @property
    def text(self) -> str:
        """All lines from the first, without the blanks at their ends."""
        return "\n".join("".join(line).rstrip() for line in self.lines).rstrip("\n")

    def wait_until(self, condition: Callable[["Screen"], bool]) -> None:
        """Wait until another thread has written what is waited for."""
        with self._changed:
            assert self._changed.wait_for(lambda: condition(self), PATIENCE), self.text

    def write(self, text: str) -> None:
        """Show what a program writes."""
        with self._changed:
            self._write(text)
            self._changed.notify_all()

    def _write(self, text: str) -> None:
        self.raw += text
        text, self._waiting = self._waiting + text, ""
        position = 0
        while position < len(text):
            if text[position] != "\x1b":
                self._put(text[position])
                position += 1
                continue
            found = SEQUENCE.match(text, position)
            if found is None:
                self._waiting = text[position:]
                assert len(self._waiting) < 16, f"unknown escape sequence {self._waiting!r}"
                return
            self._obey(found)
            position = found.end()

    def resize(self, columns: int) -> None:
        """Become narrower, and break long lines anew, as most terminals do."""
        lines: list[list[str]] = []
        for number, line in enumerate(self.lines):
            parts = [line[start : start + columns] for start in range(0, max(1, len(line)), columns)]
            if number == self.row:
                self.row, self.column = len(lines) + self.column // columns, self.column % columns
            lines += parts
        self.lines, self.columns = lines, columns
        self.top = max(0, len(lines) - self.rows)

    def _put(self, char: str) -> None:
        if char == "\r":
            self.column = 0
        elif char == "\n":
            self._down()
        elif char == "\b":
            self.column = max(0, self.column - 1)
        elif char == "\t":
            self.column = min(self.columns - 1, self.column // 8 * 8 + 8)
        elif char != "\x07":
            assert char >= " ", f"control character {char!r}"
            self._letter(char)

    def _letter(self, char: str) -> None:
        if unicodedata.combining(char):
            return
        wide = unicodedata.east_asian_width(char) in "WF"
        if self.column + 1 + wide > self.columns:
            if self._wraps:
                self.column = 0
                self._down()
            else:
                self.column = self.columns - 1 - wide
        line = self.lines[self.row]
        line += [" "] * (self.column + 1 + wide - len(line))
        line[self.column] = char
        if wide:
            line[self.column + 1] = ""
        self.column += 1 + wide

    def _down(self) -> None:
        self.row += 1
        if self.row == len(self.lines):
            self.lines.append([])
        self.top = max(self.top, self.row - self.rows + 1)

    def _obey(self, found: re.Match[str]) -> None:
        private, numbers, letter, other = found.groups()
        if other or letter in "mt":
            return
        if private:
            self._mode(numbers, letter)
            return
        number = int(numbers or 0)
        self._cursor(letter, number)

    def _mode(self, number: str, letter: str) -> None:
        if number == "7":
            self._wraps = letter == "h"
        else:
            assert number in SILENT_MODES, f"unknown mode {number}"

    def _cursor(self, letter: str, number: int) -> None:
        if letter == "A":
            self.row = max(self.top, self.row - (number or 1))
        elif letter == "B":
            self.row = min(self.row + (number or 1), len(self.lines) - 1)
        elif letter == "C":
            self.column = min(self.column + (number or 1), self.columns - 1)
        elif letter == "D":
            self.column = max(0, min(self.column, self.columns - 1) - (number or 1))
        elif letter in "JK":
            assert number == 0, f"unknown erasing {number}"
            del self.lines[self.row][self.column :]
            if letter == "J":
                del self.lines[self.row + 1 :]
        else:
            raise AssertionError(f"unknown sequence {number}{letter}")


@contextmanager
def own_terminal(columns: int = 80, rows: int = 24, encoding: str = "utf-8") -> Iterator[tuple[TextIO, "Screen"]]:
    """A terminal that this process writes to. What was written is on the screen when the block ends."""
    master, slave = os.openpty()
    set_size(slave, columns, rows)
    screen = Screen(columns, rows)
    reader = threading.Thread(target=_show, args=(master, screen, encoding))
    reader.start()
    try:
        with os.fdopen(slave, "w", encoding=encoding) as file:
            yield file, screen
    finally:
        reader.join()
        os.close(master)


def set_size(descriptor: int, columns: int, rows: int) -> None:
    """Give a terminal another size."""
    fcntl.ioctl(descriptor, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def _show(master: int, screen: Screen, encoding: str) -> None:
    decode = codecs.getincrementaldecoder(encoding)().decode
    while True:
        try:
            screen.write(decode(os.read(master, 65536)))
        except OSError:  # the other side is closed
            return


class Program:
    """`python -m abierto ...` in a terminal."""

    def __init__(
        self,
        *arguments: str,
        home: Path,
        columns: int = 80,
        rows: int = 24,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ABIERTO_", "NO_COLOR"))}
        fixed = {"ABIERTO_HOME": str(home), "TERM": "xterm-256color", "LANG": "C.UTF-8", "ABIERTO_LANGUAGE": "en"}
        # Nobody here answers the question where the cursor is.
        fixed["PROMPT_TOOLKIT_NO_CPR"] = "1"
        self.screen = Screen(columns, rows)
        self._decode = codecs.getincrementaldecoder("utf-8")().decode
        self.child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable,
            ["-m", "abierto", *arguments],
            env={**kept, **fixed, **(environment or {})},
            dimensions=(rows, columns),
            timeout=PATIENCE,
        )
        # Keys are not sent before the program waits for them; pexpect's own pause is not needed.
        self.child.delaybeforesend = None

    def __enter__(self) -> "Program":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.child.close(force=True)

    @property
    def pid(self) -> int:
        """The process that runs the conversation."""
        assert self.child.pid
        return self.child.pid

    def read(self) -> bool:
        """Show some of what the program writes. Returns False when it has ended."""
        try:
            piece = self.child.read_nonblocking(4096, PATIENCE)
        except pexpect.EOF:
            return False
        self.screen.write(self._decode(piece))
        return True

    def wait(self, condition: Callable[[Screen], bool]) -> None:
        """Read until the screen is as it should be."""
        while not condition(self.screen):
            try:
                assert self.read(), f"it ended with this on the screen:\n{self.screen.text}"
            except pexpect.TIMEOUT:
                raise AssertionError(f"this stayed on the screen:\n{self.screen.text}") from None

    def wait_for(self, text: str) -> None:
        """Read until the text is on the screen, whatever the width at which it was broken."""
        self.wait(lambda screen: flat(text) in flat(screen.text))

    def ready(self) -> None:
        """Read until the program waits for a line."""
        self.wait(lambda screen: _cursor_row(screen) == ">")

    def say(self, line: str) -> str:
        """Type a line, wait until the next one is wanted, and return what is on the screen from the typed line on."""
        self.ready()
        start = self.screen.row
        self.type(line)
        self.wait(lambda screen: _cursor_row(screen) != ">")
        self.type("\r")
        self.ready()
        return "\n".join("".join(row).rstrip() for row in self.screen.lines[start : self.screen.row])

    def type(self, keys: str) -> None:
        """Press keys."""
        self.child.send(keys)

    def end(self) -> int | None:
        """Read until the program ends, and return its exit status."""
        while self.read():
            pass
        self.child.close()
        status: int | None = self.child.exitstatus
        return status


def _cursor_row(screen: Screen) -> str:
    return "".join(screen.lines[screen.row]).rstrip()


def echo(home: Path, *options: str, columns: int = 80, rows: int = 24, **environment: str) -> Program:
    """A conversation with the echo engine."""
    return Program("chat", "--model", "echo", *options, home=home, columns=columns, rows=rows, environment=environment)


def messages(home: Path) -> list[str]:
    """The messages of all kept conversations, as the database holds them."""
    with closing(sqlite3.connect(home / "data" / "journal.db")) as database:
        return [row[0] for row in database.execute("SELECT messages FROM conversations ORDER BY id")]


def flat_line(text: str) -> str:
    """The text in one line, whatever the width at which it was broken."""
    return " ".join(text.split())


def flat(text: str) -> str:
    """The text without the line ends and blanks that the width of a terminal decides on."""
    return re.sub(r"\s+", "", text)
