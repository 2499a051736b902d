"""Requests without a prompt: they have a model loaded, or with `keep_alive` 0 let go."""

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

from abierto import config
from abierto.errors import NotLoaded
from abierto.runtime.resolve import resolve
from abierto.server.exchange import JSON, Flow, encode
from abierto.server.state import State


def loading(
    state: State,
    name: str,
    task: str,
    keep_alive: float | None,
    context: int,
    told: Callable[[str, float], Any],
) -> Flow:
    """What loads a model, or lets it go, and then tells of it.

    told: from `load` or `unload`, and the seconds that it took, to the body.
    """
    if keep_alive == 0:
        return Flow(_unloaded(state, name, told), JSON)
    return Flow(_loaded(state, name, task, keep_alive, context, told), JSON)


def _loaded(
    state: State,
    name: str,
    task: str,
    keep_alive: float | None,
    context: int,
    told: Callable[[str, float], Any],
) -> Iterator[bytes]:
    turn = state.residents.turn(name, task, keep_alive=keep_alive, context=context)
    with turn:
        resident = turn.resident
        assert resident
        seconds = min(resident.load_seconds, turn.waited)
    yield encode(told("load", seconds))


def _unloaded(state: State, name: str, told: Callable[[str, float], Any]) -> Iterator[bytes]:
    resolve(name, config.folders().models, anywhere=False)  # that there is no such model is told
    with suppress(NotLoaded):
        state.residents.unload(name)
    yield encode(told("unload", 0.0))
