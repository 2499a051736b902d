"""The models among the GGUF files of a folder: the parts of one together, and what sees for it. It opens no file."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abierto.formats.split import first_parts
from abierto.store.foreign import ForeignFile

SUFFIX = ".gguf"
# Not models: eyes for one, and what somebody measured to make quantisations.
_PROJECTOR, _BESIDE = "mmproj", ("mmproj", "imatrix")
# A person may name a folder that holds everything they have.
_MOST_ENTRIES = 50_000


@dataclass(frozen=True, slots=True)
class Found:
    """A model in a folder. path: of its first file below the folder, with forward slashes."""

    path: str
    files: tuple[ForeignFile, ...]
    projector: ForeignFile | None


def find(folder: Path, depth: int) -> Iterator[Found]:
    """The models in a folder and in those below it, down to `depth` of them, sorted by their paths.

    A link counts as what it leads to. What cannot be read is left out.
    """
    for place, files in sorted(_folders(folder, depth, [_MOST_ENTRIES])):
        beside = sorted((file for name, file in files.items() if name.lower().startswith(_PROJECTOR)), key=_by_use)
        models = first_parts(name for name in files if not name.lower().startswith(_BESIDE))
        for first, parts in models.items():
            path = (place / first).relative_to(folder).as_posix()
            there = tuple(files[part] for part in parts if part in files)
            yield Found(path, there, beside[0] if beside else None)


def _folders(folder: Path, depth: int, left: list[int]) -> Iterator[tuple[Path, dict[str, ForeignFile]]]:
    files: dict[str, ForeignFile] = {}
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                left[0] -= 1
                if left[0] < 0:
                    break
                if entry.name.lower().endswith(SUFFIX) and entry.is_file():
                    files[entry.name] = ForeignFile(Path(entry.path), entry.stat().st_size)
                elif depth and not entry.name.startswith(".") and entry.is_dir():
                    yield from _folders(Path(entry.path), depth - 1, left)
    except OSError:
        pass
    if files:
        yield folder, files


def _by_use(projector: ForeignFile) -> tuple[bool, str]:
    # Of several that differ in precision, the one with 16 bits is what the makers of models publish first.
    return "f16" not in projector.path.name.lower(), projector.path.name
