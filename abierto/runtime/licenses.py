"""Every package that Abierto runs on here, and every pulled model, with the licence that each states."""

import re
from collections.abc import Iterator, Mapping
from importlib import metadata
from typing import NamedTuple

from abierto import catalog, config
from abierto.catalog.licensing import texts
from abierto.store import records

# What is longer is the text of a licence, not its name.
LONGEST_NAME = 60


class Licensed(NamedTuple):
    """kind: `package` or `model`. license: empty where none is stated."""

    kind: str
    name: str
    license: str


def licenses() -> Iterator[Licensed]:
    """Packages by name, then models."""
    yield from _packages()
    for record in records.all_records(config.folders().models):
        card = catalog.find_form(record.name)[0]
        yield Licensed("model", record.name, (card.license if card else None) or "")


def _packages() -> Iterator[Licensed]:
    """Abierto and all that it requires, directly or not, as far as it is installed."""
    waiting, seen = ["abierto"], set()
    found: dict[str, str] = {}
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        try:
            package = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            continue  # of an extra or another system
        stated = _license(package.metadata.json)
        found[f"{package.name} {package.version}"] = stated or _by_its_text(package)
        waiting += [re.split(r"[^\w.-]", needed, maxsplit=1)[0].lower() for needed in package.requires or ()]
    for package_name in sorted(found, key=str.lower):
        yield Licensed("package", package_name, found[package_name])


def _license(facts: Mapping[str, str | list[str]]) -> str:
    """The licence that a package states: as an expression, else in a word, else by its classifiers."""
    if expression := facts.get("license_expression"):
        return str(expression)
    # Some state the whole licence; its first line is its name.
    stated = str(facts.get("license", "")).strip().partition("\n")[0].strip()
    if stated and len(stated) < LONGEST_NAME:
        return stated
    classified = [line.rpartition(" :: ")[2] for line in facts.get("classifier", ()) if line.startswith("License")]
    return ", ".join(classified)


def _by_its_text(package: metadata.Distribution) -> str:
    """Which licence the text is that a package brings along, where it names none."""
    for name in package.metadata.get_all("License-File", ()):
        words = package.read_text(f"licenses/{name}") or package.read_text(name)
        if words and (license_ := texts.of_text(words).license):
            return license_
    return ""
