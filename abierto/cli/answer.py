"""An answer as it comes: Markdown in a terminal, plain text into a pipe or a file."""

import sys
from collections.abc import Iterator
from dataclasses import dataclass

from abierto.cli.markdown import MarkdownStream
from abierto.tasks.events import Event, Finish, Reasoning, Text


@dataclass(slots=True)
class Shown:
    """What has been shown of an answer so far. finish_reason is empty while it has not ended."""

    text: str = ""
    reasoning: str = ""
    finish_reason: str = ""


def show(events: Iterator[Event], *, silent: bool = False, plain: bool = False) -> Shown:
    """Show an answer until its end and return it. silent: show nothing; plain: as it is, without Markdown."""
    shown = Shown()
    stream = None if silent else MarkdownStream(sys.stdout, plain=plain)
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
