"""The bytes of an HDF5 file, and numbers taken from them one after another. It knows no structure of the format."""

from collections.abc import Iterator
from typing import IO

from abierto.errors import CorruptFile
from abierto.formats.faults import corrupt

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_STEPS = 1_000_000  # reads of one file; a network of 10,000 tensors takes some 150,000
MAX_BYTES = 128_000_000  # of all reads together, and of what is unpacked from them
MAX_BLOCK = 16_000_000  # bytes of one read
_WINDOW = 4_096  # bytes that are taken from the disk at once
_FIRST_BLOCK = 512  # before the file's own beginning somebody else's bytes may stand: 512, or twice that, and so on


class Source:
    """One file. Addresses count from where its HDF5 begins. Raises CorruptFile for what cannot be true, OSError.

    begins: where that is in the file. offset, length: how many bytes an address and a length have. spent: whether more
    was asked for than may be. collections: places and sizes of the values in the global heaps that were looked at last.
    """

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._file, self._path = file, path
        self._end = file.seek(0, 2)
        self._steps, self._bytes = MAX_STEPS, MAX_BYTES
        self._at, self._window = 0, b""
        self.offset = self.length = 8
        self.spent = False
        self.collections: dict[int, dict[int, tuple[int, int]]] = {}
        self.begins = next(self._beginnings(), 0)  # where there is none, the reader finds out

    @property
    def size(self) -> int:
        """Bytes from the beginning on."""
        return self._end - self.begins

    def read(self, at: int, count: int) -> bytes:
        """So many bytes."""
        self.step()
        if at < 0 or not 0 <= count <= MAX_BLOCK or at + count > self.size:
            raise self.wrong(at)
        self.made(count)
        start = self.begins + at
        if not self._at <= start or start + count > self._at + len(self._window):
            self._file.seek(start)
            self._at, self._window = start, self._file.read(max(count, _WINDOW))
        found = self._window[start - self._at : start - self._at + count]
        if len(found) < count:
            raise self.wrong(at)
        return found

    def cursor(self, at: int, count: int, mark: bytes = b"") -> "Cursor":
        """The same, to take numbers from, after the bytes that must stand there first."""
        found = Cursor(self.read(at, count), self, at)
        if found.take(len(mark)) != mark:
            raise self.wrong(at)
        return found

    def up_to(self, at: int, count: int, mark: bytes = b"") -> "Cursor":
        """The same, or less where the file ends before."""
        return self.cursor(at, max(0, min(count, self.size - at)), mark)

    def step(self) -> None:
        """Count one more thing that was looked at."""
        self._steps -= 1
        if self._steps < 0:
            self.spent = True
            raise corrupt(self._path, "too_many_fields", limit=MAX_STEPS)

    def made(self, count: int) -> None:
        """Count bytes that were read, or unpacked from what was read."""
        self._bytes -= count
        if self._bytes < 0:
            self.spent = True
            raise corrupt(self._path, "header_too_large", limit=MAX_BYTES)

    def wrong(self, at: int) -> CorruptFile:
        """The error for what cannot be true at an address."""
        return corrupt(self._path, "message_cut", at=self.begins + at)

    def _beginnings(self) -> Iterator[int]:
        place = 0
        while place < self._end:
            self._file.seek(place)
            if self._file.read(len(SIGNATURE)) == SIGNATURE:
                yield place
            place = place * 2 or _FIRST_BLOCK


class Cursor:
    """A place in some bytes of the file. at: the address of the first. Raises CorruptFile behind the last."""

    def __init__(self, raw: bytes, source: Source, at: int) -> None:
        self._raw, self._source, self._place = raw, source, at
        self.at = 0

    @property
    def left(self) -> int:
        """How many bytes follow."""
        return len(self._raw) - self.at

    def take(self, count: int) -> bytes:
        """So many bytes."""
        if count > self.left:
            raise self.wrong()
        self.at += count
        return self._raw[self.at - count : self.at]

    def number(self, size: int) -> int:
        """A number without sign."""
        return int.from_bytes(self.take(size), "little")

    def address(self) -> int | None:
        """An address; None for that which stands for nowhere."""
        size = self._source.offset
        return None if (found := self.number(size)) == (1 << 8 * size) - 1 else found

    def length(self) -> int:
        """A number of the size that lengths have."""
        return self.number(self._source.length)

    def text(self) -> str:
        """A text that a zero ends, or the end of the bytes."""
        raw = self._raw[self.at :].split(b"\0", 1)[0]
        self.at = min(self.at + len(raw) + 1, len(self._raw))
        return raw.decode("utf-8", "replace")

    def here(self) -> int:
        """The address of what comes next."""
        return self._place + self.at

    def wrong(self) -> CorruptFile:
        """The error for what cannot be true here."""
        return self._source.wrong(self.here())
