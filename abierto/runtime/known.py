"""The models that this computer has, once for all dialects: pulled ones, those of other programs, built-in ones.

Only what can be loaded is told. The headers of files are read once, and again when size or time have changed. It knows
no wire format.
"""

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from pathlib import Path

from abierto import catalog, config, engines
from abierto.catalog import Card
from abierto.errors import AbiertoError, FileMissing, NoEngineForFile
from abierto.formats import diffusers_folder, openvino_model
from abierto.formats.detect import detect
from abierto.formats.gguf import read_parts
from abierto.formats.gguf_header import GGUFHeader
from abierto.runtime.pulled import record_of
from abierto.runtime.resolve import built_in, is_installed, resolve
from abierto.store import elsewhere, records
from abierto.store.foreign import ForeignModel, trouble
from abierto.store.records import Record

# What the tasks are called on cards. A task that is not here keeps the name that it has there.
TASKS = {
    "text-generation": "chat",
    "image-text-to-text": "chat",
    "feature-extraction": "embed",
    "sentence-similarity": "embed",
    "text-ranking": "rerank",
    "text-to-image": "draw",
}
_SCORES = 4  # LLAMA_POOLING_TYPE_RANK
_REMEMBERED = 4096  # files


@dataclass(frozen=True, slots=True)
class Inside:
    """What the header of a file says. parameters: how many numbers; context: tokens; both 0 where that is not known."""

    format: str
    task: str = "chat"
    architecture: str = ""
    parameters: int = 0
    quantization: str = ""
    context: int = 0
    license: str = ""
    chat_template: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """A model that can be loaded by `name`.

    task: `chat`, `embed`, `rerank`, `draw`, or a card's pipeline tag. size: bytes of all files together. created: when
    it came, in seconds since 1970; 0 for what is a part of Abierto or of a package. sha256: of the first file, empty
    where nobody said it. owner: the program whose files they are, a key under `owner.`; empty where a pull brought
    them. files: absolute paths, the first is the one to open. format: without files `none`, or the package that holds
    the model. sees: whether images can be shown to it. architecture, quantization, license, chat_template: empty,
    parameters, context: 0 where unknown.
    """

    name: str
    task: str
    format: str
    size: int = 0
    created: int = 0
    sha256: str = ""
    owner: str = ""
    files: tuple[str, ...] = ()
    sees: bool = False
    architecture: str = ""
    parameters: int = 0
    quantization: str = ""
    context: int = 0
    license: str = ""
    card: Card | None = None
    chat_template: str = ""


def all_models() -> list[Known]:
    """Those that were pulled, those of other programs, the built-in ones; each name once, and what it leads to."""
    folder = config.folders().models
    parts = [_built_in(card) for card in catalog.cards().values() if card.built_in and is_installed(card)]
    taken = {one.name.lower() for one in parts}
    found: list[Known] = []
    for one in _with_files(folder):
        if one.name.lower() not in taken:
            taken.add(one.name.lower())
            found.append(one)
    return [*found, *parts]


def named(name: str) -> Known:
    """The model that a name means, which may be an alias; a path or a source is none.

    Raises what `resolve` raises, and the errors of a file that is not what it should be.
    """
    folder = config.folders().models
    target = resolve(name or config.settings().model, folder, anywhere=False)
    if target.card and target.card.built_in:
        return _built_in(target.card)
    for one in _with_files(folder):
        if one.files == target.files and one.name == (target.record or one.name):
            return replace(one, name=target.name, card=target.card)
    return replace(_known(target.name, [Path(file) for file in target.files], target.card), owner=target.owner)


def _with_files(folder: Path) -> Iterator[Known]:
    pulled = records.all_records(folder)
    for record in pulled:
        with suppress(AbiertoError):
            yield _pulled(record)
    for model in elsewhere.not_pulled(config.places(), pulled):
        # Where the name leads to a pulled model, it does not lead to this one.
        if not trouble(model) and not record_of(model.name, folder):
            with suppress(AbiertoError):
                yield _foreign(model)


def _built_in(card: Card) -> Known:
    target = built_in(card)
    size = diffusers_folder.read(target.files[0]).weights_size if target.files else 0
    return Known(card.name, _task(card, ""), target.format, size, license=card.license or "", card=card)


def _pulled(record: Record) -> Known:
    one = _known(record.name, [file.path for file in record.files], catalog.find_form(record.name)[0])
    return replace(
        one,
        size=record.size,
        created=int(datetime.fromisoformat(record.pulled_at).timestamp()),
        sha256=record.files[0].sha256,
        sees=one.sees or record.projector is not None,
    )


def _foreign(model: ForeignModel) -> Known:
    sha256 = model.files[0].sha256 or ""
    card = catalog.find_form(model.name)[0]
    same = card and sha256 and sha256 in {weights.sha256 for weights in card.weights.values()}
    one = _known(model.name, [file.path.absolute() for file in model.files], card if same else None)
    sees = one.sees or model.projector is not None
    return replace(one, size=model.size, sha256=sha256, owner=model.owner, sees=sees)


def _known(name: str, files: Sequence[Path], card: Card | None) -> Known:
    """Raises what `_read` raises, NoEngineForFile."""
    try:
        stats = [file.stat() for file in files]
    except OSError as error:
        raise FileMissing(str(files[0])) from error
    key = tuple((str(file), stat.st_size, stat.st_mtime_ns) for file, stat in zip(files, stats, strict=True))
    inside = _remembered(key) or _read([path for path, _, _ in key])
    if not engines.engines_for(inside.format):
        raise NoEngineForFile(str(files[0]), inside.format)
    return Known(
        name=name,
        task=_task(card, inside.task),
        format=inside.format,
        size=sum(stat.st_size for stat in stats),
        created=int(stats[0].st_mtime),
        files=tuple(map(str, files)),
        # Of OpenVINO's models those that see have the part for language under a name of its own.
        sees=inside.format == "openvino" and files[0].name != openvino_model.MAIN[0],
        architecture=inside.architecture or (card and card.architecture) or "",
        parameters=inside.parameters or (card and card.parameters) or 0,
        quantization=inside.quantization,
        context=inside.context or (card and card.context) or 0,
        license=(card and card.license) or inside.license,
        card=card,
        chat_template=inside.chat_template,
    )


def _task(card: Card | None, task: str) -> str:
    return TASKS.get(card.pipeline_tag, card.pipeline_tag) if card else task


@lru_cache(_REMEMBERED)
def _remembered(key: tuple[tuple[str, int, int], ...]) -> Inside | None:
    try:
        return _read([path for path, _, _ in key])
    except AbiertoError:
        return None


def _read(paths: Sequence[str]) -> Inside:
    """What the header says. Raises FileMissing, NotAModel, CorruptFile, PartMissing."""
    found = detect(paths[0])
    if found == "gguf":
        return _of_gguf(read_parts(paths))
    return Inside(found, context=openvino_model.read(paths[0]).context_length or 0 if found == "openvino" else 0)


def _of_gguf(header: GGUFHeader) -> Inside:
    task = "rerank" if header.pooling == _SCORES else "embed" if header.pooling or not header.causal else "chat"
    return Inside(
        format="gguf",
        task=task,
        architecture=header.architecture,
        parameters=header.parameter_count,
        quantization=header.quantization,
        context=header.context_length or 0,
        license=header.license or "",
        chat_template=header.chat_template or "",
    )
