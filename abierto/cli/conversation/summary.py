"""A summary, by the model itself, in place of the exchanges that no longer fit."""

import sys
from dataclasses import replace

from abierto.cli import out
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.interrupts import Stop, silent_keys
from abierto.cli.conversation.state import exchange_messages
from abierto.cli.markdown import MarkdownStream
from abierto.locale import text
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.events import Text


def sum_up(desk: Desk, room: int) -> bool:
    """Let the model sum up as many of the oldest exchanges as it can read at once, in at most `room` tokens.

    Returns True: the message is tried again, with the summary or, when it was stopped, as before.
    """
    request, number = _request(desk, room)
    out.note(text("chat.summary.begins", number=number))
    stream, said = MarkdownStream(sys.stdout), ""
    with Stop() as stop, silent_keys():
        for event in stop.events(desk.chosen.model.run(request)):
            if isinstance(event, Text):
                said += event.text
                stream.feed(event.text)
        stream.close()
    if stop.pressed or not said.strip():
        out.note(text("chat.summary.none"))
        return True
    desk.talk.summary = said.strip()
    del desk.talk.exchanges[:number]
    return True


def _request(desk: Desk, room: int) -> tuple[ChatRequest, int]:
    """The request for a summary, and how many exchanges it is of."""
    exchanges = desk.talk.exchanges
    number = len(exchanges)
    while True:
        messages = [*desk.talk.opening_messages()]
        for exchange in exchanges[:number]:
            messages += exchange_messages(exchange, desk.sees)
        messages.append(Message("user", text("chat.summary.request")))
        sampling = replace(desk.talk.sampling, max_tokens=room, stop=())
        request = ChatRequest(tuple(messages), sampling)
        if number == 1 or desk.chosen.model.count_tokens(request) + room <= desk.chosen.model.context:
            return request, number
        number -= 1
