"""Where a model that is made here comes to lie: nothing of it is in place before all of it is.

A model gets a folder among the pulled ones and a record there, so that every command knows it, and a card that tells
its lineage. With a file of the person's own choice, only that file lies elsewhere. Whatever ends the work half-way, a
kill included, leaves neither file nor record nor card in place.
"""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from abierto import catalog, config
from abierto.catalog import Card
from abierto.errors import FileInTheWay, FileMissing, InvalidName, NameTaken
from abierto.formats.gguf import read_header
from abierto.runtime.resolve import SCHEMES
from abierto.store import disk, layout, locks, records
from abierto.store.records import ModelFile, Record

SCHEME = "made:"  # of the source in the record: what was made of what


@dataclass(frozen=True, slots=True)
class Destination:
    """A place to make a model in. growing: where to write the file; target: where it comes to lie."""

    name: str
    growing: Path
    target: Path
    _folder: Path

    def settle(self, card: Card, source: str, sha256: str) -> Record:
        """Put what was written into its place: file, card, record, in this order. The header is read once more first.

        Raises CorruptFile for a file that no engine would load, NotEnoughDisk, FolderNotWritable.
        """
        read_header(self.growing)
        with disk.writing(self.target.parent):
            if self.target.exists():
                raise FileInTheWay(str(self.target))
            disk.replace(self.growing, self.target)
        state = self.target.stat()
        file = ModelFile(self.target, state.st_size, state.st_mtime_ns, sha256)
        now = datetime.now(UTC).isoformat(timespec="seconds")
        record = Record(self.name, f"{SCHEME}{source}", (file,), now)
        with disk.writing(self._folder):
            catalog.own.save(card)
            layout.model_folder(self._folder, self.name).mkdir(parents=True, exist_ok=True)
            records.write(self._folder, record)
        return record


def check_name(name: str, folder: Path) -> None:
    """Raise InvalidName or NameTaken unless a new model here can have this name."""
    meant_otherwise = name.startswith((*SCHEMES, SCHEME, "~", "-")) or name.lower().endswith(".gguf")
    if not name.isprintable() or meant_otherwise or any(letter.isspace() or letter in "/\\" for letter in name):
        raise InvalidName(name)
    card = catalog.find_form(name)[0]
    # A card of ours without its model was left by somebody who deleted files by hand.
    left_over = card is not None and card.lineage and not records.get(folder, card.name)
    if not name or records.get(folder, name) or (card and not left_over):
        raise NameTaken(name)


@contextmanager
def destination(name: str, filename: str, out: Path | None, needed: int) -> Iterator[Destination]:
    """A place for a model of this name and so many bytes, which nobody else works in.

    Raises InvalidName, NameTaken, FileInTheWay, FileMissing (no folder for `out`), NotEnoughDisk, FolderNotWritable,
    PullInProgress.
    """
    folder = config.folders().models
    check_name(name, folder)
    with locks.pulling(folder, name):
        check_name(name, folder)
        place, partial = layout.model_folder(folder, name), layout.partial_folder(folder, name)
        target = out.expanduser().absolute() if out else place / filename
        growing = partial / "made.gguf" if out is None else target.with_name(f".{target.name}.part")
        _check_target(target, out is not None)
        with disk.writing(folder):
            partial.mkdir(parents=True, exist_ok=True)
        try:
            with disk.writing(growing.parent):
                growing.unlink(missing_ok=True)  # of one who was killed
            disk.require(growing.parent, needed)
            yield Destination(name, growing, target, folder)
        finally:
            with suppress(OSError):
                growing.unlink(missing_ok=True)
            shutil.rmtree(partial, ignore_errors=True)
            with suppress(OSError):
                place.rmdir()  # only if nothing came of it


def _check_target(target: Path, chosen: bool) -> None:
    if target.exists() or target.is_symlink():
        raise FileInTheWay(str(target))
    if chosen and not target.parent.is_dir():
        raise FileMissing(str(target.parent))
