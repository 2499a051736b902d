"""Read a file to its end, to know its SHA-256. It judges nothing: whoever asks knows what it should be."""

from collections.abc import Generator
from hashlib import sha256
from pathlib import Path

from abierto.store.progress import PullProgress
from abierto.store.records import ModelFile

_BLOCK = 1 << 18


def read(path: Path) -> Generator[PullProgress, None, ModelFile]:
    """The file as it is now, with its SHA-256. Raises OSError."""
    digest, done = sha256(), 0
    with path.open("rb") as content:
        # Before reading: if somebody writes to it meanwhile, its time will not be this one.
        state = path.stat()
        while block := content.read(_BLOCK):
            digest.update(block)
            done += len(block)
            yield PullProgress("verify", done, state.st_size)
    return ModelFile(path, state.st_size, state.st_mtime_ns, digest.hexdigest())
