"""Models over our own dialect: which there are, which are loaded, and to load, unload and pin one."""

from math import inf, isfinite
from time import monotonic
from typing import Any, Literal

from msgspec import Struct

from abierto import config, engines, locale
from abierto.errors import FolderNotWritable, InvalidRequest
from abierto.locale.numbers import count
from abierto.runtime import known, preferred
from abierto.runtime.choice import AUTO
from abierto.runtime.known import Known
from abierto.runtime.model import Model, Stats
from abierto.runtime.removal import removal
from abierto.runtime.resident import Refused, Resident
from abierto.server.administration.owner import check
from abierto.server.exchange import Call, Reply, Route
from abierto.server.state import State


class LoadBody(Struct):
    """keep_alive: seconds that it stays after its last answer, negative: for ever; null: as the server is set.

    engine: the one that this model is computed with from now on, also by servers that are started later; `auto`: as the
    server is set; null: as before.
    """

    model: str
    task: Literal["chat", "embed", "rerank", "draw"] = "chat"
    keep_alive: float | None = None
    engine: str | None = None


class RemoveBody(Struct):
    """model: as `abierto remove` takes it; also one whose pull did not end."""

    model: str


class UnloadBody(Struct):
    """model: by the name that `status` tells."""

    model: str


class PinBody(Struct):
    """pinned: whether it shall stay whatever happens."""

    model: str
    pinned: bool = True


def models(call: Call) -> Reply:
    """The models that this computer has, loaded or not."""
    chosen = call.state.residents.engines
    return Reply({"models": [{**_known(one), "chosen_engine": chosen.get(one.name)} for one in known.all_models()]})


def load(call: Call) -> Reply:
    """Load a model, and answer when it is there."""
    body: LoadBody = call.body
    if body.keep_alive is not None and not isfinite(body.keep_alive):
        raise InvalidRequest("a finite number of seconds is needed", "$.keep_alive")
    if body.engine is not None:
        if body.engine != AUTO:
            engines.check(body.engine)
        call.state.residents.prefer(body.model, body.engine)
        _keep(call.state)
    turn = call.state.residents.turn(body.model, body.task, keep_alive=body.keep_alive)
    with turn:
        name = turn.name
    return Reply({"residents": [one for one in residents(call.state) if one["model"] == name]})


def _keep(state: State) -> None:
    try:
        preferred.keep(dict(state.residents.engines))
    except OSError as error:
        raise FolderNotWritable(str(config.folders().data)) from error


def unload(call: Call) -> Reply:
    """Let a model go as soon as its answers are done."""
    call.state.residents.unload(call.body.model)
    return Reply({"model": call.body.model, "state": "leaving"})


def pin(call: Call) -> Reply:
    """Keep a model loaded whatever happens, or not any more."""
    call.state.residents.pin(call.body.model, call.body.pinned)
    return Reply({"model": call.body.model, "pinned": call.body.pinned})


def remove(call: Call) -> Reply:
    """Delete a pulled model, or what has arrived of one. It is let go first if it is loaded and nobody uses it."""
    check(call)
    found = removal(call.body.model)
    call.state.residents.let_go(found.name)
    return Reply({"model": found.name, "freed": found.carry_out()})


def residents(state: State) -> list[dict[str, Any]]:
    """Each model that is loaded or on its way. Sizes in bytes, times in seconds; null where unknown."""
    chosen = state.residents.engines
    return [{**_resident(one), "chosen_engine": chosen.get(one.name)} for one in state.residents.all()]


def absent(state: State) -> list[dict[str, Any]]:
    """Each model that is not there any more, or could not come, and why."""
    return [_absent(one) for one in state.residents.refused()]


def _resident(one: Resident) -> dict[str, Any]:
    left = one.expires - monotonic()
    facts: dict[str, Any] = {
        "model": one.name,
        "task": one.task,
        "state": one.state,
        "users": one.users,
        "waiting": one.waiting,
        "pinned": one.pinned,
        "keep_alive": one.keep_alive,
        "seconds_left": None if left == inf else max(left, 0.0),
        "load_seconds": one.load_seconds,
        "reduced_context": one.notice or None,
        "notice": locale.text("server.smaller_context", context=count(one.notice)) if one.notice else None,
    }
    return {**facts, **_loaded(one.model), **_last(one.last)}


def _loaded(model: Model | None) -> dict[str, Any]:
    if model is None:
        return {}
    return {
        "name": model.name,
        "engine": model.engine,
        "threads": model.variant.threads or None,
        "settings": dict(model.variant.settings),
        "features": sorted(model.features),
        "process_id": model.pid,
        "estimate": model.estimate or None,
        "memory": model.memory(),
        "context": model.context,
        "trained": model.trained,
        "max_users": model.max_concurrent,
    }


def _last(stats: Stats | None) -> dict[str, Any]:
    """What the last answer cost. step_seconds: of one step of the engine, after which it can be broken off."""
    if stats is None:
        return {"prompt_speed": None, "speed": None, "step_seconds": None}
    speed = stats.generation_speed
    return {
        "prompt_speed": stats.prompt_speed or None,
        "speed": speed or None,
        "step_seconds": 1 / speed if speed else None,
    }


def _absent(refused: Refused) -> dict[str, Any]:
    told: dict[str, Any] = {"model": refused.name, "reason": refused.reason}
    if refused.error:
        what, hint = locale.tell(refused.error)
        told |= {"code": refused.error.code, "message": what, "hint": hint, "facts": refused.error.facts}
    return told


def _known(one: Known) -> dict[str, Any]:
    return {
        "name": one.name,
        "task": one.task,
        "format": one.format,
        "size": one.size,
        "created": one.created,
        "sha256": one.sha256 or None,
        "owner": one.owner or None,
        "sees": one.sees,
        "architecture": one.architecture or None,
        "parameters": one.parameters or None,
        "quantization": one.quantization or None,
        "context": one.context or None,
        "license": one.license or None,
        "engines": engines.engines_for(one.format),
    }


ROUTES = (
    Route("GET", "/abierto/v1/models", models, blocking=True),
    Route("POST", "/abierto/v1/models/load", load, LoadBody, blocking=True),
    Route("POST", "/abierto/v1/models/unload", unload, UnloadBody),
    Route("POST", "/abierto/v1/models/pin", pin, PinBody),
    Route("POST", "/abierto/v1/models/remove", remove, RemoveBody, blocking=True),
)
