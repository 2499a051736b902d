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
    try:
        with archive.open(name) as file:
            raw = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError, ValueError) as error:
        raise corrupt(str(path), "archive") from error
    except KeyError:
        raise _lacks(path) from None
    if len(raw) > limit:
        raise corrupt(str(path), "header_too_large", limit=limit)
    return raw


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
