"""What the server was asked: one JSON line for each request, in a file that is begun anew when it is large.

What was said is not in it, unless a setting asks for that: no prompt, no answer, no address, no word of an error that
may quote one. It is written by one thread.
"""

import logging
import os
import traceback
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import msgspec

from abierto.tasks.events import Event, Usage

LARGEST = 10_000_000  # bytes of one file
KEPT = 3  # older files beside the one that is written
LONGEST = 200  # characters of what a client chose


class Entry(msgspec.Struct, omit_defaults=True):
    """A request. at: ISO 8601, UTC. seconds: until all was handed over. status: 499 where the client went away.

    token: the name of the one that came with it. error: a code of `abierto.errors`. body: as it came, where the setting
    `log_prompts` asks for it. fault: of a line that is no request: what the server itself complains about, and the
    places in the source that led there.
    """

    at: str = ""
    method: str = ""
    path: str = ""
    status: int = 0
    seconds: float = 0.0
    model: str = ""
    prompt_tokens: int = 0
    completion_tokens: int = 0
    token: str = ""
    error: str = ""
    body: str = ""
    fault: str = ""
    places: list[str] = []

    def note(self, event: Event) -> None:
        """Count the tokens of an answer."""
        if isinstance(event, Usage):
            self.prompt_tokens = max(self.prompt_tokens, event.prompt_tokens)
            self.completion_tokens += event.completion_tokens


class Log:
    """An open log. A disk that is full or a folder that cannot be written costs lines, and no request."""

    def __init__(self, folder: Path) -> None:
        self.path = path(folder)
        self._handle, self._size = -1, 0
        self._encoder = msgspec.json.Encoder()
        with suppress(OSError):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._open()

    def write(self, entry: Entry) -> None:
        """One line."""
        entry.at = entry.at or now()
        entry.path, entry.model = entry.path[:LONGEST], entry.model[:LONGEST]
        line = self._encoder.encode(entry) + b"\n"
        with suppress(OSError):
            if self._size + len(line) > LARGEST:
                self._begin_anew()
            self._size += os.write(self._handle, line)

    def close(self) -> None:
        """Nothing is written any more."""
        if self._handle >= 0:
            os.close(self._handle)
        self._handle = -1

    def _open(self) -> None:
        self._handle = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        self._size = os.fstat(self._handle).st_size

    def _begin_anew(self) -> None:
        self.close()
        for number in range(KEPT - 1, 0, -1):
            with suppress(FileNotFoundError):
                _older(self.path, number).replace(_older(self.path, number + 1))
        with suppress(FileNotFoundError):
            self.path.replace(_older(self.path, 1))
        self._open()


class Faults(logging.Handler):
    """Takes what the server below us complains about, without the words of errors."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """See `logging.Handler`."""
        kind, _, trace = record.exc_info or (None, None, None)
        places = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in traceback.extract_tb(trace)]
        fault = f"{record.msg.strip()} {kind.__name__ if kind else ''}".strip()
        self._log.write(Entry(fault=fault, places=places))


def path(folder: Path) -> Path:
    """The file that is written now."""
    return folder / "server.log"


def now() -> str:
    """The time, as the log tells it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")


def _older(newest: Path, number: int) -> Path:
    return newest.with_name(f"{newest.name}.{number}")
