"""The models that LM Studio keeps: GGUF files under their makers' names.

<home>/.lmstudio-home-pointer                     where LM Studio's own folder is, if it is not one of these two
<home>/.lmstudio/models/<publisher>/<model>/...   model files, and `mmproj` files beside
<home>/.cache/lm-studio/models/...                the same, in its older versions
<its own folder>/settings.json                    `downloadsFolder`: another folder for the models
"""

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from abierto.store import gguf_folder
from abierto.store.foreign import ForeignModel

OWNER = "lm_studio"
_DEPTH = 3  # publisher, model, and a folder of a quantisation
_LARGEST_SETTINGS = 1 << 20  # bytes


def models(home: Path) -> Iterator[ForeignModel]:
    """The models in all of the folders, each once, by the name `publisher/model/file.gguf`."""
    seen: set[Path] = set()
    for folder in _folders(home):
        for found in gguf_folder.find(folder, _DEPTH):
            if found.files[0].path not in seen:
                seen.add(found.files[0].path)
                also = (found.path[: -len(gguf_folder.SUFFIX)],)
                yield ForeignModel(found.path, OWNER, folder, found.files, found.projector, also)


def _folders(home: Path) -> Iterator[Path]:
    own = [home / ".lmstudio", home / ".cache" / "lm-studio"]
    with suppress(OSError, ValueError, IndexError):
        own.insert(0, Path(_small(home / ".lmstudio-home-pointer").decode().splitlines()[0].strip()))
    for place in own:
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            yield Path(json.loads(_small(place / "settings.json"))["downloadsFolder"])
        yield place / "models"


def _small(path: Path) -> bytes:
    if not path.is_file() or path.stat().st_size > _LARGEST_SETTINGS:
        raise ValueError(path)
    return path.read_bytes()
