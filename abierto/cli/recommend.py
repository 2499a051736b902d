"""`abierto recommend`: which models of the catalogue to take for a task here, and what the order rests on."""

import click

from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.locale import text
from abierto.locale.numbers import count, decimal, rate, size
from abierto.runtime.recommend import TAGS, TASKS, Ranked
from abierto.runtime.recommend import recommend as ranked

COLUMNS = ("name", "quality", "published", "fit", "license")


@command("recommend")
@argument("task", type=click.Choice([*TASKS, *TAGS]))
@option("--language", metavar="CODE", says="spoken_language")
@option("--all", "everything", is_flag=True, says="recommend_all")
@option("--json", "as_json", is_flag=True)
def recommend(task: str, language: str | None, everything: bool, as_json: bool) -> None:
    """Rank and show."""
    found = ranked(task, (language or "").lower(), everything=everything)
    if as_json:
        out.as_json([one.facts() for one in found])
        return
    if not found:
        out.say(text("recommend.none"))
        return
    out.table([text(f"recommend.{column}") for column in COLUMNS], [_cells(one) for one in found])
    out.note(text("recommend.order"))


def _cells(one: Ranked) -> list[str]:
    quality = text("recommend.no_evaluation")
    if one.quality:
        won = f"{decimal(100 * one.quality.share, 0)} %"
        quality = text("recommend.won", won=won, models=count(one.quality.models))
    return [one.card.name, quality, f"{one.published}/17", _fit(one), one.card.license or ""]


def _fit(one: Ranked) -> str:
    if one.card.built_in or one.verdict is None:
        return text("models.built_in") if one.fits else ""
    told = text(
        f"models.fit.{one.verdict.word}" if one.card.chats else f"models.fit.weights_{one.verdict.word}",
        largest=count(one.verdict.largest_context),
        missing=size(one.verdict.missing),
    )
    if one.speed and one.fits:
        return text("models.fit.speed", verdict=told, generation=rate(one.speed, "token"))
    return told
