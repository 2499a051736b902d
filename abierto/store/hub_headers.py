"""Fetches of a model in a hub what tells of it, and no weights: the headers of its files, and the texts beside them.

What arrives is kept in a folder, in files that have the size of the others and holes where nothing was fetched. So many
bytes are fetched at most that a page of the web is as large; a file for which they do not suffice is left out.
"""

import re
import zipfile
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from abierto.errors import AbiertoError, CorruptFile, FileMissing, NotAModel, SourceError, SourceUnreachable
from abierto.formats import (
    gguf,
    joblib_file,
    keras_file,
    keras_h5,
    model_texts,
    numpy_arrays,
    onnx_file,
    pickle_machine,
    torch_file,
)
from abierto.formats.detect import PROBE_SIZE, looks_like
from abierto.store import hub
from abierto.store.hub_choice import HubFile, choose
from abierto.store.link import Link, open_link
from abierto.store.pip_settings import PipSettings
from abierto.store.ranges import Purse, RangeFile, Spent
from abierto.store.sources import HubSource

MOST = 16_000_000  # bytes of a model
MOST_OF_FILE = 10_000_000
MOST_REQUESTS = 1_000
MOST_REQUESTS_OF_FILE = 100
FAILURE = 250  # requests that one counts for that failed
MAX_FILES = 500
MAX_TEXT = 3_000_000
MAX_HEADER = 9_000_000
_WEIGHTS = (
    *(".safetensors", ".gguf", ".bin", ".pt", ".pth", ".ckpt", ".onnx", ".h5", ".keras", ".pb", ".msgpack"),
    *(".npy", ".npz", ".joblib", ".pkl"),
)
_PACKED = (".joblib", ".pkl")  # perhaps as a whole, so that no part tells of the rest
_TEXTS = ("readme.md", *model_texts.READERS)
_LICENSES = re.compile(r"(licen[cs]e|copying|notice)([-_. ].*)?", re.IGNORECASE)
_NO_NAME = re.compile(r'[\x00-\x1f\x7f\\<>:"|?*]')


@dataclass(slots=True)
class Fetched:
    """What came of it. hashes: by file, as the hub promises them. left_out: files of which too little is here.

    modified: when the commit was published, in UTC.
    """

    folder: Path
    commit: str
    hashes: dict[str, str] = field(default_factory=dict)
    left_out: list[HubFile] = field(default_factory=list)
    bytes: int = 0
    modified: str = ""


def fetch(source: HubSource, folder: Path, certificates: str | None = None) -> Fetched:
    """Ask the hub, and fetch into the folder.

    Raises PackageMissing, RepositoryNotFound, GatedModel, SourceUnreachable; AmbiguousFile and FileNotInRepository for
    a source with a pattern.
    """
    listing = _asked(source, certificates)
    if listing.unasked:
        raise SourceUnreachable(listing.host, listing.unasked)
    wanted = {file.path for file in choose(source, listing.files)} if source.pattern else None
    found = Fetched(folder, listing.commit, modified=listing.modified)
    purse = Purse(MOST, MOST_REQUESTS)
    files = sorted(listing.files, key=_order)
    link = open_link(files[0].url, PipSettings(timeout=listing.timeout), certificates) if files else None
    if not link:
        return found
    if listing.authorization:
        link = replace(link, headers={**link.headers, "Authorization": listing.authorization})
    with closing(link):
        for number, file in enumerate(files):
            if wanted is not None and file.path.lower().endswith(_WEIGHTS) and file.path not in wanted:
                continue
            if file.sha256:
                found.hashes[file.path] = file.sha256
            if number >= MAX_FILES or not _one(replace(link, url=file.url), file, folder, purse):
                found.left_out.append(file)
    found.bytes = MOST - purse.bytes
    return found


def _order(file: HubFile) -> tuple[bool, int, str]:
    """Texts first: they are small, and say the most."""
    return (file.path.lower().endswith(_WEIGHTS), file.path.count("/"), file.path)


def _asked(source: HubSource, certificates: str | None) -> hub.Listing:
    with closing(hub.ask(source, certificates)) as steps:
        while True:
            try:
                next(steps)
            except StopIteration as end:
                listing: hub.Listing = end.value
                return listing


