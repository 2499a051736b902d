"""Models in a Hugging Face hub: which of a repository's files is meant, and how it comes into the hub's own cache.

The hub is asked, and the cache is kept in order, by its client library (`hub_client`). The file itself is fetched as
every other one here, so that it goes on where an earlier pull stopped, and is verified while it arrives. This file
knows no records of models: whoever calls it writes down what it returns.
"""

import json
import os
import subprocess
import sys
from collections.abc import Generator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from abierto.errors import (
    FileMissing,
    FileNotInRepository,
    GatedModel,
    HashMismatch,
    PackageMissing,
    PullInProgress,
    RepositoryNotFound,
    SourceUnreachable,
)
from abierto.store import disk, hub_cache, locks, verify
from abierto.store.download import download
from abierto.store.hub_choice import HubFile, choose
from abierto.store.link import Link, open_link
from abierto.store.pip_settings import PipSettings
from abierto.store.progress import PullProgress
from abierto.store.pypi import host_of
from abierto.store.records import ModelFile
from abierto.store.sources import HubSource

PACKAGE, EXTRA = "huggingface_hub", "hub"
_MAIN = "main"
_PROGRAM = Path(__file__).with_name("hub_client.py")
# How often whoever waits is told that we still do, in seconds.
_BEAT = 0.1
# How many files are named on one command line, which no system lets grow without end.
_AT_ONCE = 50
# What the library is told. Xet is off because what it has fetched of a file is lost when it is stopped.
_SETTINGS = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_DISABLE_UPDATE_CHECK": "1",
    "HF_HUB_DISABLE_SYMLINKS_WARNING": "1",
    "HF_HUB_DISABLE_XET": "1",
    "PYTHONWARNINGS": "ignore",
}


@dataclass(frozen=True, slots=True)
class Listing:
    """The files of a repository at one commit.

    folder: the repository's place in the cache. timeout: seconds of silence that are borne. unasked: why the hub could
    not be asked, where the files are those that the cache has. modified: when the commit was published, in UTC.
    """

    commit: str
    folder: Path
    files: tuple[HubFile, ...]
    host: str
    timeout: float
    authorization: str | None = field(default=None, repr=False)
    unasked: str = ""
    modified: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """What to bring. partial: the workplace of the pull, which notes here what it lets grow in the cache.

    sha256: what the first file must have. certificates: see `open_link`.
    """

    source: HubSource
    name: str
    partial: Path
    sha256: str | None = None
    certificates: str | None = None


def fetch(request: Request) -> Generator[PullProgress, None, tuple[ModelFile, ...]]:
    """Bring a model's files into the cache, those that are not there yet, and verify them.

    Closing the generator stops; what has arrived is kept. Raises PackageMissing, AmbiguousFile, PullInProgress,
    NotEnoughDisk, FolderNotWritable and the kinds of SourceError.
    """
    listing = yield from ask(request.source, request.certificates)
    chosen = _chosen(request.source, listing)
    promised = chosen[0].sha256
    if request.sha256 and promised not in (None, request.sha256):
        raise HashMismatch(str(request.source), request.sha256, str(promised))
    # What an earlier pull had fetched before something stopped it is as much ours as what this one fetches.
    ours: set[str | None] = {path.stem for path in hub_cache.begun(request.partial)}
    ours |= yield from _download(request, listing, chosen)
    places = {file: hub_cache.shown(listing.folder, listing.commit, file.path) for file in chosen}
    hidden = [file for file, place in places.items() if not place.is_file()]
    yield from _show(request, listing, hidden)
    done = []
    for file, place in places.items():
        brought = file.sha256 in ours if file.sha256 else file in hidden
        whole = _one_copy(listing, file, place, brought)
        done.append((yield from _verified(file, place, brought, whole)))
    if request.sha256 not in (None, done[0].sha256):
        raise HashMismatch(str(request.source), str(request.sha256), done[0].sha256)
    return tuple(done)


