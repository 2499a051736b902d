"""`abierto pull`: fetch a model, with how far it is, how fast, and how long it will still take."""

import sys
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from time import perf_counter
from typing import Any

from abierto import catalog, config
from abierto.catalog import Card
from abierto.cli import out
from abierto.cli.progress import ProgressLine
from abierto.cli.words import argument, command, option
from abierto.errors import AbiertoError, JournalUnavailable, ModelNotPulled, UnknownModel
from abierto.locale import text
from abierto.locale.numbers import size
from abierto.runtime.resolve import SCHEMES
from abierto.store import records, sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull as fetch
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
    source, chosen, card = _what(model)
    name = name or chosen
    first = next(iter(card.weights.values())) if card else None
    expected = sha256.lower() if sha256 else first.sha256 if first else None
    folder = config.folders().models
    known = records.get(folder, name)
    if known and known.intact and known.source == str(source) and expected in (None, known.files[0].sha256):
        out.note(text("pull.here", name=name, size=size(known.size)))
        return
    make_private(config.folders().data)
    started = perf_counter()
    facts: dict[str, Any] = {"model": name, "source": str(source)}
    try:
        size_known = first.size if first else None
        _shown(name, fetch(source, name, folder, sha256=expected, size=size_known, certificates=config.certificates()))
    except (AbiertoError, KeyboardInterrupt) as error:
        journal_pull(**facts, outcome=getattr(error, "code", "cancelled"), seconds=perf_counter() - started)
        raise
    record = records.get(folder, name)
    assert record is not None, "a pull that ended well leaves a record"
    facts |= {"sha256": record.files[0].sha256, "bytes": record.size}
    journal_pull(**facts, outcome="done", seconds=perf_counter() - started)
    out.note(text("pull.done", name=name, size=size(record.size), path=record.files[0].path))
    if card and card.license:
        out.note(text("pull.license", license=card.license, name=name))


def make_private(folder: Path) -> None:
    """Make the data folder, if there is none, so that only this person can read it."""
    # What is asked and answered on this computer will lie there too. If it cannot be made, the store says so.
    with suppress(OSError):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)


def _what(model: str) -> tuple[Source, str, Card | None]:
    if model.startswith(SCHEMES):
        source = sources.parse(model)
        filename = source.path.name if isinstance(source, sources.FileSource) else source.filename
        # The same file by its address is the same model as by its card.
        card = next((card for card in catalog.cards().values() if _first_source(card) == str(source)), None)
        return source, card.name if card else filename.removesuffix(".gguf").lower(), card
    card = catalog.find(model)
    if card is None or not card.weights:
        raise UnknownModel(model, catalog.nearest(model))
    return sources.parse(_first_source(card)), card.name, card


def _first_source(card: Card) -> str:
    return next((weights.source for weights in card.weights.values()), "")


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
