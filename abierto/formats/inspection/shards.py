"""Which files make up one set of weights: shards by the numbers in their names, and the index that tells of them."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from abierto.errors import AbiertoError
from abierto.formats import json_file
from abierto.formats.contents import Contents, Finding, short
from abierto.formats.faults import corrupt
from abierto.formats.inspection.folder import Entry, inside

MAX_INDEX = 16_000_000  # bytes; an index of 100,000 tensors has 9 million
MAX_NAMED = 10  # tensors or files that a finding names
MOST = 1000  # shards
_OF_KERAS = re.compile(r"_\d{5}(?=\.weights\.h5$)")
_SHARD = re.compile(r"-(\d{5})-of-(\d{5})(?=\.\w+$)")
INDEX = ".index.json"


def set_name(name: str) -> str:
    """The name of a file without the number of its shard."""
    return _OF_KERAS.sub("", _SHARD.sub("", name))


def missing(names: Iterable[str]) -> list[str]:
    """The shards of one set that its names promise and that are not there."""
    here = set(names)
    found = next((match for name in sorted(here) if (match := _SHARD.search(name))), None)
    if not found or int(found[2]) > MOST:
        return []
    whole = found.string
    parts = (
        f"{whole[: found.start()]}-{number:05}-of-{found[2]}{whole[found.end() :]}"
        for number in range(1, int(found[2]) + 1)
    )
    return [part for part in parts if part not in here]


def check(files: Sequence[tuple[Entry, Contents]]) -> list[tuple[str, Finding]]:
    """What shards of one set say that cannot all be true."""
    found = [
        (name, Finding("shard_missing", "fault", {"file": Path(name).name}))
        for name in missing(entry.name for entry, _ in files)
    ]
    seen: dict[str, str] = {}
    twice: dict[str, list[str]] = {}
    for entry, contents in files:
        for tensor in contents.tensors:
            if tensor.name in seen:
                twice.setdefault(entry.name, []).append(tensor.name)
            seen[tensor.name] = entry.name
    for name, tensors in twice.items():
        about = {"count": len(tensors), "tensors": ", ".join(tensors[:MAX_NAMED])}
        found.append((name, Finding("tensors_twice", "fault", about)))
    return [*found, *_split_numbers(files)]


def _split_numbers(files: Sequence[tuple[Entry, Contents]]) -> Iterable[tuple[str, Finding]]:
    """GGUF files say themselves which part they are."""
    for number, (entry, contents) in enumerate(files):
        said = contents.facts.more
        if "split_count" in said and len(files) > 1 and said["split_number"] != number:
            about = {"number": said["split_number"] + 1, "place": number + 1}
            yield entry.name, Finding("shard_elsewhere", "fault", about)


def index_findings(entry: Entry, root: Path, sets: Mapping[str, set[str]]) -> list[Finding]:
    """What an index says that is not so. sets: the tensors of each file, by its name below `root`.

    Files that it names are only looked for below the folder, and never outside of it.
    """
    try:
        named = _weight_map(entry.path)
    except AbiertoError as error:
        return [Finding("unreadable", "fault", {"error": error.code, "facts": error.facts})]
    folder = PurePosixPath(entry.name).parent
    files = dict.fromkeys(named.values())
    found = []
    outside = [short(file) for file in files if inside(root, str(folder / file)) is None]
    absent = [short(file) for file in files if short(file) not in outside and str(folder / file) not in sets]
    for code, wrong in (("index_outside", outside), ("index_file_missing", absent)):
        if wrong:
            found.append(Finding(code, "fault", {"files": ", ".join(wrong[:MAX_NAMED])}))
    placed = [(short(name), str(folder / file)) for name, file in named.items()]
    lost = [name for name, file in placed if file in sets and name not in sets[file]]
    listed = {name for name, _ in placed}
    extra = [name for file in files for name in sets.get(str(folder / file), ()) if name not in listed]
    if lost or extra:
        about = {"count": len(lost) + len(extra), "tensors": ", ".join((*lost, *extra)[:MAX_NAMED])}
        found.append(Finding("index_disagrees", "fault", about))
    return found


def _weight_map(path: Path) -> dict[str, str]:
    import msgspec

    index: Any = msgspec.defstruct("Index", [("weight_map", dict[str, str])])
    try:
        body: Any = msgspec.json.decode(json_file.read_bytes(path, MAX_INDEX), type=index)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise corrupt(str(path), "no_json", where=path.name) from None
    found: dict[str, str] = body.weight_map
    return found
