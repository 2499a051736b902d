"""Looks into ZIP archives of somebody else's: the list of what is in them, and small parts, up to a limit.

Nothing is unpacked to the disk. A list that would not fit into memory, and a part that unpacks to more than it may, are
refused before they are read.
"""

import io
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from abierto.errors import CorruptFile, FileMissing
from abierto.formats.contents import Finding, short
from abierto.formats.faults import corrupt

MAX_LIST = 8_000_000  # bytes of the list of an archive, which has 100 for each of its files
MAX_PART = 16_000_000  # bytes of one file in it, unpacked
MAX_NAMED = 10  # files that a finding tells
BOMB = 200  # times the size that it has packed


class _Bounded(io.FileIO):
    """A file of which no more is read at once than the list of an archive may have."""

    def read(self, size: int | None = -1, /) -> bytes:
        left = self.seek(0, io.SEEK_END) - here if (here := self.tell()) >= 0 else 0
        self.seek(here)
        wanted = left if size is None or size < 0 else min(size, left)
        if wanted > MAX_LIST:
            raise zipfile.BadZipFile
        return super().read(wanted) or b""


@contextmanager
def open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """The archive. Raises FileMissing, CorruptFile when it is none or its list is too long."""
    try:
        file = _Bounded(path)
    except OSError as error:
        raise FileMissing(str(path)) from error
    with file:
        try:
            archive = zipfile.ZipFile(file)
        except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
            raise corrupt(str(path), "archive") from error
        yield archive


def part(archive: zipfile.ZipFile, name: str, path: Path, limit: int = MAX_PART) -> bytes:
    """One file of it, whole. Raises CorruptFile when it cannot be unpacked or has more than `limit` bytes."""
    raw = beginning(archive, name, path, limit + 1)
    if len(raw) > limit:
        raise corrupt(str(path), "header_too_large", limit=limit)
    return raw


def beginning(archive: zipfile.ZipFile, name: str, path: Path, limit: int) -> bytes:
    """At most `limit` bytes of one file of it. Raises CorruptFile when it cannot be unpacked."""
    try:
        with archive.open(name) as file:
            return file.read(limit)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise corrupt(str(path), "archive") from error
    except KeyError:
        raise _lacks(path) from None


def member(archive: zipfile.ZipFile, name: str, whole: IO[bytes], path: Path) -> IO[bytes] | None:
    """One file of it to seek in: in its place if it is not packed, else unpacked into memory. None for one that is too
    large for that. whole: the file of the archive. Raises CorruptFile."""
    one = archive.getinfo(name)
    if one.compress_type != zipfile.ZIP_STORED:
        return io.BytesIO(part(archive, name, path)) if one.file_size <= MAX_PART else None
    whole.seek(one.header_offset + 26)  # of the header that stands before it: the sizes of a name and of more
    sizes = whole.read(4)
    start = one.header_offset + 30 + int.from_bytes(sizes[:2], "little") + int.from_bytes(sizes[2:], "little")
    return cast(IO[bytes], _Slice(whole, start, one.file_size))


class _Slice(io.RawIOBase):
    """A part of a file as a file."""

    def __init__(self, whole: IO[bytes], start: int, size: int) -> None:
        self._whole, self._start, self._at = whole, start, 0
        self._size = max(0, min(size, whole.seek(0, io.SEEK_END) - start))

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        self._at = max(0, offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence])
        return self._at

    def read(self, size: int | None = -1, /) -> bytes:
        left = max(0, self._size - self._at)
        count = left if size is None or size < 0 else min(size, left)
        self._whole.seek(self._start + self._at)
        self._at += count
        return self._whole.read(count)


def findings(archive: zipfile.ZipFile) -> list[Finding]:
    """What is wrong with the list: files that unpack to far more than they are, twice, or outside of a folder."""
    files = archive.infolist()
    bombs = [one.filename for one in files if one.file_size > BOMB * max(one.compress_size, 5_000)]
    twice = [name for name, count in Counter(one.filename for one in files).items() if count > 1]
    outside = [one.filename for one in files if one.filename.startswith("/") or ".." in one.filename.split("/")]
    named = (("archive_bomb", bombs), ("archive_twice", twice), ("archive_outside", outside))
    return [
        Finding(code, "fault", {"count": len(names), "files": ", ".join(short(name, 80) for name in names[:MAX_NAMED])})
        for code, names in named
        if names
    ]


def _lacks(path: Path) -> CorruptFile:
    return corrupt(str(path), "archive")
