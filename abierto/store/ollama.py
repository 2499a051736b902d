"""The models that Ollama keeps: which files of its folder each one is made of.

    <folder>/manifests/<host>/<namespace>/<model>/<tag>    JSON: the layers of a model
    <folder>/blobs/sha256-<hash>                           a layer
    <folder>/blobs/sha256-<hash>-partial                   one that is being fetched, at its full size from the start

Of the layers only the model and the projector are used; the template, the parameters and the system prompt that
Ollama adds are not. Layout: https://github.com/ollama/ollama/tree/main/manifest. Nothing in a manifest can name a file
outside of `blobs`.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abierto.store.foreign import ForeignFile, ForeignModel

OWNER = "ollama"
_HOST, _NAMESPACE, _TAG = "registry.ollama.ai", "library", "latest"
_KIND = "application/vnd.ollama.image."
_DIGEST = re.compile(r"sha256[:-]([0-9a-f]{64})")
_LARGEST_MANIFEST = 1 << 20  # bytes; real ones have one or two thousand


def models(folder: Path) -> Iterator[ForeignModel]:
    """The models that are run here: not those that Ollama runs elsewhere, nor such without a GGUF file."""
    for names, path in _manifests(folder):
        model = _read(folder, names, path)
        if model:
            yield model


def named(folder: Path, name: str) -> Iterator[ForeignModel]:
    """The models that a person may mean by a name; only their manifests are read."""
    for names, path in _manifests(folder):
        if name.lower() in (known.lower() for known in names):
            model = _read(folder, names, path)
            if model:
                yield model


def _manifests(folder: Path) -> Iterator[tuple[tuple[str, ...], Path]]:
    """The names of each model, that which Ollama shows first, and where its manifest lies."""
    root = folder / "manifests"
    try:
        found = sorted(root.glob("*/*/*/*"))
    except OSError:
        return
    for path in found:
        host, namespace, model, tag = path.relative_to(root).parts
        if path.name.startswith("."):
            continue
        short = model if (host, namespace) == (_HOST, _NAMESPACE) else f"{namespace}/{model}"
        short = short if host == _HOST else f"{host}/{namespace}/{model}"
        names = [f"{short}:{tag}", f"{host}/{namespace}/{model}:{tag}"]
        yield (*names, *([short] if tag == _TAG else ())), path


def _read(folder: Path, names: tuple[str, ...], path: Path) -> ForeignModel | None:
    try:
        if not path.is_file():
            return None
        if path.stat().st_size > _LARGEST_MANIFEST:
            raise ValueError
        layers = list(_layers(folder, json.loads(path.read_bytes())))
    except PermissionError:
        return None
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return ForeignModel(names[0], OWNER, path, also=names[1:], fault="manifest")
    files = tuple(file for kind, file in layers if kind == "model")
    if not files:
        return None
    projector = next((file for kind, file in layers if kind == "projector"), None)
    adapted = any(kind == "adapter" for kind, _ in layers)
    return ForeignModel(names[0], OWNER, path, files[:1], projector, names[1:], "adapter" if adapted else "")


def _layers(folder: Path, body: dict[str, Any]) -> Iterator[tuple[str, ForeignFile]]:
    for layer in body["layers"]:
        kind = str(layer["mediaType"])
        if kind.removeprefix(_KIND) in ("model", "projector", "adapter"):
            digest = _DIGEST.fullmatch(layer["digest"])
            if not digest or type(layer["size"]) is not int or layer["size"] < 0:
                raise ValueError(layer)
            blob = folder / "blobs" / f"sha256-{digest[1]}"
            yield kind.removeprefix(_KIND), ForeignFile(blob, layer["size"], digest[1])
