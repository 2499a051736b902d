"""Reads the tree of arrays in a MessagePack file, as Flax writes its weights. The bytes of the arrays are skipped.

Formats: https://github.com/msgpack/msgpack/blob/master/spec.md, and the extension 1 of flax.serialization, an array of
shape, type and bytes. Arrays that Flax cut into chunks are told as those chunks.
"""

import struct
from math import prod
from pathlib import Path
from typing import IO, Any

from abierto.errors import CorruptFile, FileMissing
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Tensor, short
from abierto.formats.faults import corrupt

MAX_ITEMS = 1_000_000
MAX_TEXT = 10_000
DEEPEST = 32
_ARRAY = 1  # the extension
_TYPES = {"float32": "F32", "float64": "F64", "float16": "F16", "bfloat16": "BF16", "bool": "BOOL"}
_TYPES |= {f"{sign}int{bits}": f"{kind}{bits}" for sign, kind in (("", "I"), ("u", "U")) for bits in (8, 16, 32, 64)}
# What follows the first byte: the kind, and how its number or length is written.
_CODES = {0xC4: ("bytes", "B"), 0xC5: ("bytes", "H"), 0xC6: ("bytes", "I"), 0xC7: ("ext", "B"), 0xC8: ("ext", "H")}
_CODES |= {0xC9: ("ext", "I"), 0xCA: ("number", "f"), 0xCB: ("number", "d"), 0xCC: ("number", "B")}
_CODES |= {0xCD: ("number", "H"), 0xCE: ("number", "I"), 0xCF: ("number", "Q"), 0xD0: ("number", "b")}
_CODES |= {0xD1: ("number", "h"), 0xD2: ("number", "i"), 0xD3: ("number", "q"), 0xD9: ("text", "B")}
_CODES |= {0xDA: ("text", "H"), 0xDB: ("text", "I"), 0xDC: ("list", "H"), 0xDD: ("list", "I")}
_CODES |= {0xDE: ("map", "H"), 0xDF: ("map", "I")}


def read(path: Path) -> Contents:
    """The arrays. Raises FileMissing, CorruptFile."""
    try:
        with path.open("rb") as file:
            reader = _Reader(file, str(path))
            reader.item("", 0)
    except OSError as error:
        raise FileMissing(str(path)) from error
    return Contents("flax", reader.tensors, Facts(framework="flax"))


class _Reader:
    def __init__(self, file: IO[bytes], path: str) -> None:
        self._path = path
        self._size = file.seek(0, 2)
        file.seek(0)
        self._file = file
        self._left = MAX_ITEMS
        self.tensors: list[Tensor] = []

    def item(self, name: str, depth: int) -> Any:
        """One value: a number or a short text as itself, a list as its items where it is no map; else None."""
        self._left -= 1
        if self._left < 0 or depth > DEEPEST or len(self.tensors) > MAX_TENSORS:
            raise corrupt(self._path, "too_many_fields", limit=MAX_ITEMS)
        kind, value = self._head()
        if kind == "map":
            for _ in range(value):
                key = self.item("", depth + 1)
                self.item(f"{name}.{key}" if name else str(key), depth + 1)
        elif kind == "list":
            return [self.item(name, depth + 1) for _ in range(value)]
        elif kind == "text":
            return self._bytes(value).decode("utf-8", "replace") if value <= MAX_TEXT else self._skip(value)
        elif kind == "bytes":
            self._skip(value)
        elif kind == "ext":
            self._extension(name, value, depth)
        else:
            return value
        return None

    def _head(self) -> tuple[str, Any]:
        (code,) = self._bytes(1)
        if code < 0x80 or code >= 0xE0:
            return "number", code if code < 0x80 else code - 256
        if code < 0xC0:
            kind, mask = ("map", 0xF) if code < 0x90 else ("list", 0xF) if code < 0xA0 else ("text", 0x1F)
            return kind, code & mask
        if code in (0xC0, 0xC2, 0xC3):
            return "number", None if code == 0xC0 else code == 0xC3
        if 0xD4 <= code <= 0xD8:
            return "ext", 1 << (code - 0xD4)
        if code not in _CODES:
            raise corrupt(self._path, "message_cut", at=self._file.tell())
        kind, letter = _CODES[code]
        (value,) = struct.unpack(f">{letter}", self._bytes(struct.calcsize(letter)))
        return kind, value

    def _extension(self, name: str, length: int, depth: int) -> None:
        (code,) = self._bytes(1)
        end = self._file.tell() + length
        if code == _ARRAY:
            start, (kind, count) = self._file.tell(), self._head()
            if kind == "list" and count == 3:
                shape, dtype = self.item("", depth + 1), self.item("", depth + 1)
                self._array(name, shape, dtype, end - self._file.tell())
            self._file.seek(start)
            length = end - start
        self._skip(length)

    def _array(self, name: str, shape: Any, dtype: Any, size: int) -> None:
        whole = isinstance(shape, list) and len(shape) <= 64 and all(type(one) is int and one >= 0 for one in shape)
        known = tuple(shape) if whole and prod(shape) < 2**62 else None
        kind = _TYPES.get(str(dtype), short(str(dtype), 20))
        self.tensors.append(Tensor(short(name or "array"), known, kind, max(0, size)))

    def _skip(self, count: int) -> None:
        end = self._file.tell() + count
        if end > self._size:
            raise self._cut(end)
        self._file.seek(end)

    def _bytes(self, count: int) -> bytes:
        raw = self._file.read(count)
        if len(raw) < count:
            raise self._cut(self._size + count - len(raw))
        return raw

    def _cut(self, expected: int) -> CorruptFile:
        return corrupt(self._path, "truncated", expected=expected, actual=self._size)
