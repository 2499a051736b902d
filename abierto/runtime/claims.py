"""Which other models answer to a name that led to one, and how to reach them. It decides nothing: `resolve` does."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abierto import catalog
from abierto.catalog import Card
from abierto.store import records
from abierto.store.foreign import ForeignFile, ForeignModel, trouble


@dataclass(frozen=True, slots=True)
class Claim:
    """Another model that answers to the name that was typed.

    winner, other: keys under `claim.`, what is used and what is not. reason: a key under `claim.reason.`
    command: what to type to use the other one.
    """

    name: str
    winner: str
    other: str
    reason: str
    command: str


def of_others(
    name: str, winner: str, file: Path, sha256: str | None, others: Sequence[ForeignModel]
) -> tuple[Claim, ...]:
    """What other programs call by the same name, unless it is the same file, or none that could be used."""
    return tuple(
        Claim(name, winner, model.owner, "order", f"abierto chat -m file:{model.files[0].path.absolute()}")
        for model in others
        if not trouble(model) and not _is_same(model.files[0], file, sha256)
    )


def of_absent_card(name: str, card: Card, form: str, winner: ForeignModel) -> tuple[Claim, ...]:
    """The card of the name, whose files are not here: what is here goes first."""
    command = f"abierto pull {card.name}{':' if form else ''}{form}"
    return (Claim(name, winner.owner, "card", "here", command),)


def of_file(name: str, models: Path) -> tuple[Claim, ...]:
    """The card or the pulled model whose name a file in the current folder has."""
    card, _ = catalog.find_form(name)
    if card is None:
        record = records.get(models, name)
        return (Claim(name, "file", "pulled", "order", f"abierto chat -m {record.source}"),) if record else ()
    # The name with its quantisation, or another one of the card, is the name of no file.
    free = [card.name, *card.aliases, *(f"{card.name}:{form}" for form in card.weights)]
    spelling = next((known for known in free if not Path(known).exists()), card.name)
    return (Claim(name, "file", "card", "order", f"abierto chat -m {spelling}"),)


def _is_same(one: ForeignFile, other: Path, sha256: str | None) -> bool:
    if sha256 and one.sha256 == sha256:
        return True
    try:
        return one.path.samefile(other)
    except OSError:
        return False
