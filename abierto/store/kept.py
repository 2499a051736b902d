"""What an engine keeps of a model's file in a form of its own, so that the next start is faster.

    <cache>/<engine>-<16 hexadecimal digits>/kept.json   of which file, as it was then, by which program; what is kept
    <cache>/<engine>-<16 hexadecimal digits>/...         the form
    <cache>/.making/                                     one that is being made
    <cache>/.lock                                        empty; locked by whoever makes one, never deleted

There is one form for each engine and file at most, so that what is kept never outgrows the models. All of it may be
deleted at any time: it is made anew. It knows no engine, and nothing of what a form holds.
"""

import json
import os
import shutil
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from hashlib import file_digest, sha256
from pathlib import Path
from typing import Any, TypeVar

from abierto.errors import BusyError, FolderNotWritable
from abierto.store import locks

_MANIFEST = "kept.json"
_MAKING = ".making"
_LOCK = ".lock"
# Of larger files only the size is compared: reading them would take the time that keeping them saves.
_HASHED = 32_000_000

# What reading a manifest can come to that somebody else wrote, or half of one.
_UNREADABLE = (OSError, ValueError, KeyError, TypeError, RecursionError)

Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Form:
    """A form of a model's file. cache: the folder of all forms. engine: the name of the one that reads it.

    maker: the program with its version, and whatever else makes another form of the same file.
    """

    cache: Path
    engine: str
    file: Path
    maker: str

    @property
    def place(self) -> Path:
        """The folder in which it lies, or would."""
        return self.cache / f"{self.engine}-{sha256(os.fsencode(self.file.resolve())).hexdigest()[:16]}"

    def get(self) -> Path | None:
        """Its folder, if it is there, undamaged, and of the file as it is now."""
        try:
            manifest = _manifest(self.place)
            if manifest["source"] == self._source() and manifest["kept"] == _described(self.place):
                return self.place
        except _UNREADABLE:
            pass
        return None

    def make(self, fill: Callable[[Path], Made]) -> Made | None:
        """What `fill` returns, which makes the form in the empty folder that it is given.

        None where nothing can be kept: the folder cannot be written, or another process makes something there now.
        The form takes the place of an earlier one in one step. What a killed process left goes at the next making.
        """
        making = self.cache / _MAKING
        try:
            source = self._source()
            with locks.holding(self.cache / _LOCK, BusyError()):
                shutil.rmtree(making, ignore_errors=True)
                making.mkdir()
                try:
                    made = fill(making)
                    self._settle(making, source)
                finally:
                    shutil.rmtree(making, ignore_errors=True)
                return made
        except (BusyError, FolderNotWritable, OSError):
            return None

    def _settle(self, making: Path, source: dict[str, Any]) -> None:
        manifest = {"source": source, "kept": _described(making)}
        (making / _MANIFEST).write_text(json.dumps(manifest), "utf-8")
        for path in making.iterdir():
            with path.open("rb+") as file:
                os.fsync(file.fileno())
        _drop(self.place)
        making.replace(self.place)

    def _source(self) -> dict[str, Any]:
        state = self.file.stat()
        return {"path": _name(self.file), "size": state.st_size, "mtime_ns": state.st_mtime_ns, "maker": self.maker}


def bytes_of(cache: Path, files: Iterable[Path]) -> int:
    """How much is kept of these files."""
    names = {_name(file) for file in files}
    return sum(_bytes_in(place) for place, name in _forms(cache) if name in names)


def bytes_in(cache: Path) -> int:
    """How much is kept altogether."""
    return sum(_bytes_in(place) for place, _ in _forms(cache))


def forget(cache: Path, files: Iterable[Path]) -> None:
    """Delete what is kept of these files, and of every file that is not there any more."""
    names = {_name(file) for file in files}
    for place, name in _forms(cache):
        if name is None or name in names or not os.path.exists(os.fsdecode(bytes.fromhex(name))):  # noqa: PTH110
            _drop(place)


def clear(cache: Path) -> int:
    """Delete all that is kept; the bytes that this frees."""
    freed = bytes_in(cache)
    for place, _ in _forms(cache):
        _drop(place)
    return freed


def _forms(cache: Path) -> Iterator[tuple[Path, str | None]]:
    """Every form, with the name of its file; without one where that cannot be read."""
    with suppress(OSError):
        for place in sorted(cache.iterdir()):
            if place.name.startswith(".") or not place.is_dir():
                continue
            try:
                yield place, str(_manifest(place)["source"]["path"])
            except _UNREADABLE:
                yield place, None


def _manifest(place: Path) -> Any:
    return json.loads((place / _MANIFEST).read_bytes())


def _name(file: Path) -> str:
    """A path as a text that JSON can hold, also where it is no Unicode."""
    return os.fsencode(file.resolve()).hex()


def _described(place: Path) -> dict[str, list[Any]]:
    described: dict[str, list[Any]] = {}
    for path in sorted(place.iterdir()):
        if path.name != _MANIFEST:
            size = path.stat().st_size
            with path.open("rb") as file:
                described[path.name] = [size, file_digest(file, "sha256").hexdigest() if size < _HASHED else ""]
    return described


def _bytes_in(place: Path) -> int:
    with suppress(OSError):
        return sum(path.stat().st_size for path in place.iterdir())
    return 0


def _drop(place: Path) -> None:
    # The manifest first: whatever stops this leaves nothing that counts as a form.
    with suppress(OSError):
        (place / _MANIFEST).unlink()
    shutil.rmtree(place, ignore_errors=True)
