"""Answers that can be read again for a while: in memory only, bounded in number, size and time. It knows no dialect.

Nothing of this is written to the disk, and all of it is gone when the server ends.
"""

import threading
from collections.abc import Callable, Iterator
from time import monotonic
from typing import Any

MOST_RECORDS = 1000
MOST_BYTES = 256_000_000
SECONDS = 3600.0
# What one item of an answer takes, roughly: an object with a short text.
ITEM_BYTES = 150


class Record:
    """One answer and what has come of it so far. It may be read in one thread while another writes.

    about: what the dialect needs to tell of it. size: bytes, roughly. stop: breaks off the work behind it. whole: what
    the dialect made of it after its end.
    """

    def __init__(self, name: str, about: Any, size: int = 0) -> None:
        self.name, self.about = name, about
        self.stop: Callable[[], None] | None = None
        self.whole: Any = None
        self._size = size
        self._items: list[Any] = []
        self._ended = False
        self._changed = threading.Condition()

    @property
    def ended(self) -> bool:
        """Whether nothing more will come."""
        return self._ended

    @property
    def size(self) -> int:
        """Bytes that it takes, roughly."""
        return self._size + ITEM_BYTES * len(self._items)

    def put(self, *items: Any, last: bool = False) -> bool:
        """Add items, unless it has ended; whether it had not. last: nothing comes after them."""
        with self._changed:
            if self._ended:
                return False
            self._items.extend(items)
            self._ended = last
            self._changed.notify_all()
            return True

    def items(self) -> list[Any]:
        """All that has come so far."""
        with self._changed:
            return list(self._items)

    def since(self, position: int, patience: float) -> tuple[list[Any], bool]:
        """What came after the first `position` items, and whether it has ended; waits so many seconds for more."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or len(self._items) > position, patience)
            return self._items[position:], self._ended

    def close(self) -> None:
        """Break off the work, and have nobody wait any longer."""
        self.put(last=True)
        if self.stop:
            self.stop()


class Kept:
    """The answers of a server by name, from any thread. Close it.

    What is older than `seconds` is not found any more. When there are too many, or they are too large, the oldest go
    first, but none that is still at work.
    """

    def __init__(
        self,
        records: int = MOST_RECORDS,
        size: int = MOST_BYTES,
        seconds: float = SECONDS,
        clock: Callable[[], float] = monotonic,
    ) -> None:
        self._records, self._size, self._seconds, self._clock = records, size, seconds, clock
        self._lock = threading.Lock()
        self._all: dict[str, tuple[float, Record]] = {}  # oldest first

    def put(self, record: Record) -> None:
        """Keep it."""
        with self._lock:
            self._all[record.name] = self._clock(), record
            self._trim()

    def get(self, name: str) -> Record | None:
        """The record of this name, None if there is none, or none any more."""
        with self._lock:
            self._trim()
            return self._all[name][1] if name in self._all else None

    def remove(self, name: str) -> Record | None:
        """Forget the record of this name, and break off its work."""
        with self._lock:
            self._trim()
            _, record = self._all.pop(name, (0.0, None))
        if record:
            record.close()
        return record

    def newest_first(self) -> Iterator[Record]:
        """All that are there now."""
        with self._lock:
            self._trim()
            there = [record for _, record in self._all.values()]
        return reversed(there)

    def close(self) -> None:
        """Forget all, and break off their work."""
        with self._lock:
            leaving, self._all = [record for _, record in self._all.values()], {}
        for record in leaving:
            record.close()

    def _trim(self) -> None:
        oldest = self._clock() - self._seconds
        size = sum(record.size for _, record in self._all.values())
        for name, (since, record) in list(self._all.items()):
            if since > oldest and len(self._all) <= self._records and size <= self._size:
                return
            if record.ended:
                del self._all[name]
                size -= record.size
