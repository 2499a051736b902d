"""A model as its makers publish it: a folder with config.json and safetensors files. Nothing in it is ever run.

It knows where a tensor's numbers lie, and no architecture.
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing, NotConvertible
from abierto.formats import safetensors
from abierto.formats.faults import corrupt
from abierto.formats.safetensors import WIDTHS, SafetensorsInfo

MAX_JSON = 256 << 20  # bytes; the largest vocabularies have some 35 MB
INDEX = "model.safetensors.index.json"
SINGLE = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Stored:
    """A tensor and the file that holds it."""

    path: Path
    info: SafetensorsInfo

    @property
    def row(self) -> int:
        """Numbers in the fastest dimension."""
        return self.info.shape[-1] if self.info.shape else 1

    def read(self, start: int, count: int) -> bytes:
        """So many rows of the fastest dimension, from a row on. Raises FileMissing."""
        width = self.row * WIDTHS[self.info.dtype]
        try:
            with self.path.open("rb") as file:
                file.seek(self.info.offset + start * width)
                found = file.read(count * width)
        except OSError:
            raise FileMissing(str(self.path)) from None
        if len(found) < count * width:  # somebody shortens the file while it is read
            raise FileMissing(str(self.path))
        return found


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """The folder, what its config.json says, its weight files in order, and its tensors by name."""

    folder: Path
    config: dict[str, Any]
    files: tuple[Path, ...]
    tensors: dict[str, Stored]


def open_checkpoint(folder: Path) -> Checkpoint:
    """Read the headers of a folder's files. Raises FileMissing, NotConvertible, CorruptFile."""
    if not folder.is_dir():
        raise FileMissing(str(folder))
    if not (folder / "config.json").is_file():
        raise NotConvertible(str(folder), "no_config")
    config = read_json(folder / "config.json")
    files = _files(folder)
    tensors: dict[str, Stored] = {}
    for path in files:
        for name, info in safetensors.read_header(path).items():
            if name in tensors:
                raise corrupt(str(path), "duplicate_tensor", tensor=name)
            tensors[name] = Stored(path, info)
    return Checkpoint(folder, config, files, tensors)


def read_json(path: Path) -> dict[str, Any]:
    """The object in a JSON file. Raises FileMissing, CorruptFile."""
    try:
        if path.stat().st_size > MAX_JSON:
            raise corrupt(str(path), "header_too_large", limit=MAX_JSON)
        body = json.loads(path.read_text("utf-8"))
    except OSError:
        raise FileMissing(str(path)) from None
    except (ValueError, RecursionError):
        raise corrupt(str(path), "no_json", where=path.name) from None
    if not isinstance(body, dict):
        raise corrupt(str(path), "no_json", where=path.name)
    return body


def _files(folder: Path) -> tuple[Path, ...]:
    """The weight files: one, or those that the index names; an index can name none outside of the folder."""
    index = folder / INDEX
    if index.is_file():
        listed = read_json(index).get("weight_map")
        names = set(listed.values()) if isinstance(listed, dict) and _texts(listed.values()) else set()
        if not names or any(Path(name).name != name or "\\" in name for name in names):
            raise corrupt(str(index), "no_json", where=index.name)
        files = tuple(folder / name for name in sorted(names))
    else:
        files = (folder / SINGLE,) if (folder / SINGLE).is_file() else tuple(sorted(folder.glob("*.safetensors")))
    if not files:
        pickled = any(folder.glob("*.bin")) or any(folder.glob("*.pt")) or any(folder.glob("*.pth"))
        raise NotConvertible(str(folder), "only_pickles" if pickled else "no_weights")
    for path in files:
        if not path.is_file():
            raise FileMissing(str(path))
    return files


def _texts(found: Any) -> bool:
    return all(isinstance(item, str) for item in found)
