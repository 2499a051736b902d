"""The GGUF models in a Hugging Face cache, whoever brought them. It asks no network; `hub_cache` draws the layout.

A file that a link leads to is called by its SHA-256 there; a link that leads nowhere is no file.
"""

import os
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from abierto.store import gguf_folder
from abierto.store.foreign import ForeignFile, ForeignModel
from abierto.store.gguf_folder import Found
from abierto.store.hub_choice import HubFile, choose
from abierto.store.sources import HubSource

OWNER = "hub"
_PREFIX = "models--"
_MAIN = "main"
_DEPTH = 3
_SHA256 = re.compile("[0-9a-f]{64}")


def models(cache: Path, repository: str = "") -> Iterator[ForeignModel]:
    """The models of all repositories, or of one, by the name `owner/name/path`, each in its newest revision."""
    with suppress(OSError):
        for folder in sorted(cache.glob(f"{_PREFIX}*")):
            name = _repository(folder)
            if not repository or repository.lower() == name.lower():
                yield from _models_of(folder, name)


def named(cache: Path, name: str) -> Iterator[ForeignModel]:
    """The models that a person may mean by a name. Only one repository is looked into."""
    repository = "/".join(name.split("/")[:2])
    return (model for model in models(cache, repository) if model.answers_to(name))


def of_source(cache: Path, source: HubSource) -> ForeignModel | None:
    """The model that a source means, where the cache has the revision. Raises AmbiguousFile, FileNotInRepository."""
    folder = cache / f"{_PREFIX}{source.repository.replace('/', '--')}"
    snapshot = _snapshot(folder, source.revision or _MAIN)
    found = list(gguf_folder.find(snapshot, _DEPTH)) if snapshot else []
    if not snapshot or not found:
        return None
    places = {file.path.relative_to(snapshot).as_posix(): (file, model) for model in found for file in model.files}
    chosen = choose(source, [HubFile(path, file.size, None, "") for path, (file, _) in places.items()])
    files = tuple(_hashed(places[file.path][0]) for file in chosen)
    return ForeignModel(str(source), OWNER, snapshot, files, places[chosen[0].path][1].projector)


def _models_of(folder: Path, repository: str) -> Iterator[ForeignModel]:
    found: dict[str, tuple[Path, Found]] = {}
    for snapshot in _snapshots(folder):
        for model in gguf_folder.find(snapshot, _DEPTH):
            found.setdefault(model.path, (snapshot, model))
    for path, (snapshot, model) in found.items():
        name = f"{repository}/{path}"
        also = (name[: -len(gguf_folder.SUFFIX)], *([repository] if len(found) == 1 else ()))
        files = tuple(map(_hashed, model.files))
        yield ForeignModel(name, OWNER, snapshot, files, model.projector, also)


def _snapshots(folder: Path) -> list[Path]:
    """The revisions that the cache has: first that of the main branch, then the others, the newest first."""
    main = _snapshot(folder, _MAIN)
    with suppress(OSError):
        found = sorted((folder / "snapshots").iterdir(), key=lambda path: -path.stat().st_mtime)
        return [*([main] if main else ()), *(path for path in found if path != main)]
    return []


def _snapshot(folder: Path, revision: str) -> Path | None:
    commit = revision
    with suppress(OSError, ValueError):
        commit = (folder / "refs" / revision).read_text("utf-8").strip()
    # A reference that was tampered with leads no further than to a folder of this one.
    place = folder / "snapshots" / commit
    return place if re.fullmatch(r"[A-Za-z0-9._-]+", commit) and commit not in (".", "..") and place.is_dir() else None


def _hashed(file: ForeignFile) -> ForeignFile:
    blob = Path(os.path.realpath(file.path)).name
    return replace(file, sha256=blob if _SHA256.fullmatch(blob) else None)


def _repository(folder: Path) -> str:
    return folder.name.removeprefix(_PREFIX).replace("--", "/", 1)
