"""`abierto rebuild`: replay a segment of the training of the model that is made here, and compare."""

from dataclasses import asdict
from pathlib import Path

from abierto import config
from abierto.cli import out
from abierto.cli.training import NAME, folder_of, needs_training, shown
from abierto.cli.words import argument, command, option
from abierto.errors import ReplayDiffers, UnknownModel
from abierto.locale import text
from abierto.locale.numbers import decimal


@command("rebuild")
@argument("model", default=NAME, required=False)
@option("--segment", type=int, metavar="N")
@option("--work", metavar="FOLDER")
@option("--published", metavar="FOLDER")
@option("--json", "as_json", is_flag=True)
def rebuild(model: str, segment: int | None, work: str | None, published: str | None, as_json: bool) -> None:
    """Replay a segment and say whether the same came out."""
    if model != NAME:
        raise UnknownModel(model, [NAME])
    with needs_training():
        from abierto.recipes.trazo import replay, settings
        from abierto.recipes.trazo.chain import Workshop
        from abierto.recipes.trazo.published import Published
    workshop = Workshop(settings.read(), Path(work) if work else config.folders().cache / "recipes" / NAME)
    told = shown(model, replay.replay(workshop, Published(folder_of(published, must_exist=True)), segment))
    if as_json:
        out.as_json(asdict(told))
    if not told.proven:
        raise ReplayDiffers(told.number, told.distance, replay.TOLERANCE, told.course, replay.COURSE, told.other)
    if as_json:
        return
    if told.exact:
        out.say(text("rebuild.exact", number=told.number))
    else:
        other = text(f"rebuild.other.{told.other}")
        apart = {"distance": decimal(told.distance * 100, 1), "course": decimal(told.course * 100, 2)}
        out.say(text("rebuild.close", number=told.number, **apart, other=other))
