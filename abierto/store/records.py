"""What was pulled: one record for each model, beside its files. It fetches nothing and knows no cards."""

import json
import os
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import FolderNotWritable, ModelNotPulled
from abierto.store import hub_cache, layout, locks

VERSION = 1


@dataclass(frozen=True, slots=True)
class ModelFile:
    """A file as it was when its SHA-256 was verified. The path is absolute, the size in bytes.

    fetched: it lies outside the model's folder, in a cache that other programs use too, and a pull brought it there.
    """

    path: Path
    size: int
    mtime_ns: int
    sha256: str
    fetched: bool = False

    @property
    def intact(self) -> bool:
        """Whether size and time are still those of the verified file. Reads no content."""
        try:
            now = self.path.stat()
        except OSError:
            return False
        return (now.st_size, now.st_mtime_ns) == (self.size, self.mtime_ns)


@dataclass(frozen=True, slots=True)
class Record:
    """A pulled model. source: canonical text of its source. pulled_at: ISO 8601 in UTC.

    projector: the file that it sees with. projector_source: where that came from; empty when there is none, and None
    when nobody has looked for one.
    """

    name: str
    source: str
    files: tuple[ModelFile, ...]
    pulled_at: str
    verified: bool = True
    projector: ModelFile | None = None
    projector_source: str | None = None

    @property
    def all_files(self) -> tuple[ModelFile, ...]:
        """What the model is made of, and what it sees with."""
        return (*self.files, self.projector) if self.projector else self.files

    @property
    def size(self) -> int:
        """The bytes of all files together, wherever they lie."""
        return sum(file.size for file in self.all_files)

    @property
    def intact(self) -> bool:
        """Whether no file has changed since it was verified."""
        return all(file.intact for file in self.all_files)


@dataclass(frozen=True, slots=True)
class Leftover:
    """Bytes in a model's folder that are no pulled model: fetched by a pull that did not end, or of a model
    whose record cannot be read."""

    name: str
    path: Path
    size: int


def get(folder: Path, name: str) -> Record | None:
    """The record of a model, or None where there is none that can be read."""
    path = layout.record_path(folder, name)
    try:
        body = json.loads(path.read_bytes())
        # A folder that was renamed by hand does not make one model into another.
        return _from_wire(body, path.parent) if body["name"] == name else None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def all_records(folder: Path) -> list[Record]:
    """The records that can be read, by name. Those that cannot are in `damaged`."""
    found = (get(folder, name) for name, _ in _models(folder))
    return [record for record in found if record]


def damaged(folder: Path) -> list[Leftover]:
    """Models whose record is there and cannot be read. Pulling them again repairs them."""
    return [
        Leftover(name, path, _bytes_in(path))
        for name, path in _models(folder)
        if (path / layout.RECORD).exists() and not get(folder, name)
    ]


def partials(folder: Path) -> list[Leftover]:
    """Pulls that did not end. Pulling the same again goes on from there; `remove` throws them away."""
    places = ((name, path / layout.PARTIAL) for name, path in _models(folder))
    return [
        Leftover(name, path, _bytes_in(path) + hub_cache.begun_bytes(path)) for name, path in places if path.is_dir()
    ]


def frees(folder: Path, name: str) -> int:
    """The bytes that `remove` would free. Raises ModelNotPulled."""
    place = layout.model_folder(folder, name)
    if not os.path.lexists(place):
        raise ModelNotPulled(name)
    elsewhere = hub_cache.begun_bytes(place / layout.PARTIAL) + sum(file.size for file in fetched_for(folder, name))
    return _bytes_in(place) + elsewhere


