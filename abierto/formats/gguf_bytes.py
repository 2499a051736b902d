"""Walks through the bytes of a GGUF header, and believes no length in it before it is checked.

A window of the file is in memory. It knows numbers, strings and arrays, not what they mean.
"""

import struct
from typing import BinaryIO

from abierto.errors import CorruptFile
from abierto.formats.faults import corrupt

MAX_HEADER = 1 << 30  # bytes before the data section; the largest headers have some 30 MB
MAX_TEXT = 16 << 20  # bytes of one string; the longest chat templates have 0.1 MB
MAX_KEPT = 64 << 20  # bytes of all strings that are kept
MAX_STRINGS = 4 << 20  # items of all arrays of strings together; the largest vocabularies have 0.5 million
CHUNK = 1 << 20

_LENGTH = struct.Struct("<Q")


class HeaderBytes:
    """A place in the file, and the bytes from there on."""

    def __init__(self, file: BinaryIO, path: str) -> None:
        self._file = file
        self._path = path
        self._window = b""
        self._start = 0  # of the window, in the file
        self._at = 0  # in the window
        self._kept = 0
        self._strings = 0
        self.size = file.seek(0, 2)
        file.seek(0)

    @property
    def position(self) -> int:
        """Bytes from the start of the file."""
        return self._start + self._at

    def corrupt(self, fault: str, **about: object) -> CorruptFile:
        """The error to raise about this file."""
        return corrupt(self._path, fault, **about)

    def take(self, size: int) -> bytes:
        """The next bytes. The caller has checked that `size` is reasonable."""
        if self._at + size > len(self._window):
            self._refill(size)
        taken = self._window[self._at : self._at + size]
        self._at += size
        return taken

    def skip(self, size: int) -> None:
        """Go on without reading."""
        self._check_room(size)
        if self._at + size <= len(self._window):
            self._at += size
        else:
            self._start, self._at, self._window = self.position + size, 0, b""
            self._file.seek(self._start)

    def number(self, form: str) -> int:
        """The next whole number; `form` as for struct, such as `Q`."""
        (number,) = self.numbers(form, 1)
        return int(number)

    def numbers(self, form: str, count: int) -> tuple[int | float | bool, ...]:
        """The next numbers of one form. The caller has checked that `count` is reasonable."""
        packed = struct.Struct(f"<{count}{form}")
        return packed.unpack(self.take(packed.size))

    def count(self, form: str, limit: int, fault: str, **about: object) -> int:
        """The next number, which may not be above `limit`."""
        count = self.number(form)
        if count > limit:
            raise self.corrupt(fault, count=count, limit=limit, **about)
        return count

    def raw_text(self, where: str) -> bytes:
        """The next string, as it is. `where` is for the error."""
        length = self.count("Q", MAX_TEXT, "string_too_long", where=where)
        self._keep(length)
        return self.take(length)

    def text(self, where: str) -> str:
        """The next string, which must be UTF-8."""
        try:
            return self.raw_text(where).decode()
        except UnicodeDecodeError:
            raise self.corrupt("invalid_utf8", where=where) from None

    def announce_strings(self, count: int, where: str) -> None:
        """Check that so many strings may follow."""
        self._strings += count
        if self._strings > MAX_STRINGS:
            raise self.corrupt("array_too_long", key=where, count=count, limit=MAX_STRINGS)
        self._check_room(_LENGTH.size * count)

    def skip_strings(self, count: int, where: str) -> None:
        """Step over announced strings. The inner loop is tight because a vocabulary has some 100,000 of them."""
        unpack, head = _LENGTH.unpack_from, _LENGTH.size
        while count:
            window, at, last = self._window, self._at, len(self._window) - head
            end = at
            while count and at <= last:
                end = at + head + unpack(window, at)[0]
                if end > len(window):
                    break
                at = end
                count -= 1
            self._at = at
            if count:
                self._next_string(end - at, where)

    def skip_tokens(self, count: int, where: str) -> None:
        """Step over announced strings, and check that no two are the same, except empty ones."""
        unpack, head = _LENGTH.unpack_from, _LENGTH.size
        found: list[bytes] = []
        while len(found) < count:
            window, at, last = self._window, self._at, len(self._window) - head
            end = at
            while at <= last and len(found) < count:
                end = at + head + unpack(window, at)[0]
                if end > len(window):
                    break
                found.append(window[at + head : end])
                at = end
            self._keep(at - self._at)
            self._at = at
            if len(found) < count:
                self._next_string(end - at, where)
        twice = len(found) - len(set(found)) - max(found.count(b"") - 1, 0)
        if twice:
            raise self.corrupt("duplicate_token", count=twice)

    def _keep(self, size: int) -> None:
        self._kept += size
        if self._kept > MAX_KEPT:
            raise self.corrupt("header_too_large", limit=MAX_KEPT)

    def _next_string(self, claimed: int, where: str) -> None:
        """Read on, so that the string that begins here is in the window, or at least its length."""
        if claimed - _LENGTH.size > MAX_TEXT:
            raise self.corrupt("string_too_long", where=where, count=claimed - _LENGTH.size, limit=MAX_TEXT)
        self._refill(max(claimed, _LENGTH.size))

    def _refill(self, size: int) -> None:
        """Read on, so that the window begins here and holds at least `size` bytes."""
        self._check_room(size)
        rest = self._window[self._at :]
        self._start, self._at = self.position, 0
        self._window = rest + self._file.read(max(size, CHUNK) - len(rest))
        if len(self._window) < size:  # somebody shortens the file while it is read
            raise self.corrupt("truncated", expected=self._start + size, actual=self._start + len(self._window))

    def _check_room(self, size: int) -> None:
        if self.position + size > MAX_HEADER:
            raise self.corrupt("header_too_large", limit=MAX_HEADER)
        if self.position + size > self.size:
            raise self.corrupt("truncated", expected=self.position + size, actual=self.size)
