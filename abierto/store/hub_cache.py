"""Where a Hugging Face cache keeps a repository's files, and what a pull has begun there. It asks no network.

    <repository>/blobs/<sha256>                 a file
    <repository>/blobs/<sha256>.incomplete      what a pull has fetched of it so far
    <repository>/snapshots/<commit>/<path>      a link to it under its own name, or the file itself
    <repository>/refs/<branch>                  the commit that the branch was at
    .locks/<name of repository>/<sha256>.lock   locked by whoever brings the file

The cache belongs to every program of this person, so nothing in it is touched that no pull has brought there. What a
pull lets grow here is noted in the folder of its model, so that it is found again, and goes when the model goes.
"""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path

from abierto.errors import FolderNotWritable, PullInProgress
from abierto.store import locks

_BEGUN = "hub.json"
_INCOMPLETE = ".incomplete"


def blob(repository: Path, sha256: str) -> Path:
    """Where a file of this content lies."""
    return repository / "blobs" / sha256


def incomplete(repository: Path, sha256: str) -> Path:
    """Where it grows."""
    return repository / "blobs" / f"{sha256}{_INCOMPLETE}"


def shown(repository: Path, commit: str, path: str) -> Path:
    """Where a commit's file is looked for."""
    return repository.joinpath("snapshots", commit, *path.split("/"))


def lock(repository: Path, sha256: str) -> Path:
    """What the client library locks, too, while it brings the file."""
    return repository.parent / ".locks" / repository.name / f"{sha256}.lock"


def note_begun(partial: Path, growing: Iterable[Path]) -> None:
    """Remember in a pull's workplace what it lets grow in the cache. Raises OSError."""
    partial.mkdir(parents=True, exist_ok=True)
    fresh = partial / f"{_BEGUN}.new"
    fresh.write_text(json.dumps(sorted(str(path) for path in growing)), encoding="utf-8")
    fresh.replace(partial / _BEGUN)


def begun(partial: Path) -> list[Path]:
    """What this pull, or an earlier one that did not end, lets grow in the cache."""
    try:
        paths = json.loads((partial / _BEGUN).read_bytes())
    except (OSError, ValueError):
        return []
    return [Path(path) for path in paths if isinstance(path, str) and path.endswith(_INCOMPLETE)]


def begun_bytes(partial: Path) -> int:
    """How much of it has arrived."""
    total = 0
    for path in begun(partial):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def drop_begun(partial: Path, keep: Iterable[Path] = ()) -> None:
    """Throw away what has arrived, except what is to be kept, or what another program is just fetching."""
    for path in set(begun(partial)) - set(keep):
        busy = PullInProgress(path.stem)
        # Whoever holds the lock writes into this very file.
        ignored = suppress(OSError, PullInProgress, FolderNotWritable)
        with ignored, locks.holding(lock(path.parent.parent, path.stem), busy):
            path.unlink()


def blob_of(place: Path) -> Path | None:
    """The file itself, if nothing else in its repository leads to it; None for one that is to be left alone."""
    snapshots = _snapshots(place)
    if snapshots is None or not place.is_file():
        return None
    if not place.is_symlink():
        return place
    target = Path(os.path.normpath(place.parent / place.readlink()))
    # A blob that is a link again belongs to a store which several repositories share.
    if target.is_symlink() or target.parent != snapshots.parent / "blobs":
        return None
    others = (other for other in snapshots.rglob("*") if other.is_symlink() and other != place)
    return None if any(_leads_to(other, target) for other in others) else target


def delete(place: Path) -> None:
    """Take a file out of the cache, and what of its repository then means nothing any more. Raises OSError."""
    import shutil  # not above: reading a record is on the way to every first token

    snapshots, target = _snapshots(place), blob_of(place)
    if snapshots is None or target is None:
        return
    place.unlink()
    target.unlink(missing_ok=True)
    commit = place.relative_to(snapshots).parts[0]
    for folder in place.parents:
        if folder == snapshots.parent or any(folder.iterdir()):
            break
        folder.rmdir()
    if not (snapshots / commit).exists():
        _forget_commit(snapshots.parent, commit)
    repository = snapshots.parent
    if not snapshots.exists() and not any(_files(repository / "blobs")):
        shutil.rmtree(repository)


def discard(place: Path) -> None:
    """Throw away a damaged file, for all who use it: the library brings it anew when it is asked for."""
    with suppress(OSError):
        target = place.resolve()
        place.unlink()
        target.unlink(missing_ok=True)


def _forget_commit(repository: Path, commit: str) -> None:
    # A branch that leads to a commit without files counts as damage for the programs that look into the cache.
    for reference in _files(repository / "refs"):
        if reference.read_text("utf-8").strip() == commit:
            reference.unlink()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def _snapshots(place: Path) -> Path | None:
    """The folder of snapshots in which a file is shown, or None for a file that is elsewhere."""
    found = next((folder for folder in place.parents if folder.name == "snapshots"), None)
    return found if found and (found.parent / "blobs").is_dir() else None


def _leads_to(link: Path, target: Path) -> bool:
    try:
        return link.samefile(target)
    except OSError:
        return False
