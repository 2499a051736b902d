"""`abierto licenses`: every package and every pulled model, with its licence."""

import re
from collections.abc import Iterator, Mapping
from importlib import metadata

from abierto import catalog, config
from abierto.cli import out
from abierto.cli.words import command, option
from abierto.locale import text
from abierto.store import records

# What is longer is the text of a licence, not its name.
LONGEST_NAME = 60


@command("licenses")
@option("--json", "as_json", is_flag=True)
def licenses(as_json: bool) -> None:
    """List what is installed for Abierto and what was pulled."""
    rows = [*_packages(), *_models()]
    if as_json:
        out.as_json([{"kind": kind, "name": name, "license": license_} for kind, name, license_ in rows])
        return
    headings = [text(f"licenses.{column}") for column in ("kind", "name", "license")]
    out.table(headings, [(text(f"licenses.{kind}"), name, license_) for kind, name, license_ in rows])


def _packages() -> Iterator[tuple[str, str, str]]:
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
        found[f"{package.name} {package.version}"] = _license(package.metadata.json)
        waiting += [re.split(r"[^\w.-]", needed, maxsplit=1)[0].lower() for needed in package.requires or ()]
    for package_name in sorted(found, key=str.lower):
        yield "package", package_name, found[package_name]


def _license(facts: Mapping[str, str | list[str]]) -> str:
    """The licence that a package states: as an expression, else in a word, else by its classifiers."""
    if expression := facts.get("license_expression"):
        return str(expression)
    # Some state the whole licence; its first line is its name.
    stated = str(facts.get("license", "")).strip().partition("\n")[0].strip()
    if stated and len(stated) < LONGEST_NAME:
        return stated
    classified = [line.rpartition(" :: ")[2] for line in facts.get("classifier", ()) if line.startswith("License")]
    return ", ".join(classified) or text("word.unknown")


def _models() -> Iterator[tuple[str, str, str]]:
    for record in records.all_records(config.folders().models):
        card = catalog.find_form(record.name)[0]
        yield "model", record.name, (card.license if card else None) or text("word.unknown")
