"""What is open about a model by name: where its files are found, here or in the hub, and what runs them here."""

from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

from abierto import catalog, config
from abierto.catalog import Card
from abierto.catalog.licensing.reading import Reading
from abierto.catalog.licensing.tags import declared
from abierto.catalog.openness import collect, identity, report
from abierto.catalog.openness.evidence import Inventory
from abierto.catalog.openness.report import Report
from abierto.errors import ModelNotPulled, ModelNotShipped, NothingToFetch, UnknownModel
from abierto.formats import openvino_model
from abierto.runtime.resolve import Target, resolve
from abierto.store import hub_headers, package_folder
from abierto.store.sources import HubSource, parse

# Format -> the program that runs such files here.
_ENGINES = {"gguf": "llama.cpp", "openvino": "OpenVINO", "diffusers_onnx": "ONNX Runtime"}


def of_model(name: str, *, anywhere: bool = True) -> Report:
    """The report on a model that is here, in the hub, or on a card. anywhere: whether `name` may be a folder, a file or
    a source, too; a name that came over a network may not.

    Raises what `resolve` raises but for a card that is not pulled, and what `hub_headers.fetch` raises.
    """
    return report.of(*_collected(name, anywhere=anywhere))


def declared_of(name: str) -> Reading | None:
    """What the catalog knows of the licence of a model, by its name here or on the hub; None where it has no card."""
    card = catalog.find(name) or catalog.find(name.rpartition("/")[2])
    return declared(card.license) if card and card.license else None


def _collected(name: str, *, anywhere: bool) -> tuple[Inventory, str]:
    """What there is to see of the model, and the program here that runs it."""
    card = catalog.find_form(name)[0]
    path = Path(name.removeprefix("file:")).expanduser()
    if anywhere and path.is_dir():
        engine = _ENGINES["openvino"] if openvino_model.main_file(path) else ""
        return collect.folder(path.resolve().name, path, known=declared_of), engine
    if anywhere and path.is_file() and not card:
        # Files of other formats have no engine here, and evidence all the same.
        return collect.file(path.name, path), _ENGINES.get(path.suffix[1:].lower(), "")
    try:
        target = resolve(name, config.folders().models, anywhere=anywhere)
    except ModelNotShipped:
        assert card is not None
        return _in_folder_of(card), ""
    except (ModelNotPulled, NothingToFetch, UnknownModel):
        if name.startswith("hf:") and anywhere:
            return _in_hub(name), ""
        if card is None:
            raise
        return collect.catalog_card(card), ""
    return _of_target(target), _ENGINES.get(target.format, "")


def _in_folder_of(card: Card) -> Inventory:
    """A model of a package that is not whole here: what its folder holds, as far as it has one."""
    folder = package_folder.find(card.package)
    without = replace(card, package="")  # where the package is not, nothing of it is shown
    return collect.folder(card.name, folder, without, declared_of) if folder else collect.catalog_card(without)


def _in_hub(name: str) -> Inventory:
    """A model that is only in the hub: its texts and the beginnings of its files, which do not stay here."""
    source = parse(name)
    assert isinstance(source, HubSource)
    with TemporaryDirectory(prefix="abierto-") as folder:
        found = hub_headers.fetch(source, Path(folder), config.certificates())
        said = identity.of_hub(source.repository, found.commit, found.modified)
        return collect.folder(source.repository, Path(folder), known=declared_of, hub=said)


def _of_target(target: Target) -> Inventory:
    """A folder as a whole where its makers' card lies beside the file, else the file alone."""
    if not target.files:
        return collect.catalog_card(target.card) if target.card else collect.nothing(target.name)
    file = Path(target.files[0])
    if (file.parent / "README.md").is_file():
        # A folder shows itself what a card can only say of a package.
        card = replace(target.card, package="") if target.card else None
        return collect.folder(target.name, file.parent, card, declared_of)
    return collect.file(target.name, file, target.card)
