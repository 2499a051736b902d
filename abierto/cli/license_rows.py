"""What `abierto show` tells of a model's licence: what each place says, and where they disagree."""

from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from abierto.catalog import Card
from abierto.catalog.licensing.folder import Licensing, of_folder, of_metadata
from abierto.catalog.licensing.tags import declared
from abierto.catalog.licensing.words import said, sentence
from abierto.formats.gguf import GGUFHeader
from abierto.locale import text
from abierto.runtime.openness import declared_of

_WEIGHTS = {".gguf", ".safetensors"}


def licensing_of(card: Card | None, files: tuple[str, ...], header: GGUFHeader | None) -> Licensing | None:
    """What the card of the catalog, the header and the folder of a model's files say; None without files."""
    if not files:
        return None
    stated = [declared(card.license).at(text("licensing.catalog"))] if card and card.license else []
    inside = [of_metadata(header.metadata, Path(files[0]).name)] if header else []
    return of_folder(_own_folder(files), [*stated, *inside], declared_of)


def license_rows(found: Licensing) -> Iterator[tuple[str, str]]:
    """The lines to show, as key of the label and value."""
    for place in found.places:
        yield "license_place", text("licensing.reading", where=place.where, license=said(place))
    for finding in found.findings:
        yield "license_conflict" if finding.conflict else "license_question", sentence(finding)


def license_body(found: Licensing) -> dict[str, Any]:
    """The same for `--json`."""
    return {
        "places": [asdict(place) for place in found.places],
        "base_model": found.base_model,
        "findings": [{**asdict(finding), "sentence": sentence(finding)} for finding in found.findings],
    }


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
