"""The report of an inspection: files, sets of weights as trees, facts, findings."""

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from abierto.errors import FileMissing
from abierto.formats import adapters
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Finding, merged
from abierto.formats.inspection import shards
from abierto.formats.inspection.blocks import Block, tree
from abierto.formats.inspection.folder import Entry, listing, single
from abierto.formats.inspection.readers import read
from abierto.formats.split import part_names

# Of several sets of weights in one folder, which stands for the model: those that most programs would take.
_PREFERRED = ("safetensors", "gguf", "torch", "pickle", "onnx")
_NAMED = ("model", "diffusion_pytorch_model", "pytorch_model", "openvino_model", "adapter_model")

Found = tuple[Entry, Contents]


@dataclass(frozen=True, slots=True)
class FileReport:
    """One file. name: below the folder. size: bytes. sha256: as whoever keeps it says, or reckoned when that was asked
    for; empty otherwise. tensors: how many it holds."""

    name: str
    format: str
    size: int
    sha256: str
    tensors: int


@dataclass(frozen=True, slots=True)
class Part:
    """A set of weights: one file, or the shards of one. tensors, parameters: how many; size: bytes of the tensors;
    dtypes: parameters by type."""

    name: str
    format: str
    files: tuple[str, ...]
    facts: Facts
    tensors: int
    parameters: int
    size: int
    dtypes: Mapping[str, int]
    tree: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """What is in the files of a model.

    name: as the person calls it. place: the folder, or the file. parts: those that stand for the model first.
    parameters, size: of the parts that stand for the model, a pipeline's all together. findings: by the name of their
    file; an empty one stands for the whole. fetched: bytes that were asked of a server for it.
    """

    name: str
    place: str
    facts: Facts
    parameters: int
    size: int
    parts: tuple[Part, ...]
    files: tuple[FileReport, ...]
    findings: tuple[tuple[str, Finding], ...]
    fetched: int = 0


def inspect(path: Path, name: str = "", *, hashes: bool = False) -> Report:
    """The report of a file, with its other shards, or of a folder. hashes: read all of every file for its SHA-256.

    Raises FileMissing when there is nothing there.
    """
    if path.is_dir():
        found = listing(path)
        return _report(name or path.name, path, found.entries, found.findings, hashes)
    if not path.exists():
        raise FileMissing(str(path))
    shards_here = [one for part in part_names(path.name) if (one := path.with_name(part)).exists()]
    return inspect_files([(one, "") for one in shards_here or [path]], name or path.name, hashes=hashes)


def inspect_files(files: Sequence[tuple[Path, str]], name: str, *, hashes: bool = False) -> Report:
    """The report of some files, each with the SHA-256 that is known of it, or ""; the first stands for the place."""
    try:
        entries = [single(path, sha256) for path, sha256 in files]
    except OSError as error:
        raise FileMissing(str(error.filename)) from error
    return _report(name, files[0][0], entries, [], hashes)


def inspect_headers(folder: Path, name: str, hashes: Mapping[str, str], others: Mapping[str, int]) -> Report:
    """The report of a folder in which only the headers of files are. hashes: SHA-256 of the whole files, by name.

    others: the files that are not there at all, with their sizes.
    """
    found = listing(folder)
    entries = [replace(entry, sha256=hashes.get(entry.name, "")) for entry in found.entries]
    left = [(name, Finding("not_fetched", "note")) for name in others]
    report = _report(name, folder, entries, [*found.findings, *left], hashes=False)
    more = [FileReport(name, "unread", size, hashes.get(name, ""), 0) for name, size in others.items()]
    return replace(report, files=(*report.files, *more))


def _report(
    name: str, place: Path, entries: Sequence[Entry], early: Sequence[tuple[str, Finding]], hashes: bool
) -> Report:
    found, findings = _read_all(entries)
    sets = _sets(found)
    parts = [_part(name, files) for name, files in sets.items()]
    texts = [contents.facts for entry, contents in found if not contents.tensors and "/" not in entry.name]
    wrong = [one for files in sets.values() for one in shards.check(files)]
    wrong += _index_findings(found, place if place.is_dir() else place.parent)
    main = _main(parts, merged(texts).components)
    facts = merged([*texts, *(part.facts for part in main[:1])])
    wrong += _own_origin(facts.lineage, {name, *_repository(place)})
    return Report(
        name=name,
        place=str(place),
        facts=facts,
        parameters=sum(part.parameters for part in main),
        size=sum(part.size for part in main),
        parts=(*main, *(part for part in parts if part not in main)),
        files=tuple(_file(entry, contents, hashes) for entry, contents in found),
        findings=(*early, *findings, *wrong),
    )


