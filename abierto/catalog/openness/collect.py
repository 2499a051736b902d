"""Finds what there is of a model: in a folder, in a single file, in its card of the catalog, or in several of these.

Each finding names the rule that found it and where. Nothing is claimed from a word alone. It opens no link.
"""

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any

from abierto.catalog.card import Card
from abierto.catalog.licensing.folder import Licensing, of_folder, of_metadata
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.tags import declared
from abierto.catalog.openness import card_rules, card_text, declaration, file_rules, identity
from abierto.catalog.openness.card_text import CardText
from abierto.catalog.openness.evidence import Inventory, Refused, Said, Seen, Statement, Where, merged
from abierto.errors import AbiertoError
from abierto.formats.gguf import read_header

MAX_CONFIG = 10_000_000  # bytes
# Links of a card in the catalog that are a component. `code` is none: it does not say the code of what.
_CATALOG_LINKS = {"paper": "paper", "report": "technical_report", "data": "datasets", "model_card": "model_card"}
_CATALOG_LINKS |= {"config": "metadata"}
_DOCUMENTS = ("technical_report", "paper", "data_card")
# What is declared of the model of this name, for the one that another was made from.
Known = Callable[[str], Reading | None]


@dataclass
class _Found:
    """What the collectors put together."""

    seen: list[Seen] = field(default_factory=list)
    readings: list[tuple[Reading, Where, str]] = field(default_factory=list)
    notes: dict[str, Where] = field(default_factory=dict)
    task: str = ""
    base_models: list[str] = field(default_factory=list)
    gated: bool | None = None
    links: dict[str, str] = field(default_factory=dict)
    identity: dict[str, Said] = field(default_factory=dict)
    refused: tuple[Refused, ...] = ()
    documents: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def identify(self, stated: Iterable[tuple[str, Said]]) -> None:
        """Add what is known of who published it and when; what was added first stays."""
        for key, said in stated:
            self.identity.setdefault(key, said)


def folder(
    name: str,
    root: Path,
    card: Card | None = None,
    known: Known | None = None,
    hub: Iterable[tuple[str, Said]] = (),
) -> Inventory:
    """What a model's folder shows, and what its card in the catalog knows beside. known: of the models that it was
    made from. hub: what the hub says of the revision that the folder holds."""
    found = _Found()
    found.identify((*hub, *identity.of_folder(root.absolute())))
    here = file_rules.listing(root)
    _read_declaration(found, declaration.read(here))
    found.seen += file_rules.seen(here)
    text = here.named("README.md") or here.named("MODEL_CARD.md")
    if text:
        with (root / text).open("rb") as opened:
            _read_card(found, card_text.read(opened.read(card_text.MAX_CARD), text.as_posix()))
    _read_documents(found, root)
    for file in here.files:
        if file.suffix.lower() == ".gguf":
            _read_gguf(found, root / file, file.as_posix())
    _read_config(found, root)
    if card:
        _read_catalog(found, card)
    return _inventory(name, found, of_folder(root, [reading for reading, _, _ in found.readings], known))


def file(name: str, path: Path, card: Card | None = None) -> Inventory:
    """What a single file shows, whatever lies beside it, and what its card in the catalog knows."""
    found = _Found()
    format_ = file_rules.weights_format(path)
    if format_:
        found.seen.append(Seen("weights", Where(path.name, quote=format_), "file_of_weights", file=True))
    if format_ == "gguf":
        _read_gguf(found, path, path.name)
    if card:
        _read_catalog(found, card)
    return _inventory(name, found)


def catalog_card(card: Card) -> Inventory:
    """What the catalog knows of a model that is not here."""
    found = _Found()
    _read_catalog(found, card)
    return _inventory(card.name, found)


def nothing(name: str) -> Inventory:
    """A model of which nothing is here to be seen."""
    return _inventory(name, _Found())


