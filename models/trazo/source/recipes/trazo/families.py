# SPDX-License-Identifier: Apache-2.0
"""Reads the icon sets: which icon of a set shows which concept, and its SVG. Sets under other licences are refused."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import LicenseLeftOut
from abierto.recipes.trazo.concepts import Concept, plain
from abierto.recipes.trazo.packages import members
from abierto.recipes.trazo.settings import Settings, Source

_SKIN = re.compile(r"(?:light|medium|dark)(?:-skin-tone)?$|tone\d|skin-tone")


@dataclass(frozen=True, slots=True)
class Icon:
    """A drawing of a set: its name there, the key of what it shows, and its SVG."""

    name: str
    concept: str
    svg: str


@dataclass(frozen=True, slots=True)
class Family:
    """A set, with whom to thank for it."""

    source: Source
    title: str
    author: str
    author_url: str
    license: str
    license_url: str


def read(settings: Settings, folder: Path) -> list[tuple[Source, list[Any]]]:
    """The sources that hold drawings, each with its info, icons and code points."""
    drawn = [source for source in settings.sources if source.family]
    return [(source, members(folder / source.local, "info.json", "icons.json", "chars.json")) for source in drawn]


def family(settings: Settings, source: Source, info: dict[str, Any]) -> Family:
    """Whom the set is by. Raises LicenseLeftOut for a licence that the settings do not name."""
    license_id, author = info["license"]["spdx"], info["author"]
    if license_id not in settings.data.licenses:
        raise LicenseLeftOut(source.package, license_id, list(settings.data.licenses))
    return Family(source, info["name"], author["name"], author["url"], license_id, info["license"]["url"])


def names_of_concepts(sets: list[tuple[Source, list[Any]]], concepts: dict[str, Concept]) -> dict[str, str]:
    """Every name that a set gives to a concept -> its key: for the sets that tell no code points."""
    known = {_squashed(concept.labels["en"]): key for key, concept in reversed(concepts.items())}
    for _, (_, icons, characters) in sets:
        aliases = {name: body["parent"] for name, body in icons.get("aliases", {}).items()}
        by_name = {name: plain(code) for code, name in characters.items()}
        for name, key in [*by_name.items(), *((name, by_name.get(parent, "")) for name, parent in aliases.items())]:
            if key in concepts:
                known.setdefault(_squashed(name), key)
    return known


def icons_of(body: list[Any], concepts: dict[str, Concept], names: dict[str, str]) -> Iterator[Icon]:
    """The icons of a set that show a concept, one for each, in the order of the concepts."""
    _, icons, characters = body
    by_name = {name: plain(code) for code, name in characters.items()}
    found: dict[str, str] = {}
    for name in icons["icons"]:
        key = by_name.get(name) or names.get(_squashed(name), "")
        if key in concepts and not _SKIN.search(name):
            found.setdefault(key, name)
    for key in concepts:
        if name := found.get(key, ""):
            yield Icon(name, key, _svg(icons, icons["icons"][name]))


def _squashed(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())


def _svg(icons: dict[str, Any], icon: dict[str, Any]) -> str:
    left, top = icon.get("left", icons.get("left", 0)), icon.get("top", icons.get("top", 0))
    width, height = (icon.get(side, icons.get(side, 16)) for side in ("width", "height"))
    head = f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" viewBox="{left} {top} '
    return f'{head}{width} {height}">{icon["body"]}</svg>'
