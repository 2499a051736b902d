"""Reads what a `.keras` archive says of its network, and flags layers that hold a program of their own (Lambda).

In it are config.json (the layers), metadata.json (the version) and model.weights.h5, which is not unpacked: parameters
are not counted. Format: https://keras.io/guides/serialization_and_saving.
"""

import re
import zipfile
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from abierto.formats import archive, json_file
from abierto.formats.contents import Contents, Facts, Finding, short

READ = ("config.json", "metadata.json")
MAX_TOLD = 100
MAX_OBJECTS = 1_000_000
SCANNED = 16_000_000  # bytes of an HDF5 file that are looked through
_OWN_CODE = ("Lambda", "__lambda__", "function")
_LAMBDA = re.compile(rb'"class_name"\s{0,4}:\s{0,4}"(?:Lambda|__lambda__)"')
_CONFIG = re.compile(rb'"class_name"\s{0,4}:\s{0,4}"(Sequential|Functional|Model)"')


def is_archive(names: Sequence[str]) -> bool:
    """Whether the files in an archive are those of Keras."""
    return "config.json" in names and "metadata.json" in names


def of_archive(path: Path, opened: zipfile.ZipFile) -> Contents:
    """The archive. Raises CorruptFile."""
    body, about = (json_file.parsed(archive.part(opened, name, path, 4_000_000), path, name) for name in READ)
    kinds: Counter[str] = Counter()
    foreign: set[str] = set()
    for one in _objects(body):
        kind, module = one["class_name"], one.get("module")
        if len(kinds) < 10_000:
            kinds[short(kind, 60)] += 1
        own = one.get("registered_name") or (isinstance(module, str) and not module.startswith(("keras", "builtins")))
        if own and len(foreign) < 1000 and not str(one.get("registered_name") or "").startswith("keras"):
            foreign.add(short(f"{module or ''}.{kind}", 60))
    findings = archive.findings(opened)
    if any(kind in _OWN_CODE[:2] for kind in kinds):
        findings.append(Finding("lambda_layer", "executes"))
    if foreign:
        findings.append(Finding("own_code", "executes", {"names": ", ".join(sorted(foreign)[:10])}))
    version = about.get("keras_version")
    more = {"keras_version": short(version)} if isinstance(version, str) else {}
    facts = Facts(
        architecture=short(str(body.get("class_name", "")), 60),
        framework="keras",
        more={**more, "layers": dict(kinds.most_common(MAX_TOLD))},
    )
    return Contents("keras", facts=facts, findings=tuple(findings))


def of_hdf5(path: Path) -> Contents:
    """An HDF5 file: not read, but looked through for the text in which Keras writes down its layers."""
    with path.open("rb") as file:
        raw = file.read(SCANNED)
    config = _CONFIG.search(raw)
    findings = [Finding("not_read", "note", {"found": "hdf5"})]
    if _LAMBDA.search(raw):
        findings.append(Finding("lambda_layer", "executes"))
    facts = Facts(architecture=config[1].decode(), framework="keras") if config else Facts()
    return Contents("hdf5", facts=facts, findings=tuple(findings))


def _objects(root: Any) -> Iterator[dict[str, Any]]:
    """All objects in it that name a class."""
    waiting, left = [root], MAX_OBJECTS
    while waiting and left:
        left -= 1
        value = waiting.pop()
        if isinstance(value, dict):
            if isinstance(value.get("class_name"), str):
                yield value
            waiting += value.values()
        elif isinstance(value, list):
            waiting += value
