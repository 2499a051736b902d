"""Which models of the catalogue to take for a task on this computer, and why in this order.

First what runs here; among that by quality, as far as published evaluations say; then by how many components its makers
published; then by the speed that is to be expected. Evaluations of different makers are compared only where they used
the same benchmark: quality is the share of comparisons with the other models of the list that a model wins. Where a
language is asked for, results in another one are left out. A model of which nobody published any result has no quality,
and comes after those that have one.
"""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from abierto import catalog
from abierto.catalog import Card
from abierto.catalog.card import Evaluation
from abierto.catalog.openness import collect
from abierto.errors import AbiertoError
from abierto.runtime import forecast, rates
from abierto.runtime.forecast import Forecast, Verdict
from abierto.runtime.resolve import is_installed

# What people call a task -> how the hub calls it.
TASKS = {
    "chat": ("text-generation", "image-text-to-text"),
    "see": ("image-text-to-text",),
    "embed": ("feature-extraction", "sentence-similarity"),
    "rerank": ("text-ranking",),
    "listen": ("automatic-speech-recognition",),
    "speak": ("text-to-speech",),
    "draw": ("text-to-image", "image-to-image"),
    "film": ("text-to-video",),
}
TAGS = tuple(tag for tags in TASKS.values() for tag in tags)
GRADES = 10  # of quality: within one the openness decides


@dataclass(frozen=True, slots=True)
class Quality:
    """share: of comparisons that were won, 0 to 1. models: with how many it was compared; benchmarks: by how many."""

    share: float
    models: int
    benchmarks: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A model in its place. published: how many of the 17 components of the Model Openness Framework its makers
    published, as far as its card tells. verdict, speed: None where nothing can be said; speed: tokens per second."""

    card: Card
    quality: Quality | None
    published: int
    form: str
    size: int | None
    verdict: Verdict | None
    speed: float | None

    @property
    def fits(self) -> bool:
        """Whether it runs here, if need be with a shorter context."""
        return (self.card.built_in and is_installed(self.card)) or (
            self.verdict is not None and self.verdict.word in ("fits", "fits_context")
        )

    def facts(self) -> dict[str, Any]:
        """For a program. size: bytes; speed: tokens per second."""
        return {
            "name": self.card.name,
            "quality": asdict(self.quality) if self.quality else None,
            "components_published": self.published,
            "license": self.card.license,
            "form": self.form,
            "size": self.size,
            "fits": self.fits,
            "verdict": self.verdict.word if self.verdict else None,
            "speed": self.speed,
        }


def recommend(task: str, language: str = "", *, everything: bool = False) -> list[Ranked]:
    """The models for a task, the best first. task: a key of TASKS, or a word of the hub's in it. language: ISO 639-1;
    only models whose cards name it. everything: also those that do not fit, and those of which no language is known."""
    tags = TASKS.get(task, (task,))
    cards = [card for card in catalog.cards().values() if card.pipeline_tag in tags and card.name != "echo"]
    if language:
        cards = [card for card in cards if language in card.languages or (everything and not card.languages)]
    known, grades = rates.known(), qualities(cards, language)
    found = []
    for card in cards:
        told: Forecast | None = None
        with suppress(AbiertoError):
            told = None if card.built_in or not card.weights else forecast.of_card(card, known)
        found.append(_ranked(card, grades.get(card.name), told))
    return sorted((one for one in found if everything or one.fits), key=_order)


def qualities(cards: Iterable[Card], language: str = "") -> dict[str, Quality]:
    """The quality of each model that shares a benchmark with another one, by its name. language: ISO 639-1; results in
    another one are left out."""
    values = {card.name: _results(card, language) for card in cards}
    found = {}
    for name, own in values.items():
        shares, used = [], set()
        for other, theirs in values.items():
            shared = own.keys() & theirs.keys()
            if other != name and shared:
                used |= shared
                shares.append(_won(own, theirs, sorted(shared)))
        if shares:
            found[name] = Quality(sum(shares) / len(shares), len(shares), len(used))
    return found


def _results(card: Card, language: str) -> dict[str, Evaluation]:
    """By benchmark, those that say something about a language."""
    return {one.benchmark: one for one in card.evaluations if not language or one.language in ("", language)}


def _won(own: dict[str, Evaluation], theirs: dict[str, Evaluation], benchmarks: Sequence[str]) -> float:
    """The share of benchmarks with the better value; equal ones count half."""
    return sum(_point(own[one], theirs[one]) for one in benchmarks) / len(benchmarks)


def _point(one: Evaluation, other: Evaluation) -> float:
    """1 for the better of two values of the same benchmark, 0 for the worse, half for equals."""
    if one.value == other.value:
        return 0.5
    return float((one.value > other.value) == (one.better == "more"))


def _ranked(card: Card, quality: Quality | None, told: Forecast | None) -> Ranked:
    findings = collect.catalog_card(card).findings
    published = sum(1 for one in findings if one.status == "present")
    speeds = [one.speed.generation for one in told.fits if one.speed] if told else []
    verdict = forecast.best(told) if told else None
    form, size = (told.form, told.size) if told else ("", None)
    return Ranked(card, quality, published, form, size, verdict, max(speeds, default=None))


def _order(one: Ranked) -> tuple[bool, bool, int, int, float, str]:
    grade = round(one.quality.share * GRADES) if one.quality else 0
    return not one.fits, one.quality is None, -grade, -one.published, -(one.speed or 0.0), one.card.name
