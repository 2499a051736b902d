"""Reads the headers of numpy's arrays: `.npy`, archives of them (`.npz`), and those inside of pickles, without numbers.

Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html. An array of Python objects is a pickle,
which runs code when it is loaded; its opcodes are listed, and nothing is unpickled.
"""

import ast
import io
import re
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO, Any

from abierto.errors import FileMissing
from abierto.formats import archive, pickle_names
from abierto.formats.contents import MAX_TENSORS, Contents, Finding, Tensor, short
from abierto.formats.faults import corrupt
from abierto.formats.pickle_machine import Call, Followed, Name, follow

MAGIC = b"\x93NUMPY"
MAX_HEADER = 10_000  # bytes, as numpy itself has it
MAX_DIMENSIONS = 64
MAX_PICKLES = 64_000_000  # bytes of all pickles in one archive that are unpacked
MAX_NAMED = 10
_NAMES = {"f": "F", "i": "I", "u": "U", "c": "C"}
_TYPE = re.compile(r"[<>|=]?([fiucb])(\d{1,2})")


@dataclass(frozen=True, slots=True)
class Header:
    """shape: the slowest dimension first. dtype, width: of an item; width 0 for what is no number. objects: whether a
    pickle follows. end: where the header does."""

    shape: tuple[int, ...]
    dtype: str
    width: int
    objects: bool
    end: int = 0

    @property
    def size(self) -> int:
        """Bytes of all numbers."""
        return prod(self.shape) * self.width


def dtype_of(text: object) -> tuple[str, int]:
    """How other readers call a type that numpy calls `<f4`, and bytes of an item; 0 bytes for what is no number."""
    found = _TYPE.fullmatch(text) if isinstance(text, str) else None
    if not found:
        return short(str(text), 20), 0
    width = int(found[2])
    return ("BOOL" if found[1] == "b" else f"{_NAMES[found[1]]}{8 * width}"), width


def header(file: IO[bytes], path: Path) -> Header:
    """The header where the file stands. Raises CorruptFile."""
    start = file.read(8)
    if len(start) < 8 or not start.startswith(MAGIC) or start[6] not in (1, 2, 3):
        raise corrupt(str(path), "message_cut", at=0)
    wide = 2 if start[6] == 1 else 4
    length = int.from_bytes(file.read(wide), "little")
    if length > MAX_HEADER:
        raise corrupt(str(path), "header_too_large", limit=MAX_HEADER)
    try:
        said: Any = ast.literal_eval(file.read(length).decode("utf-8" if start[6] == 3 else "latin-1").strip())
        kind, shape = said["descr"], said["shape"]
    except (ValueError, SyntaxError, MemoryError, RecursionError, KeyError, TypeError):
        raise corrupt(str(path), "message_cut", at=8 + wide) from None
    if not _is_shape(shape):
        raise corrupt(str(path), "message_cut", at=8 + wide)
    dtype, width = dtype_of(kind)
    return Header(tuple(shape), dtype if width else "", width, "|O" in str(kind), 8 + wide + length)


def of_call(call: Call) -> Header | None:
    """The array that a call in a pickle makes; None for anything else, and for arrays of what is no number."""
    function = call.function.text if isinstance(call.function, Name) else ""
    state, given = call.state, call.arguments
    if function.endswith("multiarray._reconstruct") and isinstance(state, tuple) and len(state) > 2:
        shape, kind = state[1], state[2]
    elif function.endswith("numeric._frombuffer") and isinstance(given, tuple) and len(given) > 2:
        shape, kind = given[2], given[1]
    elif function == pickle_names.JOBLIB and isinstance(state, dict):
        shape, kind = state.get("shape"), state.get("dtype")
    else:
        return None
    arguments = kind.arguments if isinstance(kind, Call) and isinstance(kind.arguments, tuple) else ()
    dtype, width = dtype_of(arguments[0] if arguments else None)
    if not _is_shape(shape) or not (width or function == pickle_names.JOBLIB):
        return None
    return Header(tuple(shape), dtype, width, str(arguments[:1]).startswith("('O"))


def _is_shape(shape: Any) -> bool:
    whole = isinstance(shape, tuple) and len(shape) <= MAX_DIMENSIONS
    return whole and all(type(one) is int and 0 <= one < 2**63 for one in shape) and prod(shape) < 2**62


@dataclass(slots=True)
class _Found:
    tensors: list[Tensor] = field(default_factory=list)
    others: list[str] = field(default_factory=list)
    objects: list[str] = field(default_factory=list)
    missing: list[str] = field(default_factory=list)
    followed: list[Followed] = field(default_factory=list)

    def add(self, name: str, read: Header, size: int) -> None:
        """An array whose file has `size` bytes."""
        if read.objects:
            self.objects.append(name)
        elif not read.width:
            self.others.append(name)
        else:
            self.tensors.append(Tensor(name, read.shape, read.dtype, read.size))
            if read.end + read.size > size:
                self.missing.append(name)

    def contents(self, format_: str, more: Sequence[Finding] = ()) -> Contents:
        findings = [*more, *pickle_names.findings(self.followed)]
        for code, names in (
            ("storage_missing", self.missing),
            ("object_arrays", self.objects),
            ("other_arrays", self.others),
        ):
            if names:
                about = {"count": len(names), "tensors": ", ".join(names[:MAX_NAMED])}
                findings.append(Finding(code, "fault" if code == "storage_missing" else "note", about))
        return Contents(format_, self.tensors, findings=tuple(findings))


def read(path: Path) -> Contents:
    """A file with one array. Raises FileMissing, CorruptFile."""
    try:
        with path.open("rb") as file:
            return read_open(file, path)
    except OSError as error:
        raise FileMissing(str(path)) from error


def read_open(file: IO[bytes], path: Path) -> Contents:
    """The same, of a file that is open; `path` names it. Raises CorruptFile, OSError."""
    found = _Found()
    one = header(file, path)
    found.add(short(path.stem), one, file.seek(0, 2))
    if one.objects:
        file.seek(one.end)
        found.followed.append(follow(file))
    return found.contents("numpy")


def is_archive(names: Sequence[str]) -> bool:
    """Whether the files in an archive are arrays."""
    return any(name.endswith(".npy") for name in names)


def of_archive(path: Path, opened: zipfile.ZipFile) -> Contents:
    """An archive of arrays. Raises CorruptFile."""
    found, left = _Found(), MAX_PICKLES
    for one in [one for one in opened.infolist() if one.filename.endswith(".npy")][: MAX_TENSORS + 1]:
        name = short(one.filename.removesuffix(".npy"))
        start = io.BytesIO(archive.beginning(opened, one.filename, path, MAX_HEADER + 12))
        array = header(start, path)
        found.add(name, array, one.file_size)
        if array.objects:
            raw = archive.beginning(opened, one.filename, path, min(left, archive.MAX_PART))
            left -= len(raw)
            found.followed.append(follow(io.BytesIO(raw[array.end :])))
    return found.contents("numpy", archive.findings(opened))
