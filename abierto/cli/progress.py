"""How far a long work is: one line that is redrawn in a terminal, a line now and then elsewhere."""

import sys
from collections.abc import Callable
from time import monotonic
from types import TracebackType
from typing import Any

from abierto import config
from abierto.cli import out
from abierto.locale import text
from abierto.locale.numbers import duration, size

# Seconds over which the speed is averaged: short enough to follow a change, long enough not to jump.
WINDOW = 5.0
# Where nobody redraws: a line for each of these shares of the whole.
SHARE = 0.1


class ProgressLine:
    """Use it in a `with` block and call `update` for each step.

    words: how an amount is told, a size in bytes where nothing else is said; per_second: how a speed is, None for not.
    """

    def __init__(
        self,
        title: str,
        words: Callable[[int], str] = size,
        per_second: Callable[[float], str] | None = lambda speed: rate_of(speed),
    ) -> None:
        self._title, self._words, self._per_second = title, words, per_second
        self._stage = ""
        self._points: list[tuple[float, int]] = []
        self._told = 0.0
        self._live: Any = None

    def __enter__(self) -> "ProgressLine":
        if out.is_terminal(sys.stderr) and config.wants_colour():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True, highlight=False), refresh_per_second=10, transient=True)
            self._live.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._live.stop()

    def update(self, stage: str, done: int, total: int | None, resumed: int = 0) -> None:
        """Show a step. resumed: how much of it was there before, and says nothing about the speed."""
        if stage != self._stage:
            self._stage, self._points, self._told = stage, [], 0.0
        now = monotonic()
        self._points = [point for point in self._points if now - point[0] < WINDOW] or self._points[-1:]
        self._points.append((now, done))
        if self._live:
            self._live.update(self._drawn(done, total))
        elif total and (done / total >= self._told + SHARE or (done == total and self._told < 1)):
            self._told = done / total
            out.note(self._line(done, total, resumed))

    def _speed(self) -> float:
        (start, before), (end, after) = self._points[0], self._points[-1]
        return (after - before) / (end - start) if end > start else 0.0

    def _line(self, done: int, total: int | None, resumed: int) -> str:
        parts = [self._title, self._stage]
        if total:
            parts += [f"{100 * done // total} %", text("progress.of", done=self._words(done), total=self._words(total))]
        if resumed:
            parts.append(text("progress.resumed", size=size(resumed)))
        speed = self._speed()
        if speed and total and self._per_second:
            parts.append(self._per_second(speed))
        if speed and total:
            parts.append(text("progress.left", time=duration((total - done) / speed)))
        return "  ".join(filter(None, parts))

    def _drawn(self, done: int, total: int | None) -> Any:
        from rich.progress_bar import ProgressBar
        from rich.table import Table
        from rich.text import Text

        grid = Table.grid(padding=(0, 1))
        # Where there is little room, the bar gives way first, then the name.
        grid.add_column(no_wrap=True, overflow="ellipsis")
        grid.add_column(max_width=24)
        for _ in range(3):
            grid.add_column(no_wrap=True)
        bar = ProgressBar(total=total, completed=done) if total else Text("")
        speed = self._speed()
        told = self._words(done) if done else ""
        told = text("progress.of", done=self._words(done), total=self._words(total)) if total else told
        fast = self._per_second(speed) if speed and self._per_second else ""
        left = text("progress.left", time=duration((total - done) / speed)) if speed and total else ""
        grid.add_row(Text(f"{self._title} {self._stage}"), bar, Text(told), Text(fast), Text(left))
        return grid


def rate_of(bytes_per_second: float) -> str:
    """A speed of transfer."""
    return f"{size(bytes_per_second)}/s"
