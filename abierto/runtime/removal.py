"""Deleting a pulled model: what a name means for it, what that frees, and what goes with it."""

from dataclasses import dataclass
from pathlib import Path

from abierto import catalog, config
from abierto.errors import NotOurs, UnknownModel
from abierto.runtime.pulled import record_of
from abierto.store import elsewhere, kept, records
from abierto.store.records import Record


@dataclass(frozen=True, slots=True)
class Removal:
    """What is to go. name: the folder's. record: None for a pull that did not end, or whose record cannot be read."""

    name: str
    record: Record | None

    @property
    def frees(self) -> int:
        """The bytes that this frees, with what engines keep of the files."""
        return records.frees(config.folders().models, self.name) + self._kept

    def carry_out(self) -> int:
        """Delete it; the bytes that this freed. Raises ModelInUse, PullInProgress, FolderNotWritable."""
        kept_bytes = self._kept
        freed = records.remove(config.folders().models, self.name)
        catalog.own.forget(self.name)
        kept.forget(config.folders().cache, self._files)
        return freed + kept_bytes

    @property
    def forgets_only(self) -> bool:
        """Whether it is a file that is used in place, which stays."""
        return self.record is not None and not records.frees(config.folders().models, self.name)

    @property
    def _files(self) -> list[Path]:
        return [file.path for file in self.record.files] if self.record else []

    @property
    def _kept(self) -> int:
        return kept.bytes_of(config.folders().cache, self._files)


def removal(model: str) -> Removal:
    """What deleting a model means. Raises UnknownModel, NotOurs for a model of another program."""
    folder = config.folders().models
    record = record_of(model, folder)
    card, form = catalog.find_form(model)
    wanted = f"{card.name}:{form}" if card and form else card.name if card else model
    name = record.name if record else wanted
    taken = [found for found in (*records.partials(folder), *records.damaged(folder)) if found.name == name]
    if record or taken:
        return Removal(name, record)
    for other in elsewhere.named(config.places(), model):
        raise NotOurs(other.name, other.owner, str(other.files[0].path if other.files else other.place))
    raise UnknownModel(model, catalog.nearest(model, (found.name for found in records.all_records(folder))))
