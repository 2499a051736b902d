"""Writes what ran into the journal now and then, and at the end. Nobody who waits for an answer waits for that."""

import threading
from contextlib import suppress

from abierto.errors import JournalUnavailable
from abierto.runtime.model import write_runs

PAUSE = 2.0  # seconds


class Recorder:
    """A thread of its own. Close it."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Write the last of it."""
        self._ended.set()
        self._thread.join()
        _write()

    def _work(self) -> None:
        while not self._ended.wait(PAUSE):
            _write()


def _write() -> None:
    with suppress(JournalUnavailable):  # the numbers are dropped; the doctor says what is wrong with the journal
        write_runs()
