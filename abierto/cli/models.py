"""`abierto models` and `abierto remove`: what is on this disk, what could be, and what shall not be any more."""

from contextlib import suppress
from dataclasses import asdict
from typing import Any

from abierto import catalog, config
from abierto.catalog import Card
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import AbiertoError, BeingDownloaded
from abierto.locale import text
from abierto.locale.numbers import count, rate, size
from abierto.runtime import forecast, rates
from abierto.runtime.forecast import Forecast
from abierto.runtime.rates import Known
from abierto.runtime.removal import removal
from abierto.runtime.resolve import is_installed
from abierto.store import elsewhere, records
from abierto.store.foreign import ForeignModel, trouble


@command("models")
@option("--all", "everything", is_flag=True)
@option("--remote", metavar="PROVIDER")
@option("--json", "as_json", is_flag=True)
def models(everything: bool, remote: str | None, as_json: bool) -> None:
    """List the pulled models and those of other programs, and with --all the cards of those that are not here; or with
    --remote those that a provider says it has."""
    if remote is not None:
        from abierto.cli.remote_models import show

        show(remote, as_json)
        return
    folder = config.folders().models
    pulled = records.all_records(folder)
    foreign = elsewhere.not_pulled(config.places(), pulled)
    names = {card.name for record in pulled if (card := catalog.find_form(record.name)[0])}
    others = [card for card in catalog.cards().values() if card.name not in names] if everything else []
    known = rates.known() if others else rates.Known({}, {})
    if as_json:
        cards = [{"name": card.name, "pulled": False, "fit": _fit_facts(_fit_of(card, known))} for card in others]
        out.as_json([*map(_facts, pulled), *map(_foreign_facts, foreign), *cards])
        return
    rows = [(one.name, size(one.size), _state(one), _fit(_fit_named(one.name)), one.source) for one in pulled]
    rows += [
        (one.name, size(one.size), _foreign_state(one), _fit(_fit_named(one.name)), _place(one)) for one in foreign
    ]
    not_here = text("models.not_here")
    rows += [(card.name, _card_size(card), not_here, _fit(_fit_of(card, known)), _card_source(card)) for card in others]
    for leftover in records.partials(folder):
        rows.append((leftover.name, size(leftover.size), text("models.partial"), "", ""))
    for leftover in records.damaged(folder):
        rows.append((leftover.name, size(leftover.size), text("models.damaged"), "", ""))
    if rows:
        out.table([text(f"models.{column}") for column in ("name", "size", "state", "fit", "source")], rows)
    else:
        out.note(text("models.nothing", name=config.settings().model))
    for fault in catalog.faults():
        out.warn(fault)


def _fit_named(name: str) -> Forecast | None:
    """Whether a model that is here will run; None where its file cannot tell."""
    with suppress(AbiertoError):
        return forecast.forecast(name)
    return None


def _fit_of(card: Card, known: Known) -> Forecast | None:
    if card.built_in or not card.weights:
        return None
    with suppress(AbiertoError):
        return forecast.of_card(card, known)
    return None


def _fit(found: Forecast | None) -> str:
    verdict = forecast.best(found) if found else None
    if found is None or verdict is None:
        return ""
    # Of what is no conversation only the size of its weights is known.
    told = text(
        f"models.fit.{verdict.word}" if found.context else f"models.fit.weights_{verdict.word}",
        largest=count(verdict.largest_context),
        missing=size(verdict.missing),
    )
    speeds = [one.speed.generation for one in found.fits if one.speed and one.verdict == verdict]
    if not speeds or not verdict.word.startswith("fits"):
        return told
    return text("models.fit.speed", verdict=told, generation=rate(max(speeds), "token"))


def _fit_facts(found: Forecast | None) -> dict[str, Any] | None:
    verdict = forecast.best(found) if found else None
    return {**asdict(verdict), "context": found.context} if found and verdict else None


def _facts(record: records.Record) -> dict[str, Any]:
    files = [{"path": str(file.path), "size": file.size, "sha256": file.sha256} for file in record.all_files]
    return {
        "name": record.name,
        "pulled": True,
        "intact": record.intact,
        "source": record.source,
        "pulled_at": record.pulled_at,
        "files": files,
        "projector": str(record.projector.path) if record.projector else None,
        "fit": _fit_facts(_fit_named(record.name)),
    }


def _foreign_facts(model: ForeignModel) -> dict[str, Any]:
    problem = trouble(model)
    return {
        "name": model.name,
        "pulled": False,
        "owner": model.owner,
        "usable": problem is None,
        "problem": problem.code if problem else None,
        "size": model.size,
        "files": [{"path": str(file.path), "size": file.size, "sha256": file.sha256} for file in model.files],
        "projector": str(model.projector.path) if model.projector else None,
        "fit": _fit_facts(_fit_named(model.name)),
    }


def _foreign_state(model: ForeignModel) -> str:
    problem = trouble(model)
    state = "foreign" if problem is None else "growing" if isinstance(problem, BeingDownloaded) else "unusable"
    return text(f"models.{state}", owner=text(f"owner.{model.owner}"))


def _place(model: ForeignModel) -> str:
    return f"file:{model.files[0].path if model.files else model.place}"


def _state(record: records.Record) -> str:
    return text("models.here" if record.intact else "models.changed")


def _card_size(card: Card) -> str:
    sizes = [weights.size for weights in card.weights.values() if weights.size]
    return size(min(sizes)) if sizes else ""


def _card_source(card: Card) -> str:
    sources = [*(weights.source for weights in card.weights.values()), *card.links.values()]
    return sources[0] if sources else text("models.built_in" if is_installed(card) else "models.not_shipped")


@command("remove")
@argument("model")
@option("--yes", is_flag=True)
def remove(model: str, yes: bool) -> None:
    """Delete a pulled model after saying what that frees."""
    found = removal(model)
    if not yes and not out.confirm(text("remove.question", name=found.name, size=size(found.frees)), option="--yes"):
        out.note(text("remove.kept", name=found.name))
        return
    record, stays = found.record, found.forgets_only
    freed = found.carry_out()
    if record and stays and record.files[0].path.exists():
        out.say(text("remove.forgotten", name=found.name, path=record.files[0].path))
    else:
        out.say(text("remove.done", name=found.name, size=size(freed)))
