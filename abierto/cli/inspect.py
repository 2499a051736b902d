"""`abierto inspect`: what is in the files of a model, from their headers. It loads no weights and runs nothing."""

import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from abierto import config
from abierto.cli import out
from abierto.cli.draft import harmless
from abierto.cli.words import argument, command, option
from abierto.errors import AbiertoError, ModelNotPulled, NoEngineForFile, NothingToFetch, UnknownModel, rebuild
from abierto.formats import inspection
from abierto.formats.contents import Facts, Finding
from abierto.formats.inspection import Block, Part, Report
from abierto.locale import has, tell, text
from abierto.locale.numbers import count, size
from abierto.runtime import pulled, resolve
from abierto.store import hub_headers
from abierto.store.records import Record
from abierto.store.sources import HubSource, parse

LINES = 150  # of a tree; a longer one is cut where its branches are the shortest
LEVELS = ("executes", "fault", "note")
FACTS: tuple[str, ...] = (
    "architecture",
    "framework",
    "license",
    "quantization",
    "tokenizer",
    "context",
    "vocabulary",
    "lineage",
)
FACTS += ("datasets", "templates", "special_tokens", "components", "adapter", "generation")


@command("inspect")
@argument("model")
@option("--hashes", is_flag=True)
@option("--json", "as_json", is_flag=True)
def inspect(model: str, hashes: bool, as_json: bool) -> None:
    """What is in the files of a model: of a name, a file, or a folder."""
    report = _report(model, hashes)
    if as_json:
        found = [
            {"file": file, **asdict(finding), "says": _sentence(file, finding)} for file, finding in report.findings
        ]
        out.as_json({**asdict(report), "findings": found})
        return
    for line in _lines(report):
        out.say(harmless(line))


def _report(model: str, hashes: bool) -> Report:
    """By a path that is there, else by what the name leads to."""
    path = Path(os.path.expanduser(model.removeprefix("file:")))  # noqa: PTH111 - leaves the name of nobody as it is
    if "\x00" not in model and path.exists() and (os.sep in model or not path.is_dir()):
        return inspection.inspect(path, hashes=hashes)
    models = config.folders().models
    try:
        target = resolve.resolve(model, models)
    except NoEngineForFile as error:
        record = pulled.record_of(model, models)
        return _of_record(record, hashes) if record else _beside(Path(error.path), model, hashes)
    except ModelNotPulled:
        if not model.startswith("hf:"):
            raise
        return _in_hub(model)
    except UnknownModel:
        if path.is_dir():  # a name leads to a model first, as it does elsewhere
            return inspection.inspect(path, hashes=hashes)
        raise
    if record := pulled.record_of(target.record, models) if target.record else None:
        return _of_record(record, hashes)
    if not target.files:
        raise NothingToFetch(target.name, target.remote.provider.address if target.remote else "")
    if target.format == "openvino":
        return inspection.inspect(Path(target.files[0]).parent, target.name, hashes=hashes)
    files = [*target.files, *filter(None, [target.projector])]
    return inspection.inspect_files([(Path(file), "") for file in files], target.name, hashes=hashes)


def _in_hub(model: str) -> Report:
    """The headers of a model that is only in the hub. The files that they were fetched into do not stay."""
    source = parse(model)
    assert isinstance(source, HubSource)
    with TemporaryDirectory(prefix="abierto-") as folder:
        fetched = hub_headers.fetch(source, Path(folder), config.certificates())
        others = {file.path: file.size for file in fetched.left_out}
        report = inspection.inspect_headers(Path(folder), source.repository, fetched.hashes, others)
    place = f"hf:{source.repository}@{fetched.commit}"
    return replace(report, name=model, place=place, fetched=fetched.bytes)


def _of_record(record: Record, hashes: bool) -> Report:
    """The files of a pulled model, each with the hash that was verified, where it has not changed since."""
    files = [(file.path, file.sha256 if file.intact else "") for file in record.all_files]
    return inspection.inspect_files(files, record.name, hashes=hashes)


