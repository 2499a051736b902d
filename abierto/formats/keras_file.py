"""Reads a `.keras` archive: the layers of its network, those that hold a program of their own, and its variables.

In it are config.json (the layers), metadata.json (the version) and the variables in one or more HDF5 files. Format:
https://keras.io/guides/serialization_and_saving.
"""

import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

from abierto.formats import archive, json_file
from abierto.formats.contents import Contents, Finding, short
from abierto.formats.keras_h5 import Found
from abierto.formats.keras_layers import MAX_CONFIG

READ = ("config.json", "metadata.json")
WEIGHTS = ".weights.h5"
MAX_FILES = 100  # of variables
HOLE = bytes(4)  # where a file in the archive should begin: it was not fetched from the hub


def is_archive(names: Sequence[str]) -> bool:
    """Whether the files in an archive are those of Keras."""
    return "config.json" in names and "metadata.json" in names


def of_archive(path: Path, opened: zipfile.ZipFile) -> Contents:
    """The archive. Raises CorruptFile."""
    body, about = (json_file.parsed(archive.part(opened, name, path, MAX_CONFIG), path, name) for name in READ)
    found = Found(is_keras=True)
    found.layers.read(body)
    if isinstance(version := about.get("keras_version"), str):
        found.said["keras_version"] = short(version)
    findings = archive.findings(opened)
    with path.open("rb") as whole:
        findings += read_weights(found, opened, whole, path)
    return found.contents("keras", findings)


def read_weights(found: Found, opened: zipfile.ZipFile, whole: IO[bytes], path: Path) -> Iterator[Finding]:
    """Add the variables. whole: the file of the archive. Raises CorruptFile."""
    for name in [name for name in opened.namelist() if name.endswith(WEIGHTS)][:MAX_FILES]:
        whole.seek(opened.getinfo(name).header_offset)
        if whole.read(len(HOLE)) == HOLE:
            yield Finding("not_fetched", "note")
            continue
        file = archive.member(opened, name, whole, path)
        if file is None:
            yield Finding("member_packed", "note", {"file": short(name, 80)})
        else:
            found.read(file, path)