def ask(source: HubSource, certificates: str | None = None) -> Generator[PullProgress, None, Listing]:
    """What the repository holds; where the hub does not answer, or must not be asked, what the cache has of it.

    Raises PackageMissing, RepositoryNotFound, GatedModel, SourceUnreachable.
    """
    said = yield from _told(source, certificates, "list", source.revision or _MAIN)
    # A path that would lead out of the cache is no name that a repository can give a file.
    files = tuple(HubFile(**file) for file in said["files"] if not {"", ".", ".."} & {*file["path"].split("/")})
    host, unasked = host_of(said["endpoint"]), said.get("unasked", "")
    timeout, authorization = said["timeout"], said["authorization"]
    folder, modified = Path(said["folder"]), said.get("modified", "")
    return Listing(said["commit"], folder, files, host, timeout, authorization, unasked, modified)


def _chosen(source: HubSource, listing: Listing) -> tuple[HubFile, ...]:
    try:
        return choose(source, listing.files)
    except FileNotInRepository:
        if not listing.unasked:
            raise
        # The cache has something else of this repository, which says nothing about what the hub has.
        raise SourceUnreachable(listing.host, listing.unasked) from None


def _is_there(listing: Listing, file: HubFile) -> bool:
    places = [hub_cache.shown(listing.folder, listing.commit, file.path)]
    places += [hub_cache.blob(listing.folder, file.sha256)] if file.sha256 else []
    # What has no promised hash is small enough for git, and is brought by the library when it shows it.
    return file.sha256 is None or any(place.is_file() for place in places)


def _download(
    request: Request, listing: Listing, chosen: Sequence[HubFile]
) -> Generator[PullProgress, None, set[str | None]]:
    """Fetch the files that the cache lacks; returns their hashes."""
    missing = [file for file in chosen if not _is_there(listing, file)]
    blobs = {file: hub_cache.blob(listing.folder, str(file.sha256)) for file in missing}
    growing = {file: hub_cache.incomplete(listing.folder, str(file.sha256)) for file in missing}
    wanted = {hub_cache.incomplete(listing.folder, str(file.sha256)) for file in chosen}
    hub_cache.drop_begun(request.partial, keep=wanted)
    if not missing:
        return set()
    # With the parts that an earlier pull has brought to their end: they are still to be told from those of others.
    begun = wanted & set(hub_cache.begun(request.partial))
    with disk.writing(request.partial.parent):
        hub_cache.note_begun(request.partial, begun | set(growing.values()))
    with disk.writing(listing.folder):
        (listing.folder / "blobs").mkdir(parents=True, exist_ok=True)
    total = sum(file.size for file in missing)
    disk.require(listing.folder / "blobs", total - hub_cache.begun_bytes(request.partial))
    done = resumed = 0
    for file in missing:
        if blobs[file].is_file():
            continue  # two parts of the same content
        last = PullProgress("download", 0)
        lock = hub_cache.lock(listing.folder, str(file.sha256))
        with locks.holding(lock, PullInProgress(request.name)):
            for step in _fetched(request, listing, file, growing[file]):
                if step.stage == "download":
                    last = step
                    step = PullProgress("download", done + step.done, total, resumed + step.resumed)
                yield step
            with disk.writing(listing.folder):
                disk.replace(growing[file], blobs[file])
        done, resumed = done + last.done, resumed + last.resumed
    return {file.sha256 for file in missing}


def _fetched(request: Request, listing: Listing, file: HubFile, part: Path) -> Generator[PullProgress, None, None]:
    link = _link(listing, file, request.certificates)
    try:
        with closing(download(link, part, str(file.sha256), reserve=0, limit=file.size)) as steps:
            yield from steps
    except HashMismatch:
        part.unlink(missing_ok=True)
        raise
    finally:
        link.close()


