"""The keyboard while an answer is written: Ctrl-C stops the answer, other keys wait for the next line."""

import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from abierto.tasks.events import Event


class Stop:
    """In a `with` block, Ctrl-C ends the iteration over `events`, between two of them and never while one is drawn."""

    def __init__(self) -> None:
        self.pressed = False
        self._waiting = False

    def __enter__(self) -> "Stop":
        self._before = signal.signal(signal.SIGINT, self._press)
        return self

    def __exit__(self, *_: object) -> None:
        # None: the handler that was there was not set by Python, and cannot be set by it.
        if self._before is not None:
            signal.signal(signal.SIGINT, self._before)

    def events(self, source: Iterator[Event]) -> Iterator[Event]:
        """The events until the last one, or until Ctrl-C."""
        try:
            while not self.pressed:
                event = self._next(source)
                if event is None:
                    return
                yield event
        finally:
            # Generators cancel the work when they are closed; any other iterator has nothing to cancel.
            close = getattr(source, "close", None)
            if close:
                close()

    def _next(self, source: Iterator[Event]) -> Event | None:
        try:
            self._waiting = True
            return next(source, None)
        except KeyboardInterrupt:
            return None
        finally:
            self._waiting = False

    def _press(self, _number: int, _frame: FrameType | None) -> None:
        first, self.pressed = not self.pressed, True
        if self._waiting and first:
            raise KeyboardInterrupt


@contextmanager
def silent_keys() -> Iterator[None]:
    """Show no keys that are pressed in this block: they would land in the middle of the answer."""
    if sys.platform == "win32" or not sys.stdin.isatty():
        yield
        return
    import termios

    before = termios.tcgetattr(sys.stdin)
    quiet = termios.tcgetattr(sys.stdin)
    # NOFLSH: Ctrl-C throws away nothing that was typed ahead.
    quiet[3] = quiet[3] & ~termios.ECHO | termios.NOFLSH
    try:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, quiet)
        yield
    finally:
        termios.tcsetattr(sys.stdin, termios.TCSADRAIN, before)
