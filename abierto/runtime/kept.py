"""What the functions of the Python API share: the models that they keep loaded, and errors with their sentences."""

import atexit
import threading
from contextlib import suppress
from typing import Any

from abierto import config, locale
from abierto.errors import AbiertoError, JournalUnavailable
from abierto.runtime.model import Model, load, write_runs


class Kept:
    """The one loaded model that the calls of a function share."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._model: Model | None = None
        self._call: dict[str, Any] = {}

    def get(self, prompt: int = 0, **call: Any) -> Model:
        """The model of the last call, if this call asks for the same; else another one in its place.

        call: arguments of `load`. prompt: about how many tokens the prompt has, by which the engine is chosen if it
        has to be loaded.
        """
        with self._lock:
            if self._model is None or self._call != call:
                self._close()
                self._model = load(prompt=prompt, **call)
                self._call = call
            return self._model

    def drop(self) -> None:
        """Close the model, if there is one."""
        with self._lock:
            self._close()

    def _close(self) -> None:
        if self._model:
            self._model.close()
        self._model, self._call = None, {}


CHAT, DRAW = Kept(), Kept()


def unload() -> None:
    """Give back the memory of the models that `chat` and `draw` keep loaded. The next call loads its model again."""
    CHAT.drop()
    DRAW.drop()


def worded(error: AbiertoError) -> AbiertoError:
    """The error with its sentences as a note, which Python prints below the traceback."""
    locale.use(config.settings().language or config.system_language())
    what, next_step = locale.tell(error)
    error.add_note(f"{what}\n{next_step}")
    return error


@atexit.register
def _leave() -> None:
    unload()
    # At the end of a program nobody is left to be told that its numbers could not be kept.
    with suppress(JournalUnavailable):
        write_runs()
