"""`abierto pull`: fetch a model, with how far it is, how fast, and how long it will still take."""

import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from time import perf_counter
from typing import Any

from abierto import catalog, config
from abierto.catalog import Card, Weights
from abierto.cli import out
from abierto.cli.progress import ProgressLine
from abierto.cli.words import argument, command, option
from abierto.errors import AbiertoError, AmbiguousFile, JournalUnavailable, ModelNotPulled, NothingToFetch
from abierto.formats.split import whole_name
from abierto.locale import text
from abierto.locale.numbers import size
from abierto.runtime import quantization
from abierto.runtime.pulled import is_form, record_of
from abierto.runtime.resolve import SCHEMES, unknown
from abierto.store import elsewhere, hub_models, records, sources
from abierto.store.foreign import trouble
from abierto.store.progress import PullProgress
from abierto.store.pull import Projector
from abierto.store.pull import pull as fetch
from abierto.store.records import Record
from abierto.store.sources import Source


@command("pull")
@argument("model")
@option("--name", metavar="NAME")
@option("--sha256", metavar="HASH")
def pull(model: str, name: str | None, sha256: str | None) -> None:
    """Pull by the name of a card, or by a source."""
    pull_model(model, name, sha256)


def offer(missing: ModelNotPulled) -> None:
    """Fetch a model that is not here, if there is a person who wants it; else raise the error that it is not."""
    if not (out.is_terminal(sys.stdin) and out.is_terminal(sys.stderr)):
        raise missing
    question = text("answer.fetch", name=missing.name, size=size(missing.size or 0))
    if not out.confirm(question, option="abierto pull"):
        raise missing
    pull_model(missing.name)


def pull_model(model: str, name: str | None = None, sha256: str | None = None) -> None:
    """Fetch what a card or a source names, show how far it is, and write it into the journal."""
    if sha256 and model.startswith("https:") and "#" not in model:
        model = f"{model}#sha256={sha256}"
    wanted = _what(model, name)
    expected = sha256.lower() if sha256 else wanted.weights.sha256 if wanted.weights else None
    folder = config.folders().models
    known = records.get(folder, wanted.name)
    eyes = _projector(wanted.card)
    if known and known.intact and _is_wanted(known, wanted, expected) and _sees(known, eyes):
        out.note(text("pull.here", name=known.name, size=size(known.size)))
        return
    make_private(config.folders().data)
    started = perf_counter()
    source = _in_place(wanted, expected)
    facts: dict[str, Any] = {"model": wanted.name, "source": str(source)}
    try:
        size_known, trusted = wanted.weights.size if wanted.weights else None, config.certificates()
        bring = partial(fetch, sha256=expected, size=size_known, certificates=trusted, projector=eyes)
        _shown(wanted.name, bring(source, wanted.name, folder))
    except (AbiertoError, KeyboardInterrupt) as error:
        journal_pull(**facts, outcome=getattr(error, "code", "cancelled"), seconds=perf_counter() - started)
        if isinstance(error, AmbiguousFile):
            # Only here is it known how much memory there is to choose by.
            best = quantization.best(error.choices, quantization.free_memory())
            raise AmbiguousFile(error.source, error.choices, best.form) from None
        raise
    record = records.get(folder, wanted.name)
    assert record is not None, "a pull that ended well leaves a record"
    facts |= {"sha256": record.files[0].sha256, "bytes": record.size}
    journal_pull(**facts, outcome="done", seconds=perf_counter() - started)
    out.note(text("pull.done", name=record.name, size=size(record.size), path=record.files[0].path))
    if record.projector:
        out.note(text("pull.sees", name=record.name, path=record.projector.path))
    if wanted.card and wanted.card.license:
        out.note(text("pull.license", license=wanted.card.license, name=record.name))


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What to fetch, and what to call it. weights: what the card says of it. in_catalog: asked for by a card's name."""

    source: Source
    name: str
    card: Card | None = None
    weights: Weights | None = None
    in_catalog: bool = False


def _is_wanted(known: Record, wanted: _Wanted, expected: str | None) -> bool:
    """Whether what is here is what a pull would bring, wherever it came from."""
    if wanted.in_catalog and expected and known.files[0].sha256 == expected:
        return True
    return known.source == str(wanted.source) and expected in (None, known.files[0].sha256)


