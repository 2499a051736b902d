"""How far the making of a model is, in bytes. It knows no clock: whoever shows it computes speed and time left."""

from collections.abc import Generator, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from abierto.errors import FileMissing
from abierto.store import disk, verify


@dataclass(frozen=True, slots=True)
class Step:
    """stage: `verify` (reading what it is made of, to know its SHA-256) or `write`."""

    stage: str
    done: int
    total: int


def hashed(path: Path) -> Generator[Step, None, str]:
    """Read a file to its end; returns its SHA-256. Raises FileMissing."""
    try:
        with closing(verify.read(path)) as reading:
            while True:
                step = next(reading)
                yield Step("verify", step.done, step.total or step.done)
    except StopIteration as end:
        sha256: str = end.value.sha256
        return sha256
    except OSError:
        raise FileMissing(str(path)) from None


def by_file(hashes: Mapping[str, str]) -> dict[str, str]:
    """The SHA-256 of what a model was made of, by the keys of a lineage: `sha256`, or `sha256 FILE` for several."""
    return {"sha256" if len(hashes) == 1 else f"sha256 {file}": digest for file, digest in hashes.items()}


def written(work: Generator[int, None, str], size: int, folder: Path) -> Generator[Step, None, str]:
    """The steps of a file that is being written; returns its SHA-256. Raises NotEnoughDisk, FolderNotWritable."""
    with closing(work):
        while True:
            try:
                with disk.writing(folder, size):
                    done = next(work)
            except StopIteration as end:
                sha256: str = end.value
                return sha256
            yield Step("write", done, size)