def _inventory(name: str, found: _Found, licensing: Licensing | None = None) -> Inventory:
    licensing = licensing or of_folder(None, [reading for reading, _, _ in found.readings])
    stated = tuple(_statements(found, licensing))
    # Where statements differ, all of them apply.
    own = " AND ".join(sorted({said.license for said in stated})) or None
    seen = [replace(one, license=own) if one.key == "weights" and one.license is None else one for one in found.seen]
    return Inventory(
        name,
        merged(seen),
        stated,
        found.notes,
        found.task,
        tuple(dict.fromkeys((*found.base_models, *licensing.base_model))),
        found.gated,
        found.links,
        licensing.findings,
        found.identity,
        found.refused,
        found.documents,
    )


def _statements(found: _Found, licensing: Licensing) -> Iterator[Statement]:
    """What each place says, as an expression. A text that was changed is a licence of its own."""
    here = Where(licensing.declared.where, quote=licensing.declared.said)
    named = {reading.license for reading in licensing.places if reading.outcome is Outcome.KNOWN}
    # A word that can mean several licences says nothing more where another place tells which of them.
    settled = licensing.declared.outcome is Outcome.AMBIGUOUS and licensing.declared.possible & named
    if (stated := _expression(licensing.declared)) and not settled:
        yield Statement(stated, found.notes.get("license", here), "card_head_license")
    for reading in licensing.texts:
        if stated := _expression(reading):
            yield Statement(stated, Where(reading.where), "license_text")
    for reading, where, rule in found.readings:
        # The catalog repeats what was read elsewhere: it counts where nothing else speaks.
        if (stated := _expression(reading)) and (rule != "catalog_license" or not licensing.declared.possible):
            yield Statement(stated, where, rule)


def _expression(reading: Reading) -> str:
    match reading.outcome:
        case Outcome.KNOWN:
            return reading.license
        case Outcome.CHANGED:
            return f"LicenseRef-changed-{reading.candidates[0].removeprefix('LicenseRef-')}"
        case Outcome.SEVERAL:
            return " AND ".join(reading.candidates)
        case Outcome.UNCHECKED if len(reading.candidates) == 1:
            return reading.candidates[0]
        case Outcome.AMBIGUOUS if "," in reading.said:
            return " AND ".join(reading.candidates)  # a list: whether all hold or one by choice is not told
        case Outcome.UNKNOWN | Outcome.AMBIGUOUS if reading.said:
            return reading.said.removeprefix("other ")  # the hub's word before a name of its own
        case Outcome.UNNAMED:
            return "LicenseRef-unnamed"
        case Outcome.UNKNOWN:
            return "LicenseRef-unknown-text"
    return ""


def _read_declaration(found: _Found, said: declaration.Declared) -> None:
    found.seen += said.seen
    found.refused = said.refused
    found.identify(said.identity)
    found.readings += [(declared(one.value).at(one.where.place), one.where, "declared_license") for one in said.stated]


def _read_card(found: _Found, card: CardText) -> None:
    found.seen += card_rules.seen(card)
    found.notes |= card_rules.notes(card)
    found.links |= card_rules.links(card)
    found.identify(identity.of_text(card))
    head = card.head
    for key in ("license_name", "license"):
        if head.get(key):
            found.notes["license"] = card.in_head(key)
    found.task = found.task or (head["pipeline_tag"] if isinstance(head.get("pipeline_tag"), str) else "")
    if found.task:
        found.notes.setdefault("modality", card.in_head("pipeline_tag"))
    named = head.get("base_model")
    found.base_models += [one for one in (named if isinstance(named, list) else [named]) if isinstance(one, str)]
    if any(str(key).startswith("extra_gated") for key in head):
        found.gated = True


def _read_documents(found: _Found, root: Path) -> None:
    """Reports and data cards that are text and no part of the model card."""
    for one in found.seen:
        if one.file and one.key in _DOCUMENTS and one.rule != "card_section_on_data":
            path = root / one.where.place
            if path.suffix.lower() == ".md" and path.is_file() and one.key not in found.documents:
                with path.open("rb") as opened:
                    read = card_text.read(opened.read(card_text.MAX_CARD), one.where.place)
                found.documents[one.key] = card_rules.covered(read)


