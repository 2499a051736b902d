"""What `abierto show` tells of a model's licence: what each place says, and where they disagree."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from abierto import catalog
from abierto.catalog import Card
from abierto.catalog.licensing.conflicts import Finding
from abierto.catalog.licensing.folder import Licensing, of_folder, of_metadata
from abierto.catalog.licensing.reading import Outcome, Reading
from abierto.catalog.licensing.tags import declared, title_of
from abierto.formats.gguf import GGUFHeader
from abierto.locale import text

_WEIGHTS = {".gguf", ".safetensors"}


def licensing_of(card: Card | None, files: tuple[str, ...], header: GGUFHeader | None) -> Licensing | None:
    """What the card of the catalog, the header and the folder of a model's files say; None without files."""
    if not files:
        return None
    said = [declared(card.license).at(text("licensing.catalog"))] if card and card.license else []
    inside = [of_metadata(header.metadata, Path(files[0]).name)] if header else []
    return of_folder(_own_folder(files), [*said, *inside], _declared_of)


def license_rows(found: Licensing) -> Iterator[tuple[str, str]]:
    """The lines to show, as key of the label and value."""
    for place in found.places:
        yield "license_place", text("licensing.reading", where=place.where, license=_words(place))
    for finding in found.findings:
        yield "license_conflict" if finding.conflict else "license_question", sentence(finding)


def license_body(found: Licensing) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "places": [asdict(place) for place in found.places],
        "base_model": found.base_model,
        "findings": [{**asdict(finding), "sentence": sentence(finding)} for finding in found.findings],
    }


def sentence(finding: Finding) -> str:
    """A finding in the person's language."""
    facts = dict(finding.facts)
    if "kinds" in facts:
        facts["kinds"] = ", ".join(text(f"licensing.kind.{kind}") for kind in facts["kinds"].split(","))
    return text(f"licensing.{finding.code}", **facts)


def _words(place: Reading) -> str:
    more = " / …" if len(place.candidates) > 4 else ""
    candidates = " / ".join(place.candidates[:4]) + more
    named = place.license
    if named.startswith("LicenseRef-"):
        named = text("licensing.named", name=title_of(named), license=named)
    reading = text(f"licensing.reading.{place.outcome.value}", license=named, candidates=candidates)
    different = place.said and place.outcome is not Outcome.KNOWN
    return text("licensing.said", reading=reading, said=place.said) if different else reading


def _own_folder(files: tuple[str, ...]) -> Path | None:
    """The folder of a model's files, if nothing else lives there: a licence in a folder of downloads may be of another
    one. A snapshot of the hub's cache is of one repository."""
    folder = Path(files[0]).parent
    if folder.parent.name == "snapshots":
        return folder
    try:
        weights = {path.name for path in folder.iterdir() if path.suffix.lower() in _WEIGHTS}
    except OSError:
        return None
    return folder if weights <= {Path(file).name for file in files} else None


def _declared_of(name: str) -> Reading | None:
    card = catalog.find(name) or catalog.find(name.rpartition("/")[2])
    return declared(card.license) if card and card.license else None
