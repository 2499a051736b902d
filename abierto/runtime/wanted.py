"""What a pull is to bring: from a name or a source to the files, and how they are brought and written into the journal.

It knows no person: what is to be told of a choice is in `Wanted`, and whoever asked tells it.
"""

from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from abierto import catalog, config
from abierto.catalog import Card, Weights
from abierto.errors import AbiertoError, AmbiguousFile, NothingToFetch
from abierto.formats.split import whole_name
from abierto.runtime import quantization
from abierto.runtime.pulled import is_form, record_of
from abierto.runtime.quantization import Choice
from abierto.runtime.resolve import SCHEMES, unknown
from abierto.store import elsewhere, hub_models, records, sources
from abierto.store.foreign import trouble
from abierto.store.progress import PullProgress
from abierto.store.pull import Projector
from abierto.store.pull import pull as fetch
from abierto.store.records import Record
from abierto.store.sources import Source


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch, and what to call it.

    source: where it comes from; the very file of another program if one says that it has it. owner: that program, a
    key under `owner.`; else empty. sha256: what the file must have. weights: what the card says of it. in_catalog:
    asked for by a card's name. choice: how the form was chosen, where there was a choice.
    """

    source: Source
    name: str
    card: Card | None = None
    weights: Weights | None = None
    in_catalog: bool = False
    sha256: str | None = None
    choice: Choice | None = None
    owner: str = ""


# Writes what came onto this disk, or did not: the columns of `journal.PULLS`.
Note = Callable[..., None]


def wanted(model: str, name: str | None = None, sha256: str | None = None) -> Wanted:
    """What a card's name or a source means. name: what it shall be called here. sha256: what its file must have.

    Raises UnknownModel, UnknownQuantization, NothingToFetch, InvalidSource, HashMissing.
    """
    if sha256 and model.startswith("https:") and "#" not in model:
        model = f"{model}#sha256={sha256}"
    expected = sha256.lower() if sha256 else None
    if model.startswith(SCHEMES):
        return _by_source(sources.parse(model), name, expected)
    return _by_card(model, name, expected)


def here(asked: Wanted) -> Record | None:
    """The pulled model that has all that a pull would bring, wherever it came from."""
    known = records.get(config.folders().models, asked.name)
    if known and known.intact and _is_wanted(known, asked) and _sees(known, _projector(asked.card)):
        return known
    return None


def bring(asked: Wanted, note: Note) -> Generator[PullProgress, None, Record]:
    """Fetch it step by step; returns its record. Closing the generator cancels. Raises what `store.pull` raises."""
    folder = config.folders().models
    make_private(config.folders().data)
    started = perf_counter()
    facts: dict[str, Any] = {"model": asked.name, "source": str(asked.source)}
    try:
        yield from fetch(
            asked.source,
            asked.name,
            folder,
            sha256=asked.sha256,
            size=asked.weights.size if asked.weights else None,
            certificates=config.certificates(),
            projector=_projector(asked.card),
        )
    except (AbiertoError, KeyboardInterrupt, GeneratorExit) as error:
        note(**facts, outcome=getattr(error, "code", "cancelled"), seconds=perf_counter() - started)
        if isinstance(error, AmbiguousFile):
            # Only here is it known how much memory there is to choose by.
            best = quantization.best(error.choices, quantization.free_memory())
            raise AmbiguousFile(error.source, error.choices, best.form) from None
        raise
    record = records.get(folder, asked.name)
    assert record is not None, "a pull that ended well leaves a record"
    facts |= {"sha256": record.files[0].sha256, "bytes": record.size}
    note(**facts, outcome="done", seconds=perf_counter() - started)
    return record


def make_private(folder: Path) -> None:
    """Make the data folder, if there is none, so that only this person can read it."""
    # What is asked and answered on this computer will lie there too. If it cannot be made, the store says so.
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def write_pull(**facts: Any) -> None:
    """Write into the journal what came onto this disk, or did not. Raises JournalUnavailable."""
    from abierto.journal import Journal

    journal = Journal.at(config.folders().data, config.settings().journal)
    journal.add_pull(**facts)
    journal.close()


def _by_source(source: Source, name: str | None, sha256: str | None) -> Wanted:
    filename = source.path.name if isinstance(source, sources.FileSource) else source.filename
    # The same file by its address is the same model as by its card.
    for known in catalog.cards().values():
        for form, weights in known.weights.items():
            if weights.source == str(source):
                plain = known.name if len(known.weights) == 1 else f"{known.name}:{form}"
                return Wanted(source, name or plain, known, weights, sha256=sha256 or weights.sha256)
    return Wanted(source, name or whole_name(filename).removesuffix(".gguf").lower(), sha256=sha256)


def _by_card(model: str, name: str | None, sha256: str | None) -> Wanted:
    card, form = catalog.find_form(model)
    if card is None or card.built_in:
        raise unknown(model, catalog.nearest(model))
    if not card.weights:
        raise NothingToFetch(card.name, next(iter(card.links.values())))
    present = record_of(model, config.folders().models)
    there = _form_here(card, present)
    choice = None if form or there else quantization.of_card(card)
    chosen = form or there or (choice.form if choice else "")
    weights = card.weights[chosen]
    expected = sha256 or weights.sha256
    # A form that suits this computer is the model; one that somebody asked for stands beside it.
    plain = present.name if present and there == chosen else f"{card.name}:{form}" if form else card.name
    source, owner = _in_place(sources.parse(weights.source), expected)
    return Wanted(source, name or plain, card, weights, True, expected, choice, owner)


def _in_place(source: Source, sha256: str | None) -> tuple[Source, str]:
    """The very file where another program has it, if one says so; it is verified as if it had been fetched."""
    # What lies in the hub's cache is found there by a pull from the hub.
    found = elsewhere.with_content(config.places(), sha256) if sha256 else None
    if found is None or found.owner == hub_models.OWNER or trouble(found):
        return source, ""
    return sources.FileSource(found.files[0].path.absolute()), found.owner


def _is_wanted(known: Record, asked: Wanted) -> bool:
    """Whether what is here is what a pull would bring, wherever it came from."""
    if asked.in_catalog and asked.sha256 and known.files[0].sha256 == asked.sha256:
        return True
    return known.source == str(asked.source) and asked.sha256 in (None, known.files[0].sha256)


def _sees(known: Record, eyes: Projector | None) -> bool:
    """Whether what is here has the projector that it should have."""
    return known.projector_source == str(eyes.source) if eyes else _looked(known)


def _form_here(card: Card, record: Record | None) -> str:
    """Which of a card's forms a record is; empty for none of them."""
    return next((form for form in card.weights if record and is_form(record, card, form)), "")


def _projector(card: Card | None) -> Projector | None:
    """What the card's model sees with: of several precisions the first, as for everything that a card lists."""
    first = next(iter(card.projectors.values()), None) if card else None
    return Projector(sources.parse(first.source), first.sha256, first.size) if first else None


def _looked(record: Record) -> bool:
    """Whether it is known that the model's repository has nothing that it sees with."""
    return record.projector_source is not None or not record.source.startswith("hf:")
