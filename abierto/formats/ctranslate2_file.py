"""Reads the list of variables in a `model.bin` of CTranslate2. Such a file has no mark of its own, so its name decides.

Layout, as https://github.com/OpenNMT/CTranslate2 writes it (versions 2 to 6): the version, the kind of model, its
revision, how many variables; of each its name, shape, type, size and bytes; then other names for some of them.
"""

import struct
from math import prod
from pathlib import Path
from typing import IO

from abierto.errors import CorruptFile, FileMissing
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Tensor, short
from abierto.formats.faults import corrupt

VERSIONS = range(2, 7)
MAX_DIMENSIONS = 8
_TYPES = ("F32", "I8", "I16", "I32", "F16", "BF16")
_OLD = {4: "F32", 2: "I16", 1: "I8"}  # by the width of a number, in files of version 3 and before


def looks_like(start: bytes) -> bool:
    """Whether the first bytes can be those of such a file."""
    if len(start) < 8 or int.from_bytes(start[:4], "little") not in VERSIONS:
        return False
    length = int.from_bytes(start[4:6], "little")
    return 2 <= length <= 60 and start[6 : 5 + length].isalnum() and start[5 + length : 6 + length] == b"\0"


def read(path: Path) -> Contents:
    """The variables. Raises FileMissing, CorruptFile."""
    try:
        with path.open("rb") as file:
            return _Reader(file, str(path)).contents()
    except OSError as error:
        raise FileMissing(str(path)) from error


class _Reader:
    def __init__(self, file: IO[bytes], path: str) -> None:
        self._path = path
        self._size = file.seek(0, 2)
        file.seek(0)
        self._file = file

    def contents(self) -> Contents:
        version = self._number("I")
        kind, revision, count = self._text(), self._number("I"), self._number("I")
        if count > MAX_TENSORS:
            raise corrupt(self._path, "too_many_tensors", count=count, limit=MAX_TENSORS)
        tensors = [self._variable(version) for _ in range(count)]
        more = {"version": version, "revision": revision}
        return Contents("ctranslate2", tensors, Facts(architecture=kind, framework="ctranslate2", more=more))

    def _variable(self, version: int) -> Tensor:
        name, rank = self._text(), self._number("B")
        if rank > MAX_DIMENSIONS:
            raise corrupt(self._path, "too_many_dimensions", tensor=name, count=rank, limit=MAX_DIMENSIONS)
        shape = tuple(self._number("I") for _ in range(rank))
        code, size = self._number("B"), self._number("I")
        if version >= 4:
            dtype = _TYPES[code] if code < len(_TYPES) else f"type {code}"
        else:
            dtype, size = _OLD.get(code, f"{code} B"), size * code
        end = self._file.tell() + size
        if end > self._size:
            raise self._cut(end)
        self._file.seek(end)
        return Tensor(name, shape if prod(shape) < 2**62 else None, dtype, size)

    def _text(self) -> str:
        return short(self._bytes(self._number("H")).split(b"\0")[0].decode("utf-8", "replace"))

    def _number(self, kind: str) -> int:
        (found,) = struct.unpack(f"<{kind}", self._bytes(struct.calcsize(f"<{kind}")))
        return int(found)

    def _bytes(self, count: int) -> bytes:
        raw = self._file.read(count)
        if len(raw) < count:
            raise self._cut(self._size + count - len(raw))
        return raw

    def _cut(self, expected: int) -> CorruptFile:
        return corrupt(self._path, "truncated", expected=expected, actual=self._size)
