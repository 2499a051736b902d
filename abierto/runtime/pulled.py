"""Which pulled model a name means: a card's by its name, an alias or one of its forms, or one by its record's name.

A form that a pull chose is recorded under the card's name, one that somebody asked for as `card:form`.
"""

from collections.abc import Sequence
from pathlib import Path

from abierto import catalog
from abierto.catalog import Card
from abierto.store import records
from abierto.store.records import Record


def record_of(name: str, models: Path) -> Record | None:
    """The pulled model that a name means; None where no pull brought one."""
    card, form = catalog.find_form(name)
    return record_of_card(card, form, models) if card else records.get(models, name)


def record_of_card(card: Card, form: str, models: Path) -> Record | None:
    """The pulled model of a card: the form that is asked for; else the one that a pull chose, or that suits best."""
    plain = records.get(models, card.name)
    if form:
        return records.get(models, f"{card.name}:{form}") or (plain if plain and is_form(plain, card, form) else None)
    if plain:
        return plain
    pulled = {form: records.get(models, f"{card.name}:{form}") for form in card.weights}
    here = [form for form, record in pulled.items() if record]
    return pulled[best_of(card, here)] if here else None


def is_form(record: Record, card: Card, form: str) -> bool:
    """Whether a pulled model is this form of a card's."""
    weights = card.weights[form]
    return record.source == weights.source or (weights.sha256 is not None and record.files[0].sha256 == weights.sha256)


def best_of(card: Card, forms: Sequence[str]) -> str:
    """Which of some forms of a card's model, one at least, suits this computer."""
    if len(forms) == 1:
        return forms[0]
    from abierto.runtime import quantization  # not above: it is only needed where there is something to choose

    return quantization.of_card(card, forms).form
