# SPDX-License-Identifier: Apache-2.0
"""Fetches the sources from the npm registry, and takes files out of their archives. It believes nothing but hashes."""

import json
import tarfile
from collections.abc import Generator
from contextlib import closing
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing, HashMismatch
from abierto.formats.faults import corrupt
from abierto.recipes.trazo.hashes import sha256_of
from abierto.recipes.trazo.settings import Source
from abierto.store import disk, download, pip_settings
from abierto.store.link import open_link
from abierto.store.progress import PullProgress

REGISTRY = "https://registry.npmjs.org"
LARGEST = 64 << 20  # bytes of an archive


def fetch(sources: tuple[Source, ...], folder: Path, registry: str = REGISTRY) -> Generator[PullProgress, None, None]:
    """Bring the archives that are not in the folder yet, and read all of them once.

    Raises SourceUnreachable, DownloadInterrupted, HashMismatch, NotEnoughDisk, FolderNotWritable.
    """
    with disk.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    settings = None
    for source in sources:
        target = folder / source.local
        if target.is_file():
            _check(target, source)
            continue
        settings = settings or pip_settings.read()
        part = target.with_suffix(".part")
        with closing(open_link(f"{registry}/{source.package}/-/{source.filename}", settings)) as link:
            yield from download.download(link, part, source.sha256, reserve=0, limit=LARGEST)
        disk.replace(part, target)


def _check(path: Path, source: Source) -> None:
    found = sha256_of(path)
    if found != source.sha256:
        raise HashMismatch(str(path), source.sha256, found)


def members(archive: Path, *names: str) -> list[Any]:
    """The JSON files of these names inside of an archive. Raises FileMissing, CorruptFile."""
    try:
        with tarfile.open(archive, "r:gz") as found:
            return [json.load(_member(found, archive, name)) for name in names]
    except FileNotFoundError:
        raise FileMissing(str(archive)) from None
    except (tarfile.TarError, OSError, ValueError, EOFError):
        raise corrupt(str(archive), "archive") from None


def _member(found: tarfile.TarFile, archive: Path, name: str) -> Any:
    try:
        opened = found.extractfile(f"package/{name}")
    except KeyError:
        raise FileMissing(f"{archive}: {name}") from None
    assert opened is not None
    return opened
