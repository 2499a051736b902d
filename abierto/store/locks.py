"""Who is at a model, across processes: many use it, one pulls it, nobody uses what is being changed.

The operating system holds the locks, so a process that dies, however it dies, lets go of them. This file
knows nothing of what lies in the folder.
"""

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from abierto.errors import BusyError, FolderNotWritable, ModelInUse, PullInProgress
from abierto.store import layout

# A file system that cannot lock at all, as some network mounts; there, one goes on without.
_NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)

if sys.platform == "win32":
    import msvcrt

    # The C library of Windows knows only exclusive locks, but on ranges: one user locks one byte, one who
    # changes locks them all. More users at once than bytes are treated like a change that does not end.
    _SLOTS = 256

    def _try(handle: int, start: int, length: int, mode: int) -> bool:
        os.lseek(handle, start, os.SEEK_SET)
        try:
            msvcrt.locking(handle, mode, length)
        except OSError:
            return False
        return True

    def _try_exclusive(handle: int) -> bool:
        return _try(handle, 0, _SLOTS, msvcrt.LK_NBLCK)

    def _wait_shared(handle: int) -> bool:
        if any(_try(handle, slot, 1, msvcrt.LK_NBLCK) for slot in range(_SLOTS)):
            return True
        return _try(handle, os.getpid() % _SLOTS, 1, msvcrt.LK_LOCK)  # tries for ten seconds

else:
    import fcntl

    def _lock(handle: int, operation: int) -> bool:
        try:
            fcntl.flock(handle, operation)
        except OSError as problem:
            if problem.errno in (errno.EWOULDBLOCK, errno.EACCES):
                return False
            if problem.errno not in _NO_LOCKS:
                raise
        return True

    def _try_exclusive(handle: int) -> bool:
        return _lock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def _wait_shared(handle: int) -> bool:
        return _lock(handle, fcntl.LOCK_SH)


@contextmanager
def use(folder: Path, name: str) -> Iterator[None]:
    """Hold a model while it is loaded. Waits for the moment that somebody else takes to replace or remove it.

    Read the model's record inside of this, not before. A folder that cannot be written, and in which no pull
    has left the file to lock, is used without a lock: nobody can change it from here either.
    """
    handle = _open_shared(layout.lock_path(folder, name, "use"))
    try:
        if handle is not None and not _wait_shared(handle):
            raise ModelInUse(name)
        yield
    finally:
        if handle is not None:
            os.close(handle)


@contextmanager
def pulling(folder: Path, name: str) -> Iterator[None]:
    """Be the only one to pull a model. Raises PullInProgress at once, or FolderNotWritable."""
    with holding(layout.lock_path(folder, name, "pull"), PullInProgress(name)):
        # Made by whoever may write here, so that those who may only read have something to lock.
        os.close(_open(layout.lock_path(folder, name, "use")))
        yield


@contextmanager
def replacing(folder: Path, name: str) -> Iterator[None]:
    """Keep everybody from using a model while its file changes. Raises ModelInUse at once."""
    with holding(layout.lock_path(folder, name, "use"), ModelInUse(name)):
        yield


@contextmanager
def change(folder: Path, name: str) -> Iterator[None]:
    """Have a model for oneself: nobody pulls it, nobody uses it. Raises PullInProgress, ModelInUse."""
    with pulling(folder, name), replacing(folder, name):
        yield


@contextmanager
def holding(path: Path, busy: BusyError) -> Iterator[None]:
    """Have a file to lock for oneself. Raises `busy` at once, or FolderNotWritable."""
    try:
        handle = _open(path)
    except OSError:
        raise FolderNotWritable(str(path.parent.parent)) from None
    try:
        if not _try_exclusive(handle):
            raise busy
        yield
    finally:
        os.close(handle)


def _open(path: Path) -> int:
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
    except FileNotFoundError:
        path.parent.mkdir(parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT, 0o666)


def _open_shared(path: Path) -> int | None:
    with suppress(OSError):
        return _open(path)
    with suppress(OSError):
        return os.open(path, os.O_RDONLY)
    return None