def _one(link: Link, file: HubFile, folder: Path, purse: Purse) -> bool:
    """Whether enough of a file is here to tell what is in it."""
    place = folder / file.path
    if _NO_NAME.search(file.path):
        return False
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        own = Purse(min(MOST_OF_FILE, purse.bytes), MOST_REQUESTS_OF_FILE)
        with RangeFile(link, place, file.size, purse, own) as remote:
            enough = _walk(remote, file, place)
    except OSError:  # Spent, and names or sizes that the disk has no room for
        enough = False
    except SourceError:
        enough = False
        purse.requests -= FAILURE  # a server that is gone is not waited for at each file
    if not enough:
        with suppress(OSError):
            place.unlink()
    return enough


def _walk(remote: RangeFile, file: HubFile, place: Path) -> bool:
    """Read what a reader will read, so that it is here."""
    start = remote.read(PROBE_SIZE)
    found = looks_like(start)
    low = file.name.lower()
    if low in _TEXTS or low.endswith((".index.json", ".jinja")) or found == "openvino" or _LICENSES.fullmatch(low):
        return file.size <= MAX_TEXT and _read(remote, 0, file.size)
    if found == "safetensors":
        length = int.from_bytes(start[:8], "little")
        return length <= MAX_HEADER and _read(remote, 8, length)
    if found == "gguf":
        return _gguf(remote, file, place)
    if found == "zip":
        return _zip(remote, place)
    if found == "onnx" or low.endswith(".onnx"):
        with suppress(AbiertoError):
            onnx_file.read_open(cast(IO[bytes], remote), str(place), lambda _: None)
        return True
    if found == "pickle":
        for _ in range(5):
            pickle_machine.follow(cast(IO[bytes], remote), joblib_file.skip_array)
        return True
    if low.endswith(_PACKED):
        return file.size <= MAX_TEXT and _read(remote, 0, file.size)
    if found == "numpy":
        with suppress(CorruptFile):
            numpy_arrays.read_open(cast(IO[bytes], remote), place)
        return True
    if found == "hdf5":
        keras_h5.Found().read(cast(IO[bytes], remote), place)
        return True
    return found != "unknown" or not low.endswith(_WEIGHTS)


def _read(remote: RangeFile, start: int, count: int) -> bool:
    remote.seek(start)
    remote.read(count)
    return True


def _gguf(remote: RangeFile, file: HubFile, place: Path) -> bool:
    """Nobody knows how long such a header is before it was read; what is too short, ends early."""
    count = 1_000_000
    while count < MOST_OF_FILE:
        _read(remote, 0, min(count, file.size))
        if count >= file.size:
            return True
        remote.cut(count)
        try:
            gguf.read_header(place)
            enough = True
        except (FileMissing, NotAModel):
            enough = True
        except CorruptFile as error:
            enough = error.fault != "truncated"
        finally:
            remote.cut(file.size)
        if enough:
            return True
        count *= 2
    return False


def _zip(remote: RangeFile, place: Path) -> bool:
    try:
        with zipfile.ZipFile(remote) as archive:
            for one in archive.infolist():
                if one.filename.endswith((*torch_file.READ, *keras_file.READ)) and one.file_size <= MAX_TEXT:
                    archive.read(one)
            if keras_file.is_archive(archive.namelist()):
                _variables(archive, remote, place)
            elif numpy_arrays.is_archive(archive.namelist()):
                numpy_arrays.of_archive(place, archive)
    except (zipfile.BadZipFile, NotImplementedError, ValueError, RuntimeError, CorruptFile):
        pass  # what is wrong with it, its reader tells
    return True


def _variables(archive: zipfile.ZipFile, remote: RangeFile, place: Path) -> None:
    """Those of Keras. What there is too much of is left out whole, and the layers are told without it."""
    file = cast(IO[bytes], remote)
    try:
        for _ in keras_file.read_weights(keras_h5.Found(), archive, file, place):
            pass
    except (Spent, CorruptFile):
        for one in archive.infolist():
            if one.filename.endswith(keras_file.WEIGHTS):
                remote.blank(one.header_offset, len(keras_file.HOLE))