def remove(folder: Path, name: str) -> int:
    """Delete a model and what was fetched of it; returns the bytes that this freed.

    A file that is used in place is forgotten, not deleted; one that a pull brought into the hub's cache is deleted
    unless another model here or another revision there is made of it.
    Raises ModelNotPulled, ModelInUse, PullInProgress, FolderNotWritable.
    """
    import shutil  # not above: reading a record is on the way to every first token

    place = layout.model_folder(folder, name)
    if not os.path.lexists(place):
        raise ModelNotPulled(name)
    with locks.change(folder, name):
        freed, ours = frees(folder, name), fetched_for(folder, name)
        try:
            hub_cache.drop_begun(place / layout.PARTIAL)
            # First of all the record: if we are stopped half-way, there is no model, instead of half of one.
            (place / layout.RECORD).unlink(missing_ok=True)
            for file in ours:
                hub_cache.delete(file.path)
            shutil.rmtree(place)
        except OSError:
            raise FolderNotWritable(str(folder)) from None
    return freed


def write(folder: Path, record: Record) -> None:
    """Put a record in place of an earlier one, in one step."""
    path = layout.record_path(folder, record.name)
    text = json.dumps(_to_wire(record, path.parent), indent=2, ensure_ascii=False)
    fresh = path.with_name(f".{layout.RECORD}.new")
    with fresh.open("w", encoding="utf-8", errors="surrogateescape") as file:
        file.write(text + "\n")
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def was_fetched(folder: Path, path: Path) -> bool:
    """Whether a pull brought a file that lies outside of this folder, as far as the present records tell."""
    return any(file.path == path and file.fetched for record in all_records(folder) for file in record.all_files)


def fetched_for(folder: Path, name: str) -> list[ModelFile]:
    """The files outside the model's folder that go when it goes."""
    record = get(folder, name)
    if record is None or not any(file.fetched for file in record.all_files):
        return []
    others = {file.path for other in all_records(folder) if other.name != name for file in other.all_files}
    ours = (file for file in record.all_files if file.fetched and file.path not in others)
    return [file for file in ours if hub_cache.blob_of(file.path)]


def _to_wire(record: Record, place: Path) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    if record.projector_source is not None:
        seen["projector_source"] = record.projector_source
    if record.projector:
        seen["projector"] = _file_to_wire(record.projector, place)
    return {
        "version": VERSION,
        "name": record.name,
        "source": record.source,
        "files": [_file_to_wire(file, place) for file in record.files],
        **seen,
        "pulled_at": record.pulled_at,
        "verified": record.verified,
    }


def _file_to_wire(file: ModelFile, place: Path) -> dict[str, Any]:
    return {
        # Relative inside the folder, so that the folder can be moved.
        "path": str(file.path.relative_to(place) if file.path.is_relative_to(place) else file.path),
        "size": file.size,
        "mtime_ns": file.mtime_ns,
        "sha256": file.sha256,
        **({"fetched": True} if file.fetched else {}),
    }


def _from_wire(body: dict[str, Any], place: Path) -> Record:
    files = tuple(_file_from_wire(file, place) for file in body["files"])
    if not files:
        raise ValueError("a model has a file")
    projector = _file_from_wire(body["projector"], place) if "projector" in body else None
    origin = str(body["projector_source"]) if "projector_source" in body else None
    verified = body["verified"] is True
    return Record(body["name"], str(body["source"]), files, str(body["pulled_at"]), verified, projector, origin)


def _file_from_wire(file: dict[str, Any], place: Path) -> ModelFile:
    return ModelFile(
        place / str(file["path"]),
        int(file["size"]),
        int(file["mtime_ns"]),
        str(file["sha256"]),
        file.get("fetched") is True,
    )


def _models(folder: Path) -> Iterator[tuple[str, Path]]:
    with suppress(OSError):
        for path in sorted(folder.iterdir()):
            name = layout.model_name(path.name)
            if name is not None and path.is_dir():
                yield name, path


def _bytes_in(place: Path) -> int:
    total = 0
    for path in place.rglob("*"):
        with suppress(OSError):
            if path.name != layout.RECORD and not path.is_dir():
                total += path.lstat().st_size
    return total
