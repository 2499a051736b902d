"""An answer as it comes: Markdown in a terminal, plain text into a pipe or a file."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from abierto.tasks.events import Event, Finish, Reasoning, Text


class Stream(Protocol):
    """Where an answer goes, piece by piece."""

    def feed(self, text: str) -> None:
        """The next piece of the answer."""

    def think(self, text: str) -> None:
        """The next piece of the reasoning before it."""

    def close(self) -> None:
        """No more pieces."""


@dataclass(slots=True)
class Shown:
    """What has been shown of an answer so far. finish_reason is empty while it has not ended."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""


def show(events: Iterator[Event], *, silent: bool = False, plain: bool = False) -> Shown:
    """Show an answer until its end and return it. silent: show nothing; plain: as it is, without Markdown."""
    shown = Shown()
    stream = None if silent else _stream(plain)
    try:
        for event in events:
            if isinstance(event, Text):
                shown.text += event.text
                if stream:
                    stream.feed(event.text)
            elif isinstance(event, Reasoning):
                shown.reasoning += event.text
                if stream:
                    stream.think(event.text)
            elif isinstance(event, Finish):
                shown.finish_reason = event.reason
    finally:
        if stream:
            stream.close()
    return shown
