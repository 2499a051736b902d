"""`abierto pull`: fetch a model, with how far it is, how fast, and how long it will still take."""

import sys
from collections.abc import Generator
from contextlib import closing
from typing import Any

from abierto.catalog import Card
from abierto.cli import out
from abierto.cli.progress import ProgressLine
from abierto.cli.words import argument, command, option
from abierto.errors import JournalUnavailable, ModelNotPulled
from abierto.locale import text
from abierto.locale.numbers import size
from abierto.runtime.quantization import Choice
from abierto.runtime.wanted import bring, here, wanted, write_pull
from abierto.store.progress import PullProgress
from abierto.store.records import Record
from abierto.store.sources import FileSource


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
    asked = wanted(model, name, sha256)
    if asked.card and asked.choice:
        tell_choice(asked.card, asked.choice)
    if known := here(asked):
        out.note(text("pull.here", name=known.name, size=size(known.size)))
        return
    if asked.owner and isinstance(asked.source, FileSource):
        out.note(text("pull.in_place", owner=text(f"owner.{asked.owner}"), path=asked.source.path))
    record = _shown(asked.name, bring(asked, journal_pull))
    out.note(text("pull.done", name=record.name, size=size(record.size), path=record.files[0].path))
    if record.projector:
        out.note(text("pull.sees", name=record.name, path=record.projector.path))
    if asked.card and asked.card.license:
        out.note(text("pull.license", license=asked.card.license, name=record.name))


def tell_choice(card: Card, choice: Choice) -> None:
    """Say which form of a card's model was chosen and why, where there are several."""
    if len(card.weights) == 1:
        return
    others = {form: weights.size for form, weights in card.weights.items() if form != choice.form}
    listed = (f"{card.name}:{form}" + (f" ({size(bytes_)})" if bytes_ else "") for form, bytes_ in others.items())
    out.note(
        text(
            "pull.chosen",
            name=card.name,
            form=choice.form,
            size=size(choice.size) if choice.size else text("word.unknown"),
            reason=why_chosen(card, choice),
            others=", ".join(listed),
        )
    )


def why_chosen(card: Card, choice: Choice) -> str:
    """The reason for a choice, as a part of a sentence."""
    whole = all(weights.size for weights in card.weights.values())
    fits = "guessed" if choice.guessed else "fits" if whole else "known"
    told = choice.guessed or choice.size is not None
    why = "first" if not told else fits if choice.fits else "smallest"
    return text(f"pull.reason.{why}", room=size(choice.room))


def journal_pull(**facts: Any) -> None:
    """Write into the journal what came onto this disk, or did not; a journal that does not work is told of."""
    try:
        write_pull(**facts)
    except JournalUnavailable as error:
        out.warn(error)


def _shown(name: str, steps: Generator[PullProgress, None, Record]) -> Record:
    with closing(steps), ProgressLine(name) as line:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                record: Record = end.value
                return record
            counts_bytes = step.stage != "resolve"
            done, total = (step.done, step.total) if counts_bytes else (0, None)
            line.update(text(f"stage.{step.stage}"), done, total, step.resumed)
