"""`abierto recipe`: make the model that is made here: its data set, its training, the folder that is published."""

from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from abierto import config
from abierto.cli import out
from abierto.cli.training import folder_of, needs_training, shown
from abierto.cli.words import argument, command, option
from abierto.errors import UsageFault
from abierto.locale import text
from abierto.locale.numbers import count, decimal

if TYPE_CHECKING:
    from abierto.recipes.trazo.chain import Workshop
    from abierto.recipes.trazo.pictures import DataSet

STEPS = ("data", "train", "keep", "publish", "evaluate")
DEVICES = ("cpu", "cuda")


@command("recipe")
@argument("step")
@option("--work", metavar="FOLDER")
@option("--segments", type=int, metavar="N")
@option("--device", says="training_device", type=click.Choice(DEVICES))
@option("--published", metavar="FOLDER")
def recipe(step: str, work: str | None, segments: int | None, device: str | None, published: str | None) -> None:
    """Do one step of the recipe."""
    if step not in STEPS:
        raise UsageFault("bad_value", {"name": text("argument.step"), "value": step})
    with needs_training():
        from abierto.recipes.trazo import chain, replay, settings
        from abierto.recipes.trazo import published as publishing
    workshop = chain.Workshop(settings.read(), Path(work) if work else config.folders().cache / "recipes" / "trazo")
    folder = publishing.Published(folder_of(published))
    data = shown(workshop.settings.name, replay.prepare(workshop))
    out.note(text("recipe.data", drawings=count(len(data.drawings)), folder=workshop.place("data")))
    if step in ("keep", "publish"):
        (publishing.keep if step == "keep" else publishing.publish)(workshop, data, folder)
        out.note(text("recipe.published", folder=folder.folder))
    if step not in ("train", "evaluate"):
        return
    known = chain.records(workshop.manifest) or publishing.go_on(folder, workshop)
    if step == "evaluate":
        _evaluate(workshop, data, folder.folder)
        return
    for plan in workshop.settings.plans[len(known) :][:segments]:
        here = replace(plan, device=device or plan.device)
        with closing(chain.extend(workshop, data, here)) as training:
            record = shown(workshop.settings.name, training)
        out.note(text("recipe.segment", number=record["number"], loss=record["loss"][-1], hash=record["sha256"]))


def _evaluate(workshop: "Workshop", data: "DataSet", folder: Path) -> None:
    from abierto.recipes.trazo import cards, opening
    from abierto.recipes.trazo.evaluation import run

    numbers = shown(workshop.settings.name, run.evaluate(workshop, data, folder))["numbers"]
    cards.write(workshop, data, folder)
    opening.declare(workshop, folder)
    parts = {"named": numbers["retrieval"]["label"]["all"], "real": numbers["ceiling"]["real"]}
    shares = {name: decimal(100 * (found["top5"]["value"] or 0)) for name, found in parts.items()}
    out.note(text("recipe.evaluated", folder=folder, **shares))
