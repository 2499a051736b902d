"""Reads messages of Protocol Buffers field by field, without a schema; what is long is told by its place, not read.

Encoding: https://protobuf.dev/programming-guides/encoding/. A field that would reach out of its message ends
the reading with CorruptFile. It knows no message.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO

from abierto.formats.faults import corrupt

MAX_FIELDS = 1_000_000  # of one file
MAX_TEXT = 100_000  # bytes of a text
_WINDOW = 16_384  # bytes that are read at once
_FIXED = {1: 8, 5: 4}


@dataclass(frozen=True, slots=True)
class Field:
    """number: which one. value: of a number. start, end: where the bytes of anything else lie in the file."""

    number: int
    value: int = 0
    start: int = 0
    end: int = 0

    @property
    def size(self) -> int:
        """Bytes; 0 for a number."""
        return self.end - self.start


class Reader:
    """One file. Raises CorruptFile for what cannot be true."""

    def __init__(self, file: IO[bytes], path: str) -> None:
        self._file = file
        self._path = path
        self._left = MAX_FIELDS
        self._at = 0
        self._window = b""
        self.size = file.seek(0, 2)

    def whole(self) -> Field:
        """All of the file, as a message."""
        return Field(0, 0, 0, self.size)

    def fields(self, message: Field) -> Iterator[Field]:
        """The fields of a message, in their order."""
        at = message.start
        while at < message.end:
            self._left -= 1
            if self._left < 0:
                raise corrupt(self._path, "too_many_fields", limit=MAX_FIELDS)
            tag, at = self._varint(at, message.end)
            number, kind = tag >> 3, tag & 7
            if kind == 0:
                value, at = self._varint(at, message.end)
                yield Field(number, value)
                continue
            length = _FIXED.get(kind, 0)
            if kind == 2:
                length, at = self._varint(at, message.end)
            if kind not in (1, 2, 5) or number == 0 or at + length > message.end:
                raise corrupt(self._path, "message_cut", at=at)
            yield Field(number, 0, at, at + length)
            at += length

    def text(self, field: Field, limit: int = MAX_TEXT) -> str:
        """A text, or as much of it as may be read."""
        return self.raw(field, limit).decode("utf-8", "replace")

    def raw(self, field: Field, limit: int = MAX_TEXT) -> bytes:
        """The bytes of a field, at most `limit`."""
        return self._bytes(field.start, min(field.size, limit))

    def numbers(self, field: Field, most: int) -> list[int]:
        """The numbers of a repeated field, packed or not, at most `most`."""
        if not field.end:
            return [field.value]
        found: list[int] = []
        at = field.start
        while at < field.end and len(found) < most:
            value, at = self._varint(at, field.end)
            found.append(value)
        return found

    def numbers_at(self, at: int, end: int, count: int) -> tuple[list[int], int]:
        """So many numbers from a place on, and where they end."""
        self._left -= 1
        if self._left < 0:
            raise corrupt(self._path, "too_many_fields", limit=MAX_FIELDS)
        found = []
        for _ in range(count):
            value, at = self._varint(at, end)
            found.append(value)
        return found, at

    def _varint(self, at: int, end: int) -> tuple[int, int]:
        value = 0
        raw = self._bytes(at, min(10, end - at))
        for place, byte in enumerate(raw):
            value |= (byte & 0x7F) << (7 * place)
            if byte < 0x80:
                return value & (2**64 - 1), at + place + 1
        raise corrupt(self._path, "message_cut", at=at)

    def _bytes(self, start: int, count: int) -> bytes:
        if not self._at <= start or start + count > self._at + len(self._window):
            self._file.seek(start)
            self._at, self._window = start, self._file.read(max(count, _WINDOW))
        return self._window[start - self._at : start - self._at + count]
