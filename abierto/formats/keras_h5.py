"""Reads the HDF5 files of Keras: variables by their place in the network, and the description of its layers.

Older files hold a whole network: `model_config` and other texts are attributes, variables lie below `model_weights`.
Newer ones hold variables only. Any text in such a file is looked through for layers that hold a program, since older
versions of Keras took their description from data sets too.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO

from abierto.errors import CorruptFile, FileMissing
from abierto.formats.contents import Contents, Facts, Finding, Tensor, short
from abierto.formats.hdf5 import walk
from abierto.formats.hdf5.source import Source
from abierto.formats.keras_layers import Layers

MAX_NAMED = 10  # that a finding tells
SCANNED = 16_000_000  # bytes of a damaged file that are looked through
_TOLD = ("keras_version", "backend")
_MARKS = (*_TOLD, "layer_names", "model_config")  # attributes that no other program writes
_VARIABLE = re.compile(r"(?:.*/)?vars/\d+")  # as newer versions call them
_TRAINING = ("optimizer_weights/", "optimizer/")


@dataclass(slots=True)
class Found:
    """What was found in one or more files. dtype: the attribute that says what the items of a data set are."""

    layers: Layers = field(default_factory=Layers)
    tensors: dict[str, Tensor] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    unread: list[str] = field(default_factory=list)
    elsewhere: list[str] = field(default_factory=list)
    filters: dict[str, None] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    faults: list[Finding] = field(default_factory=list)
    is_keras: bool = False
    dtype: tuple[str, bytes] = ("", b"")

    def read(self, file: IO[bytes], path: Path) -> None:
        """Add what is in a file. One that cannot be true is told as far as it can be followed."""
        try:
            for item in walk.walk(file, str(path)):
                self._add(item)
        except CorruptFile as error:
            self.faults.append(Finding("unreadable", "fault", {"error": error.code, "facts": error.facts}))
        if self.faults or self.unread:
            file.seek(0)
            self.layers.look_through(file.read(SCANNED))

    def _add(self, item: walk.Item) -> None:
        match item:
            case walk.Dataset(tensor, missing, filters):
                half = tensor.dtype == "opaque" and self.dtype == (tensor.name, b"bfloat16")
                self.tensors[tensor.name] = replace(tensor, dtype="BF16") if half else tensor
                self.missing += [tensor.name] if missing else []
                self.filters |= dict.fromkeys(filters)
            case walk.Text(place, attribute, raw):
                self._text(place, attribute, raw)
            case walk.Unread(place):
                self.unread.append(place)
            case walk.Elsewhere(place, file):
                self.elsewhere.append(f"{place} ({file})" if file else place)

    def _text(self, place: str, attribute: str, raw: bytes) -> None:
        self.is_keras |= attribute in _MARKS
        if attribute in _TOLD:
            self.said.setdefault(attribute, short(raw.rstrip(b"\0").decode("utf-8", "replace"), 60))
        if attribute == "dtype":  # HDF5 has no name for bfloat16; attributes come before their data set
            self.dtype = (place, raw)
        self.layers.look_through(raw)

    def contents(self, format_: str, findings: Sequence[Finding] = ()) -> Contents:
        """All of it. findings: those of the archive around it."""
        keras = self.is_keras or any(map(_VARIABLE.fullmatch, self.tensors)) or bool(self.layers.kinds)
        state = [name for name in self.tensors if keras and name.startswith(_TRAINING)]
        tensors = [tensor for name, tensor in self.tensors.items() if name not in state]
        told = [*findings, *self.layers.findings(), *self.faults]
        told += [Finding("training_state", "note", {"count": len(state)})] if state else []
        for code, wrong in (
            ("storage_missing", self.missing),
            ("hdf5_unread", self.unread),
            ("hdf5_elsewhere", self.elsewhere),
        ):
            if wrong:
                names = ", ".join(short(name, 80) for name in wrong[:MAX_NAMED])
                told.append(Finding(code, "fault", {"count": len(wrong), "tensors": names}))
        more = {**self.said, **({"filters": ", ".join(self.filters)} if self.filters else {})}
        facts = self.layers.facts(**more) if keras else Facts(more=more)
        return Contents(format_, tensors, facts, tuple(told))


def begins_later(path: Path) -> bool:
    """Whether a file has an HDF5 file after some bytes of another kind, which is then what Keras reads of it."""
    with path.open("rb") as file:
        return Source(file, str(path)).begins > 0


def read(path: Path) -> Contents:
    """A file of its own. Raises FileMissing."""
    found = Found()
    try:
        with path.open("rb") as file:
            found.read(file, path)
    except OSError as error:
        raise FileMissing(str(path)) from error
    return found.contents("hdf5")
