"""A model that another program keeps on this disk, and whether it can be used where it lies.

It is read only: nothing here writes, deletes or locks what belongs to another program. It knows no folder.
"""

import json
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from abierto.errors import AbiertoError, BeingDownloaded, CorruptFile, FileMissing, NoEngineForFile, PartMissing
from abierto.formats.split import part_names

# Files that say how far a download is are a few hundred bytes long.
_LARGEST_NOTE = 1 << 16


@dataclass(frozen=True, slots=True)
class ForeignFile:
    """size: bytes, as the other program promises them or as they are. sha256: as the other program says; never
    verified here."""

    path: Path
    size: int
    sha256: str | None = None


@dataclass(frozen=True, slots=True)
class ForeignModel:
    """A model of another program.

    name: as that program calls it; also: what else it answers to. owner: `ollama`, `lm_studio`, `hub` or `folder`.
    place: the file or the folder that tells of it. files: in order, the first is the one to open.
    projector: the file that turns images into what the model reads.
    fault: why it cannot be used, whatever its files are: `manifest` (it cannot be understood) or `adapter` (the model
    is only half of it); else empty.
    """

    name: str
    owner: str
    place: Path
    files: tuple[ForeignFile, ...] = ()
    projector: ForeignFile | None = None
    also: tuple[str, ...] = ()
    fault: str = ""

    @property
    def size(self) -> int:
        """The bytes of all files together."""
        return sum(file.size for file in (*self.files, *filter(None, [self.projector])))

    def answers_to(self, name: str) -> bool:
        """Whether a person may mean it by this name, in any mixture of capitals."""
        return name.lower() in (known.lower() for known in (self.name, *self.also))


def trouble(model: ForeignModel) -> AbiertoError | None:
    """Why a model cannot be used; None for one that can, as far as names and sizes tell."""
    if model.fault == "manifest":
        return CorruptFile(str(model.place), "bad_manifest")
    if model.fault:
        return NoEngineForFile(str(model.place), model.fault)
    known = {file.path.name for file in model.files}
    missing = [part for part in part_names(model.files[0].path.name) if part not in known]
    if missing:
        return PartMissing(str(model.files[0].path.with_name(missing[0])), model.name)
    for file in (*model.files, *filter(None, [model.projector])):
        found = _trouble_with(model, file)
        if found:
            return found
    return None


def _trouble_with(model: ForeignModel, file: ForeignFile) -> AbiertoError | None:
    try:
        size = file.path.stat().st_size
    except OSError:
        partial = file.path.with_name(f"{file.path.name}-partial")
        if not os.path.exists(partial):  # noqa: PTH110 - without an error where nobody may look
            return FileMissing(str(file.path))
        return BeingDownloaded(model.name, model.owner, arrived(partial), file.size)
    if size < file.size:
        return BeingDownloaded(model.name, model.owner, size, file.size)
    if size > file.size:
        return CorruptFile(str(file.path), "size_differs", {"expected": file.size, "actual": size})
    return None


def arrived(partial: Path) -> int:
    """How much has come of a file that Ollama fetches: it has its full size from the start, and notes for each part."""
    done = 0
    for note in partial.parent.glob(f"{partial.name}-*"):
        with suppress(OSError, ValueError, KeyError, TypeError):
            if note.stat().st_size <= _LARGEST_NOTE:
                done += int(json.loads(note.read_bytes())["Completed"])
    return done
