"""What can go wrong with a disk, told apart: no room, or no permission. It knows nothing of models."""

import errno
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from abierto.errors import FolderNotWritable, NotEnoughDisk

# Nothing left, nothing left for this person, or more than the file system allows in one file.
_FULL = (errno.ENOSPC, getattr(errno, "EDQUOT", errno.ENOSPC), errno.EFBIG)


def require(folder: Path, needed: int) -> None:
    """Raise NotEnoughDisk unless so many bytes are free where the folder is."""
    with writing(folder, needed):
        free = shutil.disk_usage(folder).free
    if needed > free:
        raise NotEnoughDisk(str(folder), needed, free)


@contextmanager
def writing(folder: Path, needed: int = 0) -> Iterator[None]:
    """Tell of what the system refuses in here as NotEnoughDisk or FolderNotWritable."""
    try:
        yield
    except OSError as problem:
        if problem.errno not in _FULL:
            raise FolderNotWritable(str(folder)) from None
        free = shutil.disk_usage(folder).free
        raise NotEnoughDisk(str(folder), max(needed, free + 1), free) from None


def replace(fresh: Path, target: Path) -> None:
    """Move a file to its place in one step that also survives a loss of power. Raises OSError."""
    with fresh.open("rb+") as file:
        os.fsync(file.fileno())
    fresh.replace(target)
    # Windows cannot open a folder, and needs no such thing.
    with suppress(OSError):
        handle = os.open(target.parent, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
