"""`/save` and `/load`: kept conversations by name or number."""

import sys
from dataclasses import asdict
from datetime import datetime
from typing import TYPE_CHECKING

from abierto.cli import out
from abierto.cli.conversation import lines
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.loading import choose
from abierto.cli.conversation.state import Talk
from abierto.cli.draft import harmless
from abierto.cli.markdown import MarkdownStream
from abierto.errors import AbiertoError
from abierto.locale import text
from abierto.locale.numbers import count

if TYPE_CHECKING:
    from abierto.journal import Conversation


def save(desk: Desk, name: str) -> None:
    """Keep the conversation as it is now, under a name if there is one. Raises JournalUnavailable."""
    talk = desk.talk
    if not talk.exchanges:
        out.note(text("chat.save.nothing"))
        return
    if name and not _free(desk, name):
        return
    before, talk.name = talk.name, name or talk.name
    try:
        desk.keeper.save(talk, desk.chosen.choice.name)
    except AbiertoError:
        talk.name = before
        raise
    key = "chat.save.named" if talk.name else "chat.save.numbered"
    out.say(text(key, name=talk.name, number=talk.number))


def _free(desk: Desk, name: str) -> bool:
    if name.isdecimal():
        out.note(text("chat.save.digits"))
        return False
    others = [one for one in desk.keeper.kept() if one.name == name and one.id != desk.talk.number]
    if others:
        out.note(text("chat.save.taken", name=name, number=others[0].id))
    return not others


def load(desk: Desk, name: str) -> None:
    """List the kept conversations, or go on with one. Raises UnknownConversation, JournalUnavailable."""
    if not name:
        _list(desk)
        return
    found = desk.keeper.find(name)
    desk.keep()
    try:
        choice = choose(found.model)
        if choice.name != desk.chosen.choice.name:
            desk.chosen.change(choice)
    except AbiertoError as error:
        # The words are what matters; they go on with the model that is there.
        out.error(error)
    resume(desk.talk, found)
    show_end(desk)


def resume(talk: Talk, found: "Conversation") -> None:
    """Become the conversation that the journal has kept."""
    facts = asdict(found)
    talk.resume({**facts, "number": facts["id"]})


def show_end(desk: Desk) -> None:
    """Show where a conversation that goes on had stopped."""
    talk = desk.talk
    what = {"name": harmless(talk.name or talk.title), "number": talk.number, "model": desk.chosen.model.name}
    out.note(text("chat.load.done", **what, exchanges=count(len(talk.exchanges))))
    _tell_gone(talk)
    if not talk.exchanges:
        return
    last = talk.exchanges[-1]
    images = "".join(f"[{harmless(picture.name)}] " for picture in last.pictures)
    out.say(f"> {images}{harmless(last.question)}")
    stream = MarkdownStream(sys.stdout)
    stream.feed(last.answer)
    stream.close()
    if last.stopped:
        out.note(text("chat.stopped"))


def _tell_gone(talk: Talk) -> None:
    known = [*(picture for exchange in talk.exchanges for picture in exchange.pictures), *talk.pictures]
    for path in dict.fromkeys(picture.path for picture in known if picture.data is None):
        out.note(text("chat.image.gone", path=harmless(path)))
    talk.pictures = tuple(picture for picture in talk.pictures if picture.data is not None)


def _list(desk: Desk) -> None:
    found = desk.keeper.kept()
    if not found:
        out.note(text("chat.load.none"))
    rows = []
    for one in found:
        changed = datetime.fromisoformat(one.changed).astimezone().strftime("%Y-%m-%d %H:%M")
        here = text("chat.load.here") if one.id == desk.talk.number else ""
        label = f"{one.id} {one.name}" if one.name else str(one.id)
        rows.append((label, f"{changed}  {one.title} {here}"))
    lines.show(rows)
