"""The files below a folder, as many as can belong to one model. Links are followed inside of the folder only.

In a Hugging Face cache, where the files of a revision are links, they may lead to the blobs of their repository.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abierto.formats.contents import Finding, short

MAX_FILES = 5_000
DEEPEST = 6  # folders inside of each other
_SKIPPED = {".git", ".cache", "__pycache__"}
_SHA256 = re.compile("[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Entry:
    """A file. name: its place below the folder, with slashes. sha256: as whoever keeps it says, else empty."""

    path: Path
    name: str
    size: int
    sha256: str = ""


@dataclass(slots=True)
class Listing:
    """What was found, and what is to be told of what was not followed, by the name of the file."""

    entries: list[Entry] = field(default_factory=list)
    findings: list[tuple[str, Finding]] = field(default_factory=list)


def listing(root: Path) -> Listing:
    """The files below `root`, in the order of their names."""
    root = root.resolve()
    found = Listing()
    limit = _limit(root)
    for path in _below(root, 0, found, root):
        name = path.relative_to(root).as_posix()
        if len(found.entries) >= MAX_FILES:
            found.findings.append(("", Finding("too_many_files", "fault", {"limit": MAX_FILES})))
            break
        entry = _entry(path, name, limit)
        if isinstance(entry, Finding):
            found.findings.append((name, entry))
        else:
            found.entries.append(entry)
    found.entries.sort(key=lambda entry: (entry.name.count("/"), entry.name))
    return found


def single(path: Path, sha256: str = "") -> Entry:
    """A file that somebody named; where a link leads is theirs to choose."""
    whole = path.resolve()
    return Entry(path, path.name, whole.stat().st_size, sha256 or _named_by_content(whole))


def inside(root: Path, name: str) -> Path | None:
    """The file that a text in some file names, if it lies below `root`; None where it leads out of it."""
    if "\x00" in name or not name or os.path.isabs(name):  # noqa: PTH117 - of a text, not of a path
        return None
    path = (root / name).resolve()
    return root / name if path.is_relative_to(_limit(root.resolve())) else None


def _limit(root: Path) -> Path:
    """How far links may lead."""
    for folder in (root, *root.parents):
        if folder.parent.name == "snapshots" and folder.parent.parent.name.startswith("models--"):
            return folder.parent.parent
    return root


def _below(folder: Path, depth: int, found: Listing, root: Path) -> Iterator[Path]:
    try:
        with os.scandir(folder) as scan:
            items = sorted(scan, key=lambda item: item.name)
    except OSError:
        found.findings.append((folder.relative_to(root).as_posix(), Finding("folder_unreadable", "fault")))
        return
    for item in items:
        path = Path(item.path)
        if item.is_dir(follow_symlinks=False):
            if item.name in _SKIPPED:
                continue
            if depth == DEEPEST:
                name = path.relative_to(root).as_posix()
                found.findings.append((name, Finding("folder_too_deep", "fault", {"limit": DEEPEST})))
                continue
            yield from _below(path, depth + 1, found, root)
        else:
            yield path


def _entry(path: Path, name: str, limit: Path) -> Entry | Finding:
    try:
        whole = path.resolve(strict=True)
        stat = whole.stat()
    except (OSError, RuntimeError):  # RuntimeError: links that lead to each other
        return Finding("link_nowhere", "fault")
    if not whole.is_relative_to(limit):
        return Finding("link_outside", "fault", {"target": short(str(whole))})
    if whole.is_dir():
        return Finding("link_to_folder", "note", {"target": short(str(whole))})
    return Entry(path, name, stat.st_size, _named_by_content(whole))


def _named_by_content(path: Path) -> str:
    """Caches call a file by its SHA-256, after `sha256-` some of them."""
    name = path.name.removeprefix("sha256-")
    return name if _SHA256.fullmatch(name) else ""
