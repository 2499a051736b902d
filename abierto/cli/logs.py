"""`abierto logs`: what the server was asked."""

import os
import threading
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path

import click

from abierto import config
from abierto.cli import out
from abierto.cli.words import command, option
from abierto.locale import text
from abierto.locale.numbers import count, decimal
from abierto.server.log import Entry, path

GLANCE = 0.3  # seconds between two looks at a file that is followed


@command("logs")
@option("-f", "--follow", is_flag=True)
@option("--lines", type=click.IntRange(0), default=20, metavar="N", says="log_lines")
@option("--json", "as_json", is_flag=True)
def logs(follow: bool, lines: int, as_json: bool) -> None:
    """Show the last lines of the log, and with --follow those that come."""
    file = path(config.folders().logs)
    if not file.exists():
        out.note(text("logs.none", path=file))
    for line in _lines(file, lines, follow):
        out.say(line if as_json else _told(line))


def _lines(file: Path, last: int, follow: bool) -> Iterator[str]:
    """The last lines, then those that are written from now on, also where the file is begun anew."""
    place, known, begun = 0, 0, False
    while True:
        with suppress(FileNotFoundError), file.open("rb") as opened:
            found = os.fstat(opened.fileno()).st_ino
            place = place if found == known else 0
            opened.seek(place)
            written = opened.read()
            written = written[: written.rfind(b"\n") + 1]  # what is being written now is read the next time
            lines = written.decode("utf-8", "replace").splitlines()
            yield from lines if begun else lines[max(len(lines) - last, 0) :]
            place, known, begun = place + len(written), found, True
        if not follow:
            return
        threading.Event().wait(GLANCE)


def _told(line: str) -> str:
    """A line for people; one that is not ours as it is."""
    import msgspec

    try:
        entry = msgspec.json.decode(line, type=Entry)
        when = datetime.fromisoformat(entry.at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
    except (msgspec.MsgspecError, ValueError):
        return line
    if entry.fault:
        return "  ".join([when, entry.fault, *entry.places[-1:]])
    tokens = ""
    if entry.prompt_tokens or entry.completion_tokens:
        tokens = text("logs.tokens", prompt=count(entry.prompt_tokens), completion=count(entry.completion_tokens))
    facts = [
        when,
        str(entry.status),
        f"{entry.method} {entry.path}",
        entry.model,
        f"{decimal(entry.seconds, 2)} s",
        tokens,
        entry.token,
        entry.error,
    ]
    return "  ".join(filter(None, facts))
