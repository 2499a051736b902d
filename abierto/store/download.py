"""Fetch one file over HTTP: it resumes, tries again, and believes nothing but the SHA-256.

It knows nothing of packages or models.
"""

import re
import time
from collections.abc import Generator, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from abierto.errors import DownloadInterrupted, HashMismatch, SourceUnreachable
from abierto.store import disk
from abierto.store.link import Dropped, Link
from abierto.store.progress import PullProgress

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse

BLOCK = 1 << 18
_TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
# Seconds between two tries: the first pause, the longest, and the longest that a server may ask for.
_FIRST_PAUSE, _LONGEST_PAUSE, _PATIENCE = 0.25, 8.0, 60.0
_BEAT = 0.1
# So many bytes more than ever before, and the failures so far are forgiven.
_HEADWAY = 1 << 20


class _Part:
    """What has arrived so far, on disk, and its hash. `total` is what the server last promised."""

    def __init__(self, path: Path) -> None:
        self.folder = path.parent
        with disk.writing(self.folder):
            # Unbuffered, so that what arrived is there even if this process is killed.
            self._file = path.open("r+b" if path.exists() else "x+b", buffering=0)
        self.done = self.resumed = 0
        self.total: int | None = None
        self._hash = sha256()

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    @property
    def progress(self) -> PullProgress:
        return PullProgress("download", self.done, self.total, self.resumed)

    def read_again(self) -> Iterator[PullProgress]:
        """Take up what an earlier pull has left."""
        size = self._file.seek(0, 2)
        self._file.seek(0)
        while block := self._file.read(BLOCK):
            self._hash.update(block)
            self.done += len(block)
            yield PullProgress("verify", self.done, size)
        self.resumed = self.done

    def append(self, block: bytes) -> None:
        with disk.writing(self.folder, (self.total or 0) - self.done):
            rest = memoryview(block)
            while rest:  # the system may take less than it is given
                rest = rest[self._file.write(rest) :]
        self._hash.update(block)
        self.done += len(block)

    def restart(self) -> None:
        """Throw away what has arrived."""
        self._file.seek(0)
        self._file.truncate()
        self.done = self.resumed = 0
        self.total = None
        self._hash = sha256()

    def close(self) -> None:
        self._file.close()


def download(
    link: Link, part: Path, expected: str, *, reserve: int | None, limit: int
) -> Generator[PullProgress, None, None]:
    """Fetch the file of a link into `part`, of which an earlier pull may have left a beginning.

    expected: its SHA-256. reserve: bytes that must stay free beside it; None for as many as it has itself.
    limit: the most bytes that are taken from a server that does not say how many will come.
    Closing the generator stops; what has arrived is kept, unless it is wrong. Raises DownloadInterrupted,
    SourceUnreachable, HashMismatch, NotEnoughDisk, FolderNotWritable.
    """
    with closing(_Part(part)) as kept:
        yield from kept.read_again()
        while kept.digest != expected:
            resumed = kept.resumed
            yield from _persist(link, kept, reserve, limit)
            if (actual := kept.digest) != expected:
                kept.restart()
                # A wrong beginning, left by whatever happened earlier, is no reason to give up.
                if not resumed:
                    raise HashMismatch(link.url, expected, actual)
        yield kept.progress


def measure(link: Link) -> int | None:
    """How long the file is, where the server tells without sending it."""
    try:
        response = link.request("HEAD", {})
    except (Dropped, SourceUnreachable):
        return None  # the download itself will tell why
    response.close()
    return _length(response) if response.status == 200 else None


def _persist(link: Link, kept: _Part, reserve: int | None, limit: int) -> Iterator[PullProgress]:
    failures, best = 0, kept.done
    while dropped := (yield from _attempt(link, kept, reserve, limit)):
        if kept.done >= best + _HEADWAY:
            failures, best = 0, kept.done
        failures += 1
        if failures > link.retries or dropped.wait > _PATIENCE:
            if not kept.done:
                raise SourceUnreachable(link.host, dropped.detail)
            raise DownloadInterrupted(link.url, kept.done, kept.total)
        pause = max(dropped.wait, min(_FIRST_PAUSE * 2 ** (failures - 1), _LONGEST_PAUSE))
        until = time.monotonic() + pause
        while (left := until - time.monotonic()) > 0:
            yield kept.progress
            time.sleep(min(left, _BEAT))


def _attempt(link: Link, kept: _Part, reserve: int | None, limit: int) -> Generator[PullProgress, None, Dropped | None]:
    """One request, to its end. Returns what went wrong, if that is worth another try."""
    try:
        response = link.request("GET", {"Range": f"bytes={kept.done}-"} if kept.done else {})
        with closing(response):
            _agree(link, response, kept)
            if kept.total is not None:
                rest = kept.total if reserve is None else reserve
                disk.require(kept.folder, kept.total - kept.done + rest)
            yield from _receive(link, response, kept, limit)
    except Dropped as dropped:
        return dropped
    return None


def _agree(link: Link, response: "BaseHTTPResponse", kept: _Part) -> None:
    """Find out whether the server goes on where we stopped, starts at the beginning, or refuses."""
    if response.status == 200:
        if kept.done:
            kept.restart()
        kept.total = _length(response)
    elif response.status == 206:
        span = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        if not span or int(span[1]) != kept.done or kept.total not in (None, int(span[2])):
            kept.restart()
            raise Dropped("206, Content-Range")
        kept.total = int(span[2])
    elif response.status == 416:
        kept.restart()
        raise Dropped("416")
    elif response.status in _TRY_AGAIN:
        raise Dropped(f"{response.status} {response.reason or ''}".strip(), _retry_after(response))
    else:
        raise SourceUnreachable(link.host, f"{response.status} {response.reason or ''}".strip())


def _receive(link: Link, response: "BaseHTTPResponse", kept: _Part, limit: int) -> Iterator[PullProgress]:
    end = limit if kept.total is None else kept.total
    while kept.done < end and (block := link.read(response, min(BLOCK, end - kept.done))):
        kept.append(block)
        yield kept.progress
    if kept.total is not None and kept.done < kept.total:
        raise Dropped("connection closed")


def _length(response: "BaseHTTPResponse") -> int | None:
    text = response.headers.get("Content-Length", "")
    return int(text) if text.isdecimal() else None


def _retry_after(response: "BaseHTTPResponse") -> float:
    from urllib3 import Retry
    from urllib3.exceptions import InvalidHeader

    try:
        return Retry.parse_retry_after(Retry(), response.headers.get("Retry-After", "0"))
    except InvalidHeader:
        return 0.0
