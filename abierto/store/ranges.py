"""A file on a server as a file to seek in: only the blocks that are read are fetched, and kept in a file here.

The file here has the size of the other one and holes where nothing was read. How much may be fetched in all is bounded.
"""

import io
import re
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from abierto.errors import SourceUnreachable
from abierto.store.link import Dropped, Link

BLOCK = 16_384  # bytes that are fetched at least
_TRIES = 3


class Spent(OSError):
    """More would have to be fetched than may be."""


@dataclass(slots=True)
class Purse:
    """How much may still be fetched: bytes, and requests."""

    bytes: int
    requests: int

    def take(self, count: int) -> None:
        """Raises Spent."""
        if count > self.bytes or self.requests < 1:
            raise Spent
        self.bytes -= count
        self.requests -= 1


class RangeFile(io.RawIOBase):
    """The file. purses: all of them pay. Reading raises SourceUnreachable, Spent."""

    def __init__(self, link: Link, place: Path, size: int, *purses: Purse) -> None:
        self._link = link
        self._purses = purses
        self._here = place.open("w+b")
        self._here.truncate(size)
        self._size = size
        self._at = 0
        self._got: set[int] = set()

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        if start + offset < 0:
            raise OSError(offset)
        self._at = start + offset
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self._at)
        count = left if size is None or size < 0 else min(size, left)
        if not count:
            return b""
        self._fetch(self._at, self._at + count)
        self._here.seek(self._at)
        self._at += count
        return self._here.read(count)

    def blank(self, start: int, count: int) -> None:
        """Make a hole again of what was fetched there."""
        self._here.seek(start)
        self._here.write(bytes(count))

    def cut(self, size: int) -> None:
        """Make the file here end after so many bytes."""
        self._here.flush()
        self._here.truncate(size)

    def close(self) -> None:
        self._here.close()
        super().close()

    def _fetch(self, start: int, end: int) -> None:
        if any(end - start > purse.bytes + BLOCK * len(self._got) for purse in self._purses):
            raise Spent
        missing = [number for number in range(start // BLOCK, -(-end // BLOCK)) if number not in self._got]
        if not missing:
            return
        # One request from the first to the last: what lies between was fetched rarely.
        first, last = missing[0] * BLOCK, min((missing[-1] + 1) * BLOCK, self._size)
        for purse in self._purses:
            purse.take(last - first)
        raw = self._asked(first, last)
        self._here.seek(first)
        self._here.write(raw)
        self._got.update(range(missing[0], missing[-1] + 1))

    def _asked(self, start: int, end: int) -> bytes:
        told = ""
        for _ in range(_TRIES):
            try:
                return self._once(start, end)
            except Dropped as dropped:
                told = dropped.detail
        raise SourceUnreachable(self._link.host, told)

    def _once(self, start: int, end: int) -> bytes:
        response = self._link.request("GET", {"Range": f"bytes={start}-{end - 1}"})
        with closing(response):
            skipped = 0
            if response.status == 200:  # a server that sends all: what is not wanted of the beginning is dropped
                skipped = start
                for purse in self._purses:
                    purse.take(skipped)
            elif response.status != 206:
                raise SourceUnreachable(self._link.host, f"{response.status} {response.reason or ''}".strip())
            elif not re.match(rf"bytes {start}-", response.headers.get("Content-Range", "")):
                raise Dropped("206, Content-Range")
            found = bytearray()
            while len(found) < skipped + end - start:
                block = self._link.read(response, skipped + end - start - len(found))
                if not block:
                    raise Dropped("connection closed")
                found += block
            return bytes(found[skipped:])