def _link(listing: Listing, file: HubFile, certificates: str | None) -> Link:
    link = open_link(file.url, PipSettings(timeout=listing.timeout), certificates)
    # Where the hub sends us on to another host, the library below leaves this behind.
    headers = {"Authorization": listing.authorization} if listing.authorization else {}
    return replace(link, headers={**link.headers, **headers})


def _show(request: Request, listing: Listing, files: Sequence[HubFile]) -> Generator[PullProgress, None, None]:
    """Let the files appear under their own names, where other programs look for them too."""
    revision = request.source.revision or _MAIN
    for start in range(0, len(files), _AT_ONCE):
        paths = [file.path for file in files[start : start + _AT_ONCE]]
        yield from _told(request.source, request.certificates, "link", revision, listing.commit, *paths)


def _one_copy(listing: Listing, file: HubFile, place: Path, ours: bool) -> bool:
    """Whether the file that is shown is the one that was fetched. Where the system has no links, it is a copy."""
    blob = hub_cache.blob(listing.folder, file.sha256 or "-")
    if not blob.is_file():
        return False
    same = place.samefile(blob)
    if ours and not same:
        blob.unlink()
    return same


def _verified(file: HubFile, place: Path, ours: bool, whole: bool) -> Generator[PullProgress, None, ModelFile]:
    if ours and whole and file.sha256:  # its hash was computed while it arrived
        state = place.stat()
        return ModelFile(place, state.st_size, state.st_mtime_ns, file.sha256, fetched=True)
    try:
        found = yield from verify.read(place)
    except OSError:
        raise FileMissing(str(place)) from None
    if file.sha256 not in (None, found.sha256):
        hub_cache.discard(place)
        raise HashMismatch(str(place), str(file.sha256), found.sha256)
    return replace(found, fetched=ours)


def _told(
    source: HubSource, certificates: str | None, what: str, *arguments: str
) -> Generator[PullProgress, None, dict[str, Any]]:
    """What the library says. Raises PackageMissing, RepositoryNotFound, GatedModel, SourceUnreachable and, for
    what the disk refuses, NotEnoughDisk and FolderNotWritable."""
    if find_spec(PACKAGE) is None:
        raise PackageMissing(PACKAGE, EXTRA)
    # -P: the current folder may hold anything.
    command = [sys.executable, "-P", str(_PROGRAM), what, source.repository, *arguments]
    environment = {**os.environ, **_SETTINGS, **_authorities(certificates)}
    nothing, pipe = subprocess.DEVNULL, subprocess.PIPE
    with subprocess.Popen(command, stdin=nothing, stdout=pipe, stderr=pipe, env=environment) as child:
        try:
            while (heard := _heard(child)) is None:
                yield PullProgress("resolve", 0)
        finally:
            child.kill()
    said, complaints = heard
    if child.returncode:
        raise SourceUnreachable(PACKAGE, "".join(complaints.decode("utf-8", "replace").strip().splitlines()[-1:]))
    told: dict[str, Any] = json.loads(said)
    _raise_failure(source, told)
    return told


def _heard(child: subprocess.Popen[bytes]) -> tuple[bytes, bytes] | None:
    try:
        return child.communicate(timeout=_BEAT)
    except subprocess.TimeoutExpired:
        return None


def _authorities(certificates: str | None) -> dict[str, str]:
    if not certificates or "SSL_CERT_FILE" in os.environ:
        return {}
    return {"SSL_CERT_DIR" if Path(certificates).is_dir() else "SSL_CERT_FILE": certificates}


def _raise_failure(source: HubSource, told: dict[str, Any]) -> None:
    match told.get("failure"):
        case "repository":
            raise RepositoryNotFound(source.repository, source.revision or _MAIN)
        case "gated":
            raise GatedModel(source.repository, f"{told['endpoint']}/{source.repository}")
        case "unreachable":
            raise SourceUnreachable(host_of(told["endpoint"]), told["detail"])
        case "disk":
            with disk.writing(Path(told["cache"])):
                raise OSError(told["errno"], "")
