"""Does now and then what nobody who waits for an answer shall wait for: writes what ran into the journal, and gives
free memory back to the system."""

import ctypes
import sys
import threading
from contextlib import suppress

from abierto.errors import JournalUnavailable
from abierto.runtime.model import write_runs

PAUSE = 2.0  # seconds
TRIMS = 15  # pauses between two times that memory is given back


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
        pauses = 0
        while not self._ended.wait(PAUSE):
            _write()
            pauses += 1
            if pauses % TRIMS == 0:
                _give_back()


def _write() -> None:
    with suppress(JournalUnavailable):  # the numbers are dropped; the doctor says what is wrong with the journal
        write_runs()


def _give_back() -> None:
    """What is free between blocks that are not, glibc keeps for ever unless it is told to.

    Each load of a model reads its header, and people come meanwhile: in half an hour of engines that are killed the
    server's heap tripled, and two thirds of it were free.
    """
    if sys.platform == "linux":
        with suppress(AttributeError, OSError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