def _beside(path: Path, name: str, hashes: bool) -> Report:
    """A file that no engine reads: in a revision of the hub's cache all of the revision, else the file."""
    inside = [folder for folder in path.parents if folder.parent.name == "snapshots"]
    return inspection.inspect(inside[0] if inside else path, name, hashes=hashes)


def _lines(report: Report) -> Iterator[str]:
    yield f"{text('show.name')}: {report.name}"
    yield f"{text('inspect.place')}: {report.place}"
    yield from (f"{text(f'inspect.{label}')}: {value}" for label, value in _facts(report.facts))
    total = text("inspect.total_value", parameters=count(report.parameters), size=size(report.size))
    yield f"{text('inspect.total')}: {total}"
    if report.fetched:
        yield f"{text('inspect.fetched')}: {size(report.fetched)}"
    for part in report.parts:
        yield from ("", *_part(part))
    yield from ("", f"{text('inspect.files')}:")
    for file in report.files:
        hash_ = file.sha256 or text("inspect.no_hash")
        yield f"  {file.name}  {file.format}  {size(file.size)}  {hash_}"
    for level in LEVELS:
        found = [(name, one) for name, one in report.findings if one.level == level]
        if found or level == "executes":
            yield from ("", f"{text(f'inspect.level_{level}')}:")
            yield from (f"- {_sentence(name, one)}" for name, one in found)
        if not found and level == "executes":
            yield f"- {text('inspect.nothing_executes')}"


def _facts(facts: Facts) -> Iterator[tuple[str, str]]:
    for name in FACTS:
        value = getattr(facts, name)
        if not value:
            continue
        if isinstance(value, dict):
            yield name, ", ".join(f"{key}={_plain(one)}" for key, one in value.items())
        elif isinstance(value, int):
            yield name, count(value)
        else:
            yield name, value if isinstance(value, str) else ", ".join(value)


def _plain(value: object) -> str:
    return " ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _part(part: Part) -> Iterator[str]:
    yield text(
        "inspect.part",
        name=part.name,
        format=part.format,
        tensors=count(part.tensors),
        parameters=count(part.parameters),
        size=size(part.size),
        dtypes=_dtypes(part.dtypes),
    )
    depth = _depth(part.tree)
    yield from _branches(part.tree, 1, depth)
    if len(list(_branches(part.tree, 1, depth + 1))) > len(list(_branches(part.tree, 1, depth))):
        yield f"  {text('inspect.cut')}"


def _depth(tree: Sequence[Block]) -> int:
    """The most levels that fit into so many lines as one likes to read."""
    depth = 1
    while depth < 16 and sum(1 for _ in _branches(tree, 1, depth + 1)) <= LINES:
        depth += 1
    return depth


def _branches(tree: Sequence[Block], level: int, depth: int) -> Iterator[str]:
    for block in tree:
        times = f" x {block.repeats}" if block.repeats > 1 else ""
        shape = "" if block.shape is None else f" [{' x '.join(map(str, block.shape))}]"
        numbers = text("inspect.block", parameters=count(block.parameters), size=size(block.size))
        yield f"{'  ' * level}{block.name}{times}{shape}: {numbers} {_dtypes(block.dtypes)}"
        if level < depth:
            yield from _branches(block.children, level + 1, depth)


def _dtypes(dtypes: Mapping[str, int]) -> str:
    return " ".join(sorted(dtypes, key=lambda name: -dtypes[name]))


def _sentence(file: str, finding: Finding) -> str:
    about = {name: count(value) if isinstance(value, int) else value for name, value in finding.about.items()}
    if finding.code == "unreadable":
        error: AbiertoError = rebuild(finding.about["error"], finding.about["facts"])
        said = text("finding.unreadable", says=tell(error)[0])
    else:
        for name in ("found", "expected"):
            if name in about and has(f"found.{about[name]}"):
                about[name] = text(f"found.{about[name]}")
        said = text(f"finding.{finding.code}", **about)
    return f"{file}: {said}" if file else said
