"""Folders of other programs, as those programs leave them, written by a test. It knows nothing of our code."""

import json
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

KIND = "application/vnd.ollama.image."
COMMIT = "c" * 40


@dataclass(frozen=True)
class Ollama:
    """The folder that OLLAMA_MODELS names."""

    folder: Path

    def blob(self, content: bytes) -> Path:
        """Where a layer of this content lies."""
        return self.folder / "blobs" / f"sha256-{sha256(content).hexdigest()}"

    def manifest(self, name: str, host: str = "registry.ollama.ai", namespace: str = "library") -> Path:
        """Where the manifest of `model:tag` lies."""
        return self.folder.joinpath("manifests", host, namespace, *name.split(":"))

    def add(self, name: str, content: bytes, projector: bytes = b"", **place: str) -> Path:
        """A model that is whole; returns its blob."""
        layers = [self.layer("model", content), self.layer("license", b"MIT"), self.layer("params", b"{}")]
        layers += [self.layer("projector", projector)] if projector else []
        self.write(name, {"schemaVersion": 2, "layers": layers}, **place)
        return self.blob(content)

    def layer(self, kind: str, content: bytes) -> dict[str, Any]:
        """A layer, whose blob is written."""
        blob = self.blob(content)
        blob.parent.mkdir(parents=True, exist_ok=True)
        blob.write_bytes(content)
        return {"mediaType": KIND + kind, "digest": blob.name.replace("-", ":", 1), "size": len(content)}

    def write(self, name: str, manifest: Any, **place: str) -> Path:
        """A manifest, or whatever is to lie in its place."""
        path = self.manifest(name, **place)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(manifest if isinstance(manifest, bytes) else json.dumps(manifest).encode())
        return path


def put(folder: Path, path: str, content: bytes) -> Path:
    """A file in a folder, with the folders above it."""
    place = folder / path
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(content)
    return place


def in_hub_cache(cache: Path, repository: str, path: str, content: bytes, commit: str = COMMIT) -> Path:
    """A file in the Hugging Face cache, shown by the main branch; returns where it is shown."""
    folder = cache / f"models--{repository.replace('/', '--')}"
    blob = put(folder, f"blobs/{sha256(content).hexdigest()}", content)
    shown = folder.joinpath("snapshots", commit, *path.split("/"))
    shown.parent.mkdir(parents=True, exist_ok=True)
    shown.symlink_to(blob)
    put(folder, "refs/main", commit.encode())
    return shown
