"""The conversation: reads a line, does what it says, until the person leaves."""

from collections.abc import Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from typing import Any

from abierto.cli import out
from abierto.cli.conversation import pictures, saving, slash
from abierto.cli.conversation.answer import send
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.keeping import Keeper
from abierto.cli.conversation.loading import Choice, Chosen, choose
from abierto.cli.conversation.reading import open_reader
from abierto.cli.conversation.state import Talk
from abierto.errors import AbiertoError
from abierto.locale import text
from abierto.tasks.chat import Sampling


@dataclass(frozen=True, slots=True)
class Opening:
    """How a conversation begins. What is empty is left to the kept conversation, else to the settings.

    load: the name or number of a kept conversation to go on with. keep: keep the conversation after every message.
    stats: say what each answer cost. projector, images: paths; the images go with the first message.
    """

    model: str = ""
    engine: str = ""
    context: int = 0
    system: str | None = None
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Any] | None = None
    stats: bool = False
    projector: str = ""
    images: tuple[str, ...] = ()
    load: str | None = None
    keep: bool = True


def converse(opening: Opening) -> None:
    """Hold a conversation in the terminal. Raises what loading the model raises; all later errors are shown."""
    with ExitStack() as held:
        keeper = Keeper(opening.keep)
        held.callback(keeper.close)
        talk, choice = _begin(opening, keeper)
        chosen = Chosen(choice)
        held.callback(chosen.close)
        desk: Desk

        def offers(typed: str) -> list[str]:
            return slash.complete(desk, typed)

        desk = Desk(talk, chosen, keeper, open_reader(keeper.lines, keeper.add_line, offers), opening.stats)
        _greet(desk)
        while not desk.over:
            try:
                _turn(desk)
            except KeyboardInterrupt:
                out.note(text("chat.how_to_leave"))


def _begin(opening: Opening, keeper: Keeper) -> tuple[Talk, Choice]:
    talk = Talk()
    model = opening.model
    if opening.load:
        found = keeper.find(opening.load)
        saving.resume(talk, found)
        model = model or found.model
    talk.sampling = opening.sampling.over(talk.sampling)
    talk.schema = opening.schema
    if opening.system is not None:
        talk.system = opening.system
    talk.pictures += tuple(pictures.take(path) for path in opening.images)
    return talk, choose(model, opening.engine, opening.context, opening.projector)


def _greet(desk: Desk) -> None:
    out.note(f"{slash.greeting(desk)} {text('chat.greeting')}")
    if desk.keeper.always and desk.keeper.works:
        out.note(text("chat.keeps", where=desk.keeper.where))
    if desk.talk.number is not None:
        saving.show_end(desk)


def _turn(desk: Desk) -> None:
    draft, desk.talk.draft = desk.talk.draft, ""
    try:
        line = desk.reader.message(draft)
    except EOFError:
        desk.over = True
        return
    try:
        _do(desk, line)
    except AbiertoError as error:
        out.error(error)
    except KeyboardInterrupt:
        out.note(text("chat.stopped_before"))


def _do(desk: Desk, line: str) -> None:
    if not line.strip():
        return
    if line.startswith("/") and not line.startswith("//"):
        slash.run(desk, line)
        return
    desk.talk.retries = 0
    send(desk, line[1:] if line.startswith("//") else line)
