"""What exists: one card for each model, a YAML file in `cards/`. A card states facts, and for each where it was read.

It knows what can be had, not what is on this disk.
"""

import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Weights:
    """One file of a model to choose from. size in bytes; sha256 in hexadecimal."""

    source: str
    format: str
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where facts of a card were read. facts: the names of the card's fields; read: ISO date."""

    facts: tuple[str, ...]
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model. An absent fact is an unknown one.

    pipeline_tag: the task, in the words of the Hugging Face hub. languages: ISO 639-1 codes.
    parameters: how many numbers the model has. context: tokens it was trained to take in at once.
    weights: files to choose from, by quantisation; the first is taken when none is named.
    defaults: sampling values that its makers use. openness: for each language of ours, what is open about the
    model and what is not, as a list of sentences.
    """

    name: str
    title: str
    pipeline_tag: str
    aliases: tuple[str, ...] = ()
    architecture: str | None = None
    parameters: int | None = None
    languages: tuple[str, ...] = ()
    license: str | None = None
    context: int | None = None
    weights: Mapping[str, Weights] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    openness: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()


@cache
def cards() -> dict[str, Card]:
    """All cards by name."""
    folder = Path(__file__).with_name("cards")
    found = (_card(item.read_text("utf-8")) for item in folder.glob("*.yaml"))
    return {card.name: card for card in sorted(found, key=lambda card: card.name)}


def find(name: str) -> Card | None:
    """The card of this name or alias, in any mixture of capitals."""
    wanted = name.lower()
    return next((card for card in cards().values() if wanted in (card.name, *card.aliases)), None)


def nearest(name: str, also: Iterable[str] = ()) -> list[str]:
    """Up to three names, of cards and of `also`, that look like this one: for a question, never for a guess."""
    known = {alias: card.name for card in cards().values() for alias in (card.name, *card.aliases)}
    known |= {other: other for other in also}
    close = get_close_matches(name.lower(), known, n=6, cutoff=0.5)
    close += [alias for alias in known if name and name.lower() in alias]
    return list(dict.fromkeys(known[alias] for alias in close))[:3]


def speaking(language: str) -> list[Card]:
    """The cards of chat models that speak a language, the smallest download first."""
    found = [card for card in cards().values() if language in card.languages and card.weights]
    return sorted(found, key=lambda card: next(iter(card.weights.values())).size or sys.maxsize)


def _card(text: str) -> Card:
    import yaml

    body = yaml.safe_load(text)
    body["weights"] = {name: Weights(**facts) for name, facts in body.get("weights", {}).items()}
    body["openness"] = {language: tuple(said) for language, said in body.get("openness", {}).items()}
    body["evidence"] = tuple(
        Evidence(tuple(item["facts"]), item["url"], str(item["read"])) for item in body.get("evidence", ())
    )
    for name in ("aliases", "languages"):
        body[name] = tuple(body.get(name, ()))
    return Card(**body)
