"""From a name to the files of a model: what a person may type for `--model`, in one order of precedence.

1. a source (`file:...`, `hf:...`, `pypi:...`); 2. a path of a file, or of a folder with a model of OpenVINO or
Diffusers; 3. a model on another computer, by a provider's prefix (`groq/...`); 4. a card, by its name or an alias, with
or without one of its quantisations (`qwen3:4b:q8_0`); 5. a pulled model; 6. a model of another program: Ollama, LM
Studio, the Hugging Face cache, a folder of the settings.

A card whose files are not here gives way to what is: first to the very same file wherever it lies, then to a model of
another program by the same name. What else answers to a name is told with the target, never passed over in silence.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from abierto import catalog, config, engines
from abierto.catalog import Card
from abierto.config import Places
from abierto.errors import (
    AbiertoError,
    BeingDownloaded,
    FileMissing,
    FileNotInRepository,
    InvalidSource,
    ModelNotPulled,
    ModelNotShipped,
    NoEngineForFile,
    NotAModel,
    NothingToFetch,
    PartMissing,
    RemotesOff,
    UnknownModel,
    UnknownQuantization,
)
from abierto.formats import diffusers_folder, openvino_model
from abierto.formats.detect import detect
from abierto.formats.split import part_names, whole_name
from abierto.runtime import claims, remotes
from abierto.runtime.claims import Claim
from abierto.runtime.pulled import best_of, record_of
from abierto.runtime.remotes import Remote
from abierto.store import elsewhere, hub_models, package_folder, records
from abierto.store.foreign import ForeignModel, arrived, trouble
from abierto.store.records import Record
from abierto.store.sources import FileSource, HubSource, Source, parse

SCHEMES = ("file:", "hf:", "https:", "pypi:")
# Formats of models that no engine here reads yet; any other file is no model at all.
OTHER_FORMATS = ("ggml", "safetensors", "onnx", "pickle", "tflite", "diffusers")
_QUANTIZATION = re.compile(r"(?i)(ud-)?i?q\d\w*|tq\d_\d|mxfp\d\w*|int\d|bf16|f16|f32")
_PARTIAL = re.compile(r"sha256-[0-9a-f]{64}-partial(-\d+)?")


@dataclass(frozen=True, slots=True)
class Target:
    """A model that can be loaded.

    name: what to call it. files: absolute paths, the first is the one to open. format: of that file, `none` without.
    vouched: the file is the very one that the card names by its hash, unchanged since that was checked.
    record: its name in the store, which is also the name of its lock. projector: absolute path of the file that turns
    images into what the model reads. owner: the program whose file it is, a key under `owner.`; empty where a pull or a
    path leads to it. claims: what else answers to the name. remote: where it is when it is on another computer; the
    format is `remote` then, and there are no files.
    """

    name: str
    files: tuple[str, ...] = ()
    format: str = "none"
    card: Card | None = None
    vouched: bool = False
    record: str | None = None
    projector: str = ""
    owner: str = ""
    claims: tuple[Claim, ...] = ()
    remote: Remote | None = None


def resolve(name: str, models: Path, *, anywhere: bool = True) -> Target:
    """What a name means. anywhere: whether it may be a source or a path, too; a name that came over a network may not.

    Raises UnknownModel, UnknownQuantization, ModelNotPulled, NothingToFetch, FileMissing, PartMissing,
    BeingDownloaded, NotAModel, InvalidSource, AmbiguousFile; RemotesOff, where not `anywhere` and the settings do not
    allow it.
    """
    if anywhere and (target := _by_place(name, models)):
        return target
    if remote := remotes.find(name):
        if not anywhere and not config.settings().remotes_over_api:
            raise RemotesOff(name)
        return Target(name, format="remote", remote=remote)
    card, form = catalog.find_form(name)
    if card and card.built_in:
        return built_in(card)
    places = config.places()
    others = elsewhere.named(places, name)
    record = record_of(name, models)
    if record:
        target, file = _by_record(record, card), record.files[0]
        also = claims.of_others(name, "card" if card else "pulled", file.path, file.sha256, others)
        return replace(target, claims=also)
    found = _of_other_programs(name, card, form, others)
    if found:
        return found
    if "/" in name:
        found = _in_hub_cache(name, places)
        if found:
            return found
    if anywhere and _is_path(name) and not card:  # a card may be called as models on the hub are, with slashes
        raise FileMissing(str(Path(name).absolute()))
    raise _not_here(name, card, form, models, places)


def built_in(card: Card) -> Target:
    """What a card leads to that no pull brings: a part of Abierto, a package, or a folder in one. Raises
    ModelNotShipped where there is no such folder."""
    folder = package_folder.find(card.package) if card.package else None
    main = diffusers_folder.main_file(folder) if folder else None
    if main:
        return Target(card.name, (str(main),), _format(main), card, vouched=True)
    if card.package and not engines.engines_for(card.package):
        raise ModelNotShipped(card.name, card.package)
    return Target(card.name, format=card.package or "none", card=card, vouched=True)


def is_installed(card: Card) -> bool:
    """Whether a card that needs no file leads to something: its package is installed, or its folder is there."""
    try:
        return bool(built_in(card).files) or not card.package or find_spec(card.package) is not None
    except ModelNotShipped:
        return False


def _by_place(name: str, models: Path) -> Target | None:
    """What a source or a path leads to; None for a name that is neither."""
    if name.startswith(SCHEMES):
        return _by_source(parse(name), models)
    path = Path(os.path.expanduser(name))  # noqa: PTH111 - leaves the name of nobody as it is
    if path.is_file() or (_is_path(name) and path.exists()):
        return replace(_by_path(path), claims=claims.of_file(name, models))
    if name.startswith(("~", f".{os.sep}", f"..{os.sep}")) or path.is_absolute():
        raise FileMissing(str(path.absolute()))
    return None


def _is_path(name: str) -> bool:
    return os.sep in name or name.startswith("~") or name.lower().endswith(".gguf")


def _by_source(source: Source, models: Path) -> Target:
    if isinstance(source, FileSource):
        return _by_path(source.path)
    for record in records.all_records(models):
        if record.source == str(source):
            return _by_record(record, catalog.find_form(record.name)[0])
    found = _in_hub_cache(str(source).removeprefix("hf:"), config.places()) if isinstance(source, HubSource) else None
    if found:
        return found
    raise ModelNotPulled(str(source))


def _in_hub_cache(name: str, places: Places) -> Target | None:
    """What the cache has of `OWNER/NAME[@REVISION][:PATTERN]`. Raises AmbiguousFile where it has several."""
    try:
        source = parse(f"hf:{name}")
    except InvalidSource:
        return None
    assert isinstance(source, HubSource)
    for cache in places.hub:
        # What the cache lacks of a repository says nothing about what the hub has.
        with suppress(FileNotInRepository):
            found = hub_models.of_source(cache, source)
            if found:
                return _by_foreign(found)
    return None


def _by_path(path: Path) -> Target:
    path = path.absolute()
    if _PARTIAL.fullmatch(path.name) and path.exists():
        raise BeingDownloaded(path.name, "ollama", arrived(path), path.stat().st_size)
    if not path.exists():
        raise FileMissing(str(path))
    if main := openvino_model.main_file(path) or diffusers_folder.main_file(path):
        return Target(path.name, (str(main),), _format(main))
    files = [path.with_name(part) for part in part_names(path.name)] or [path]
    missing = next((file for file in files if not file.exists()), None)
    if missing:
        raise PartMissing(str(missing), whole_name(path.name))
    return Target(whole_name(path.name).removesuffix(".gguf"), tuple(map(str, files)), _format(files[0]))


def _by_record(record: Record, card: Card | None) -> Target:
    path = record.files[0].path
    for file in record.files:
        if not file.path.is_file():
            raise FileMissing(str(file.path))
    hashes = {weights.sha256 for weights in card.weights.values()} if card else set()
    vouched = record.intact and all(file.sha256 in hashes for file in record.files)
    files = tuple(str(file.path) for file in record.files)
    return Target(record.name, files, _format(path), card, vouched, record.name)


def _by_foreign(model: ForeignModel) -> Target:
    """Never vouched for: whatever the other program says of the file, nobody here has verified it."""
    problem = trouble(model)
    if problem:
        raise problem
    files = tuple(str(file.path.absolute()) for file in model.files)
    projector = str(model.projector.path.absolute()) if model.projector else ""
    return Target(model.name, files, _format(Path(files[0])), projector=projector, owner=model.owner)


def _of_other_programs(name: str, card: Card | None, form: str, others: Sequence[ForeignModel]) -> Target | None:
    same = _same_file(card, form) if card else None
    if card and same:
        file = same.files[0]
        also = claims.of_others(name, "card", file.path, file.sha256, others)
        return replace(_by_foreign(same), name=f"{card.name}:{form}" if form else card.name, card=card, claims=also)
    sound = [model for model in others if not trouble(model)]
    # What another program is still fetching is worth the wait; what it has damaged does not stand in a card's way.
    others = [model for model in others if not card or isinstance(trouble(model), BeingDownloaded)]
    if not sound and not others:
        return None
    winner, *rest = sound or others
    target = _by_foreign(winner)
    absent = claims.of_absent_card(name, card, form, winner) if card else ()
    also = claims.of_others(name, winner.owner, winner.files[0].path, winner.files[0].sha256, rest)
    return replace(target, claims=(*absent, *also))


def _same_file(card: Card, form: str) -> ForeignModel | None:
    """A file of the card that another program has, as far as that program tells its content; of several the best."""
    places = config.places()
    wanted = {form: card.weights[form]} if form else dict(card.weights)
    found = {
        form: model
        for form, weights in wanted.items()
        if weights.sha256 and (model := elsewhere.with_content(places, weights.sha256)) and not trouble(model)
    }
    return found[best_of(card, list(found))] if found else None


def _not_here(name: str, card: Card | None, form: str, models: Path, places: Places) -> AbiertoError:
    if card and not card.weights:
        return NothingToFetch(card.name, next(iter(card.links.values())))
    if card:
        size = card.weights[form or best_of(card, list(card.weights))].size
        return ModelNotPulled(f"{card.name}:{form}" if form else card.name, size)
    also = [record.name for record in records.all_records(models)]
    also += [model.name for model in elsewhere.all_models(places)]
    return unknown(name, catalog.nearest(name, also))


def unknown(name: str, nearest: Sequence[str]) -> AbiertoError:
    """The error for a name that nothing has: of a quantisation, where what stands before it is a card."""
    before, _, last = name.rpartition(":")
    card = catalog.find(before)
    if card and card.weights and _QUANTIZATION.fullmatch(last):
        return UnknownQuantization(card.name, last, {form: weights.size for form, weights in card.weights.items()})
    return UnknownModel(name, nearest)


def _format(path: Path) -> str:
    found = diffusers_folder.format_of(path) if path.name == diffusers_folder.MAIN else detect(path)
    if found in OTHER_FORMATS:
        raise NoEngineForFile(str(path), found)
    if found not in ("gguf", "openvino", "diffusers_onnx"):
        raise NotAModel(str(path), found)
    return found