def _own_origin(lineage: Sequence[str], names: set[str]) -> list[tuple[str, Finding]]:
    """A model cannot be made of itself. What it names is told and never followed, so that a longer circle ends too."""
    same = [one for one in lineage if one.removeprefix("https://huggingface.co/") in names]
    return [("", Finding("base_is_itself", "fault", {"name": same[0]}))] if same else []


def _repository(place: Path) -> set[str]:
    """The name of the repository of the hub in whose cache a place is."""
    names = (folder.name.removeprefix("models--") for folder in place.parents if folder.name.startswith("models--"))
    return {name.replace("--", "/", 1) for name in names}


def _read_all(entries: Sequence[Entry]) -> tuple[list[Found], list[tuple[str, Finding]]]:
    """What is in each file, with its findings, until there are more tensors than any model has."""
    found: list[Found] = []
    findings: list[tuple[str, Finding]] = []
    left = MAX_TENSORS
    for entry in entries:
        contents = read(entry)
        findings += ((entry.name, one) for one in contents.findings)
        if len(contents.tensors) > left:
            findings.append((entry.name, Finding("too_many_tensors", "fault", {"limit": MAX_TENSORS})))
            contents = replace(contents, tensors=())
        left -= len(contents.tensors)
        found.append((entry, contents))
    return found, findings


def _sets(found: Sequence[Found]) -> dict[str, list[Found]]:
    """The files with tensors, by the name of the set that they belong to."""
    sets: dict[str, list[Found]] = {}
    for entry, contents in found:
        if contents.tensors:
            sets.setdefault(shards.set_name(entry.name), []).append((entry, contents))
    return sets


def _part(name: str, files: Sequence[Found]) -> Part:
    tensors = [tensor for _, contents in files for tensor in contents.tensors]
    dtypes: Counter[str] = Counter()
    for tensor in tensors:
        dtypes[tensor.dtype] += tensor.elements
    return Part(
        name=name,
        format=files[0][1].format,
        files=tuple(entry.name for entry, _ in files),
        facts=merged([*(contents.facts for _, contents in files), Facts(adapter=adapters.of_tensors(tensors))]),
        tensors=len(tensors),
        parameters=sum(tensor.elements for tensor in tensors),
        size=sum(tensor.size for tensor in tensors),
        dtypes=dict(dtypes),
        tree=tree(tensors),
    )


def _index_findings(found: Sequence[Found], root: Path) -> list[tuple[str, Finding]]:
    tensors = {entry.name: {one.name for one in contents.tensors} for entry, contents in found}
    indexes = [entry for entry, _ in found if entry.name.endswith(shards.INDEX)]
    return [(entry.name, one) for entry in indexes for one in shards.index_findings(entry, root, tensors)]


def _main(parts: Sequence[Part], components: Mapping[str, str]) -> list[Part]:
    """The parts that stand for the model: of a pipeline one for each of its components, else one of the top folder."""

    def suits(part: Part) -> tuple[int, bool, int, str]:
        name = PurePosixPath(part.name).name
        format_ = _PREFERRED.index(part.format) if part.format in _PREFERRED else len(_PREFERRED)
        return (format_, not name.startswith(_NAMED), name.count("."), name)

    folders: dict[str, list[Part]] = {}
    for part in parts:
        folders.setdefault(str(PurePosixPath(part.name).parent), []).append(part)
    best = {folder: min(several, key=suits) for folder, several in folders.items()}
    if inner := [part for folder, part in best.items() if folder in components]:
        return inner
    return [best[min(best, key=lambda folder: (folder != ".", folder.count("/"), folder))]] if best else []


def _file(entry: Entry, contents: Contents, hashes: bool) -> FileReport:
    sha256 = _hash(entry.path) if hashes else entry.sha256
    return FileReport(entry.name, contents.format, entry.size, sha256, len(contents.tensors))


def _hash(path: Path) -> str:
    """The SHA-256 of all of a file; empty for one that cannot be read, which is a finding already."""
    try:
        if not path.is_file():
            return ""
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError:
        return ""
