"""The catalogue over our own dialect: what each card says in short, and whether its model would run here."""

from contextlib import suppress
from typing import Any

from abierto import catalog, locale
from abierto.catalog import Card
from abierto.errors import AbiertoError
from abierto.runtime import forecast, rates
from abierto.runtime.rates import Known
from abierto.runtime.resolve import is_installed
from abierto.server.exchange import Call, Reply, Route


def catalogue(_call: Call) -> Reply:
    """All cards: name, task, licence, size of the smallest form in bytes, and what is to be expected of it here."""
    known = rates.known()
    return Reply({"cards": [_told(card, known) for card in catalog.cards().values()]})


def _told(card: Card, known: Known) -> dict[str, Any]:
    sizes = [weights.size for weights in card.weights.values() if weights.size]
    return {
        "name": card.name,
        "title": card.title,
        "task": card.pipeline_tag,
        "languages": card.languages,
        "license": card.license,
        "parameters": card.parameters,
        "context": card.context,
        "size": min(sizes, default=None),
        "fetchable": bool(card.weights),
        "built_in": card.built_in and is_installed(card),
        "openness": card.openness.get(locale.current(), ()),
        "links": dict(card.links),
        "forms": sorted(card.weights),
        "fit": _fit(card, known),
    }


def _fit(card: Card, known: Known) -> dict[str, Any] | None:
    if card.built_in or not card.weights:
        return None
    with suppress(AbiertoError):
        found = forecast.of_card(card, known)
        verdict = forecast.best(found)
        speeds = [one.speed.generation for one in found.fits if one.speed]
        if verdict:
            facts = {"word": verdict.word, "largest_context": verdict.largest_context, "missing": verdict.missing}
            return {**facts, "form": found.form, "size": found.size, "speed": max(speeds, default=None)}
    return None


ROUTES = (Route("GET", "/abierto/v1/catalogue", catalogue, blocking=True),)
