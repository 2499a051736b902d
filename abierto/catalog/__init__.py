"""What exists: one card for each model, a YAML file in `cards/`. A card states facts, and for each where it was read.

Beside these are the person's own (`own`); where both have a name, the shipped card is meant. It knows what can be had,
not what is on this disk.
"""

import re
import sys
from collections.abc import Iterable
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path

from abierto.catalog import own
from abierto.catalog.card import Card, Evidence, Weights, read
from abierto.errors import InvalidCard

__all__ = ["Card", "Evidence", "Weights", "cards", "faults", "find", "find_form", "is_shipped", "known_as"]
__all__ += ["nearest", "own", "shipped", "speaking"]

# Licences of the cards that the Open Source Initiative has approved.
_FREE = ("Apache-2.0", "BSD-3-Clause", "MIT")
_FOLDER = Path(__file__).with_name("cards")
# How every card begins, so that a name is found without understanding sixty files.
_HEAD = re.compile(r"name: (\S+)\n(?:aliases: \[(.*)\]\n)?")


def cards() -> dict[str, Card]:
    """All cards by name, the shipped ones and the person's own."""
    mine = {name: card for name, card in own.cards().items() if not is_shipped(name)}
    return dict(sorted({**mine, **shipped()}.items()))


def find(name: str) -> Card | None:
    """The card of this name or alias, in any mixture of capitals."""
    path = _names().get(name.lower())
    if path:
        return _read(path)
    for card in own.cards().values():
        if name.lower() in (other.lower() for other in (card.name, *card.aliases)):
            return card
    return None


def is_shipped(name: str) -> bool:
    """Whether a card that comes with Abierto has this name or alias."""
    return name.lower() in _names()


def faults() -> list[InvalidCard]:
    """What is wrong with the person's own cards; those that it names are not read, or not found by their name."""
    hidden = [
        InvalidCard(str(path), "shipped_name", {"name": card.name})
        for path, card in own.files()
        if is_shipped(card.name)
    ]
    return [*own.faults(), *hidden]


def find_form(name: str) -> tuple[Card | None, str]:
    """The card that a name means, and which of its `weights` where the name ends in one: `qwen3:4b:q8_0`; else ""."""
    card = find(name)
    if card:
        return card, ""
    before, _, last = name.rpartition(":")
    card = find(before)
    form = next((form for form in card.weights if form.lower() == last.lower()), "") if card else ""
    return (card, form) if form else (None, "")


@lru_cache(1024)
def known_as(name: str) -> str:
    """The one name of a card that has several; any other name as it is."""
    card, form = find_form(name)
    return name if card is None else f"{card.name}:{form}" if form else card.name


def nearest(name: str, also: Iterable[str] = ()) -> list[str]:
    """Up to three names, of cards and of `also`, that look like this one: for a question, never for a guess."""
    known = {alias: card.name for card in cards().values() for alias in (card.name, *card.aliases)}
    known |= {other: other for other in also}
    close = get_close_matches(name.lower(), known, n=6, cutoff=0.5)
    close += [alias for alias in known if name and name.lower() in alias]
    return list(dict.fromkeys(known[alias] for alias in close))[:3]


def speaking(language: str) -> list[Card]:
    """The cards of chat models that speak a language and can be fetched: first those under a licence that leaves use,
    study, change and sharing free, the smallest download first."""
    chats = (card for card in cards().values() if card.chats)
    found = [card for card in chats if language in card.languages and card.weights]
    sizes = {card.name: min(form.size or sys.maxsize for form in card.weights.values()) for card in found}
    return sorted(found, key=lambda card: (card.license not in _FREE, sizes[card.name]))


@cache
def shipped() -> dict[str, Card]:
    """The cards that come with Abierto, by name."""
    found = (_read(item) for item in _FOLDER.glob("*.yaml"))
    return {card.name: card for card in sorted(found, key=lambda card: card.name)}


@cache
def _names() -> dict[str, Path]:
    found: dict[str, Path] = {}
    for path in _FOLDER.glob("*.yaml"):
        head = _HEAD.match(path.read_text("utf-8"))
        assert head, f"{path.name} must begin with its name and its aliases, each on a line"
        for name in (head[1], *filter(None, (head[2] or "").split(","))):
            found[name.strip().lower()] = path
    return found


@cache
def _read(path: Path) -> Card:
    return read(path.read_text("utf-8"))
