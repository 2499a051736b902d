"""Asks the model, shows the answer as it comes, and says what a person should know about it."""

import sys
from dataclasses import dataclass

from abierto.cli import out
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.interrupts import Stop, silent_keys
from abierto.cli.conversation.room import make_room, tell_if_nearly_full
from abierto.cli.conversation.state import Exchange, title_of
from abierto.cli.markdown import MarkdownStream
from abierto.cli.notices import language_notice, stats_line
from abierto.errors import AbiertoError, AnswerNotValid, EngineCrashed, InvalidEncoding
from abierto.locale import text
from abierto.locale.numbers import count, decimal
from abierto.runtime import schema as schemas
from abierto.tasks.events import Finish, Progress, Reasoning, Text

# From so many tokens on, it is said how far the model has read.
LONG_PROMPT = 256


@dataclass(slots=True)
class _Heard:
    text: str = ""
    finish: str = ""
    stopped: bool = False


def send(desk: Desk, question: str) -> bool:
    """Send a message and show the answer. Returns whether there is one; if not, nothing that was typed is lost."""
    try:
        if not make_room(desk, _sound(question)):
            return False
        _before(desk, question)
        heard = _hear(desk, question)
    except EngineCrashed as error:
        desk.talk.question = question
        out.error(error)
        desk.chosen.reload()
        out.note(text("chat.reloaded", model=desk.chosen.model.name))
        return False
    except (AbiertoError, KeyboardInterrupt):
        desk.talk.question, desk.talk.draft = "", question
        raise
    if heard.stopped and not heard.text.strip():
        desk.talk.question, desk.talk.draft = "", question
        desk.keep()
        out.note(text("chat.stopped_before"))
        return False
    desk.talk.exchanges.append(Exchange(question, heard.text, heard.stopped, desk.talk.pictures))
    desk.talk.question, desk.talk.pictures = "", ()
    desk.keep()
    _after(desk, heard)
    return True


def _sound(question: str) -> str:
    # Bytes that are no UTF-8 arrive from a terminal as lone surrogates.
    try:
        question.encode()
    except UnicodeEncodeError as error:
        raise InvalidEncoding("terminal", error.start) from error
    return question


def _before(desk: Desk, question: str) -> None:
    talk = desk.talk
    talk.question = question
    talk.title = talk.title or title_of(question)
    desk.keep()
    notice = None if talk.told_language else language_notice(desk.chosen.model, question)
    if notice:
        talk.told_language = True
        out.note(notice)


def _hear(desk: Desk, question: str) -> _Heard:
    heard = _Heard()
    stream = MarkdownStream(sys.stdout, plain=desk.talk.schema is not None)
    request = desk.request(question, seed_shift=desk.talk.retries)
    with Stop() as stop, silent_keys():
        try:
            for event in stop.events(desk.chosen.model.run(request)):
                if isinstance(event, Text):
                    heard.text += event.text
                    stream.feed(event.text)
                elif isinstance(event, Reasoning):
                    stream.think(event.text)
                elif isinstance(event, Progress) and event.total >= LONG_PROMPT:
                    share = decimal(100 * event.done / event.total, 0)
                    stream.status(text("chat.reading", share=share))
                elif isinstance(event, Finish):
                    heard.finish = event.reason
        finally:
            stream.close()
            out.say()
    heard.stopped = stop.pressed and not heard.finish
    return heard


def _after(desk: Desk, heard: _Heard) -> None:
    last, sampling = desk.chosen.model.last, desk.talk.sampling
    if heard.stopped:
        out.note(text("chat.stopped"))
    elif not heard.text.strip():
        out.note(text("chat.empty"))
    if heard.finish and last:
        desk.talk.totals.add(last)
        if heard.finish == "length":
            by_limit = bool(sampling.max_tokens) and last.completion_tokens >= (sampling.max_tokens or 0)
            key, tokens = ("limit", sampling.max_tokens or 0) if by_limit else ("context", desk.chosen.model.context)
            out.note(text(f"chat.cut_by_{key}", tokens=count(tokens)))
        if desk.stats:
            out.note(stats_line(last))
    if heard.finish and desk.talk.schema is not None:
        try:
            schemas.validate(heard.text, desk.talk.schema)
        except AnswerNotValid as error:
            out.error(error)
    tell_if_nearly_full(desk)
    desk.keeper.write_runs()
