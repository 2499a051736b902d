"""A model in the stand-in for a hub, and what tests of its pulls look at."""

import random
from pathlib import Path

from abierto.store import records, sources
from abierto.store.records import Record

NAME = "tiny:1b"
REPOSITORY = "ana/Tiny-GGUF"
FILE = "Tiny-Q4_K_M.gguf"
WEIGHTS = random.Random(4).randbytes(1_500_000)
SOURCE = sources.parse(f"hf:{REPOSITORY}:{FILE}")


def in_cache(cache: Path) -> dict[str, int]:
    """The files with a model's bytes that the cache holds, whole or not, by name and size."""
    blobs = (path for path in cache.rglob("blobs/*"))
    return {path.name: path.stat().st_size for path in blobs}


def pulled(folder: Path, name: str = NAME) -> Record:
    """The record of a model that is there and whole."""
    record = records.get(folder, name)
    assert record
    assert record.intact
    return record
