"""A second model of the same files, under a name of its own: each can be removed without the other.

A file in the model's folder gets a second entry in the file system, which takes no room; where there is no such thing,
it is copied. What is used in place is used in place by both.
"""

import os
import shutil
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from abierto import catalog, config
from abierto.errors import ModelNotPulled
from abierto.recipes.destination import check_name
from abierto.runtime.removal import removal
from abierto.store import disk, layout, locks, records
from abierto.store.records import ModelFile, Record


def second(model: str, name: str) -> Record:
    """Make it, with a card that tells its lineage where the first has one.

    Raises UnknownModel, ModelNotPulled, NotOurs for a model of another program, InvalidName, NameTaken, NotEnoughDisk,
    FolderNotWritable, PullInProgress.
    """
    folder = config.folders().models
    first = removal(model).name
    check_name(name, folder)
    with locks.pulling(folder, name), locks.use(folder, first):
        check_name(name, folder)
        record = records.get(folder, first)
        if record is None:
            raise ModelNotPulled(first)
        place, theirs = layout.model_folder(folder, name), layout.model_folder(folder, first)
        try:
            with disk.writing(folder, record.size):
                made = replace(record, name=name, files=_files(record.files, theirs, place), pulled_at=_now())
                if record.projector:
                    made = replace(made, projector=_files((record.projector,), theirs, place)[0])
                _save_card(first, record.source, name)
                records.write(folder, made)
        except BaseException:
            shutil.rmtree(place, ignore_errors=True)
            raise
    return made


def _files(files: tuple[ModelFile, ...], theirs: Path, place: Path) -> tuple[ModelFile, ...]:
    place.mkdir(parents=True, exist_ok=True)
    found = []
    for file in files:
        if file.path.is_relative_to(theirs):
            target = place / file.path.relative_to(theirs)
            target.parent.mkdir(parents=True, exist_ok=True)
            _link(file.path, target)
            file = replace(file, path=target)
        found.append(file)
    return tuple(found)


def _link(file: Path, target: Path) -> None:
    with suppress(FileNotFoundError):  # of one who was killed
        target.unlink()
    try:
        os.link(file, target)
    except (OSError, NotImplementedError):
        disk.require(target.parent, file.stat().st_size)
        shutil.copy2(file, target)  # with its time, by which it is known to be unchanged


def _save_card(first: str, source: str, name: str) -> None:
    card = catalog.find_form(first)[0]
    if card:
        lineage = {"base": first, "source": source, "date": _now()[:10]}
        catalog.own.save(replace(card, name=name, aliases=(), lineage=lineage))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
