"""The models in a folder that a person names in the settings: GGUF files, called by their names without the ending."""

from collections.abc import Iterator
from pathlib import Path

from abierto.formats.split import whole_name
from abierto.store import gguf_folder
from abierto.store.foreign import ForeignModel

OWNER = "folder"
_DEPTH = 4


def models(folder: Path) -> Iterator[ForeignModel]:
    """The models in the folder and those below it, each also by its path there."""
    for found in gguf_folder.find(folder, _DEPTH):
        name = whole_name(found.path.rsplit("/", 1)[-1])[: -len(gguf_folder.SUFFIX)]
        also = (found.path, found.path[: -len(gguf_folder.SUFFIX)])
        yield ForeignModel(name, OWNER, folder, found.files, found.projector, also)