def _sees(known: Record, eyes: Projector | None) -> bool:
    """Whether what is here has the projector that it should have."""
    return known.projector_source == str(eyes.source) if eyes else _looked(known)


def _in_place(wanted: _Wanted, expected: str | None) -> Source:
    """The very file where another program has it, if one says so; it is verified as if it had been fetched."""
    # What lies in the hub's cache is found there by a pull from the hub.
    found = elsewhere.with_content(config.places(), expected) if wanted.in_catalog and expected else None
    if found is None or found.owner == hub_models.OWNER or trouble(found):
        return wanted.source
    path = found.files[0].path.absolute()
    out.note(text("pull.in_place", owner=text(f"owner.{found.owner}"), path=path))
    return sources.FileSource(path)


def make_private(folder: Path) -> None:
    """Make the data folder, if there is none, so that only this person can read it."""
    # What is asked and answered on this computer will lie there too. If it cannot be made, the store says so.
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _what(model: str, name: str | None) -> _Wanted:
    if model.startswith(SCHEMES):
        source = sources.parse(model)
        filename = source.path.name if isinstance(source, sources.FileSource) else source.filename
        # The same file by its address is the same model as by its card.
        for known in catalog.cards().values():
            for form, weights in known.weights.items():
                if weights.source == str(source):
                    return _Wanted(source, name or _name(known, form), known, weights)
        return _Wanted(source, name or whole_name(filename).removesuffix(".gguf").lower())
    card, form = catalog.find_form(model)
    if card is None or card.built_in:
        raise unknown(model, catalog.nearest(model))
    if not card.weights:
        raise NothingToFetch(card.name, next(iter(card.links.values())))
    here = record_of(model, config.folders().models)
    chosen = form or _form_here(card, here) or choose_form(card)
    weights = card.weights[chosen]
    source = sources.parse(weights.source)
    # A form that suits this computer is the model; one that somebody asked for stands beside it.
    plain = here.name if here and _form_here(card, here) == chosen else f"{card.name}:{form}" if form else card.name
    return _Wanted(source, name or plain, card, weights, in_catalog=True)


def _name(card: Card, form: str) -> str:
    return card.name if len(card.weights) == 1 else f"{card.name}:{form}"


def _form_here(card: Card, record: Record | None) -> str:
    """Which of a card's forms a record is; empty for none of them."""
    return next((form for form in card.weights if record and is_form(record, card, form)), "")


def choose_form(card: Card) -> str:
    """The form that suits this computer; where there is a choice, it is said which one and why."""
    choice = quantization.of_card(card)
    if len(card.weights) > 1:
        whole = all(weights.size for weights in card.weights.values())
        fits = "fits" if whole else "known"
        why = "first" if choice.size is None else fits if choice.fits else "smallest"
        others = {form: weights.size for form, weights in card.weights.items() if form != choice.form}
        listed = (f"{card.name}:{form}" + (f" ({size(bytes_)})" if bytes_ else "") for form, bytes_ in others.items())
        out.note(
            text(
                "pull.chosen",
                name=card.name,
                form=choice.form,
                size=size(choice.size) if choice.size else text("word.unknown"),
                reason=text(f"pull.reason.{why}", room=size(choice.room)),
                others=", ".join(listed),
            )
        )
    return choice.form


def _projector(card: Card | None) -> Projector | None:
    """What the card's model sees with: of several precisions the first, as for everything that a card lists."""
    first = next(iter(card.projectors.values()), None) if card else None
    return Projector(sources.parse(first.source), first.sha256, first.size) if first else None


def _looked(record: Record) -> bool:
    """Whether it is known that the model's repository has nothing that it sees with."""
    return record.projector_source is not None or not record.source.startswith("hf:")


def _shown(name: str, steps: Iterator[PullProgress]) -> None:
    with closing(steps), ProgressLine(name) as line:  # type: ignore[type-var]
        for step in steps:
            counts_bytes = step.stage != "resolve"
            done, total = (step.done, step.total) if counts_bytes else (0, None)
            line.update(text(f"stage.{step.stage}"), done, total, step.resumed)


def journal_pull(**facts: Any) -> None:
    """Write into the journal what came onto this disk, or did not; a journal that does not work is told of."""
    from abierto.journal import Journal

    try:
        journal = Journal.at(config.folders().data, config.settings().journal)
        journal.add_pull(**facts)
        journal.close()
    except JournalUnavailable as error:
        out.warn(error)