def _read_gguf(found: _Found, path: Path, place: str) -> None:
    try:
        header = read_header(path)
    except AbiertoError:
        return  # what is wrong with the file is for those to say who load it
    said = {key: value for key, value in header.metadata.items() if isinstance(value, str)}
    found.seen.append(Seen("metadata", Where(place, section="GGUF header"), "gguf_header", file=True))
    found.notes.setdefault("architecture", _key(place, "general.architecture", header.architecture))
    found.identify(identity.of_gguf(header, place))
    reading = of_metadata(header.metadata, place)
    if reading.outcome is not Outcome.ABSENT:
        found.readings.append((reading, _key(place, "general.license", reading.said), "gguf_license"))
    for key, value in said.items():
        if key.startswith("general.dataset.") and key.endswith((".repo_url", ".url")):
            found.seen.append(Seen("datasets", Where(value, section=f"GGUF header: {key}"), "gguf_dataset"))
        if key.startswith("general.base_model.") and key.endswith(".repo_url"):
            found.base_models.append(value)


def _key(place: str, key: str, value: str) -> Where:
    return Where(place, section=f"GGUF header: {key}", quote=card_text.shortened(value))


def _read_config(found: _Found, root: Path) -> None:
    """A config.json with the name and sizes of the network tells of its architecture; so does a pipeline's index."""
    for file, keys in (("config.json", ("model_type", "_class_name")), ("model_index.json", ("_class_name",))):
        try:
            with (root / file).open("rb") as opened:
                body: Any = json.loads(opened.read(MAX_CONFIG))
        except (OSError, ValueError, RecursionError):
            continue
        for key in keys:
            if isinstance(body, Mapping) and isinstance(named := body.get(key), str):
                found.notes.setdefault("architecture", Where(file, section=key, quote=card_text.shortened(named)))


def _read_catalog(found: _Found, card: Card) -> None:
    source = next((item.url for item in card.evidence if "license" in item.facts), "")
    entry = Where(f"catalog: {card.name}", section="license", quote=source)
    if card.license:
        found.readings.append((declared(card.license).at(entry.place), entry, "catalog_license"))
    for form, weights in card.weights.items():
        found.seen.append(
            Seen("weights", Where(weights.source, section=f"catalog: {card.name}, {form}"), "catalog_source")
        )
    for kind, url in card.links.items():
        component = _CATALOG_LINKS.get(kind)
        # What the card states of the component itself says more than a link, which knows no licence.
        if component and component not in card.components:
            place = Where(url, section=f"catalog: {card.name}, links.{kind}")
            found.seen.append(Seen(component, place, "catalog_link"))
    for key, published in card.components.items():
        place = Where(published.url, section=f"catalog: {card.name}, components.{key}")
        found.seen.append(Seen(key, place, "catalog_component", published.status, published.license))
    for aspect, url in card.told.items():
        found.notes.setdefault(aspect, Where(url, section=f"catalog: {card.name}, told.{aspect}"))
    if card.package:
        found.seen += _of_package(card)
    found.task = found.task or card.pipeline_tag
    found.notes.setdefault("modality", Where(f"catalog: {card.name}", section="pipeline_tag", quote=card.pipeline_tag))
    if "code" in card.links:
        found.links.setdefault("repository", card.links["code"])
    found.identify(identity.of_card(card))
    if card.links.get("homepage", "").startswith(identity.HUB):
        found.links.setdefault("huggingface", card.links["homepage"])


def _of_package(card: Card) -> Iterator[Seen]:
    """A package that holds a model whole: its weights, and the code that computes with them, under its own licence."""
    places = metadata.packages_distributions().get(card.package, [])
    stated = metadata.metadata(places[0]).json if places else {}
    license_ = str(stated.get("license_expression") or stated.get("license") or "").partition("\n")[0] or None
    where = Where(f"pypi:{places[0]}" if places else f"catalog: {card.name}", section=f"package {card.package}")
    yield Seen("weights", where, "catalog_package", file=bool(places))
    yield Seen("inference_code", where, "catalog_package", license=license_, file=bool(places))
