"""Ollama's /api/tags, /api/show and /api/ps: which models there are, what is known of one, and which are loaded."""

from contextlib import suppress
from datetime import UTC, datetime, timedelta
from time import monotonic
from typing import Any

from msgspec import Struct

from abierto.errors import AbiertoError
from abierto.formats.gguf import Value, read_parts
from abierto.runtime import known, thought
from abierto.runtime.known import Known
from abierto.runtime.resident import Resident
from abierto.server.exchange import Call, Reply, Route
from abierto.server.ollama import names

# What Ollama says of a model that stays for ever: its clock's longest span from now.
FOREVER = timedelta(days=106_751)
_LONGEST_ARRAY = 5  # values; longer ones are only told where everything is asked for
_ABILITIES = {"chat": "completion", "embed": "embedding"}


class ShowBody(Struct):
    """The body. name: what older clients call `model`."""

    model: str = ""
    name: str = ""
    verbose: bool | None = False


def tags(_call: Call) -> Reply:
    """The models that this computer has."""
    return Reply({"models": [_listed(one) for one in known.all_models()]})


def show(call: Call) -> Reply:
    """What is known of a model."""
    body: ShowBody = call.body
    one = known.named(names.ours(body.model or body.name))
    parameters = "\n".join(f"{name:<30} {value}" for name, value in defaults_of(one).items())
    modelfile = [f"FROM {names.theirs(one.name)}", *(f"PARAMETER {n} {value}" for n, value in defaults_of(one).items())]
    told = {
        "modelfile": "\n".join(modelfile) + "\n",
        "parameters": parameters,
        "template": one.chat_template,
        "details": details_of(one),
        "model_info": information_of(one, everything=bool(body.verbose)),
        "capabilities": capabilities_of(one),
        "modified_at": _time(one.created),
    }
    return Reply(told | ({"license": one.license} if one.license else {}))


def running(call: Call) -> Reply:
    """The models that are loaded."""
    ready = [resident for resident in call.state.residents.all() if resident.state == "ready"]
    told = [_loaded(resident) for resident in ready]
    return Reply({"models": sorted(told, key=lambda one: str(one["expires_at"]), reverse=True)})


def details_of(one: Known) -> dict[str, Any]:
    """The field `details`."""
    return {
        "parent_model": "",
        "format": "" if one.format == "none" else one.format,
        "family": one.architecture,
        "families": [one.architecture] if one.architecture else [],
        "parameter_size": short(one.parameters),
        "quantization_level": one.quantization,
        **({"context_length": one.context} if one.context else {}),
    }


def capabilities_of(one: Known) -> list[str]:
    """What the model can do, as its header, its card and its chat template tell."""
    if one.format == "none":  # the echo
        return ["completion", "tools", "embedding"]
    chats = one.task == "chat"
    found = {
        _ABILITIES.get(one.task, one.task): True,
        "vision": one.sees,
        "tools": chats and "tools" in one.chat_template,
        "thinking": chats and thought.in_template(one.chat_template),
    }
    return [name for name, can in found.items() if can]


def information_of(one: Known, *, everything: bool) -> dict[str, Any]:
    """The field `model_info`: what the header of the file says, under the names that it has there."""
    if one.format != "gguf":
        family = one.architecture or one.format
        counted = {"general.parameter_count": one.parameters, f"{family}.context_length": one.context}
        return {"general.architecture": family, **{name: value for name, value in counted.items() if value}}
    header = read_parts(one.files)
    told = {name: _plain(value, everything=everything) for name, value in header.metadata.items()}
    told.pop("tokenizer.chat_template", None)
    return {**told, "general.parameter_count": header.parameter_count}


def defaults_of(one: Known) -> dict[str, Any]:
    """The values that its makers use, under Ollama's names."""
    defaults = dict(one.card.defaults) if one.card and one.task == "chat" else {}
    return {"num_predict" if name == "max_tokens" else name: value for name, value in defaults.items()}


def short(count: int) -> str:
    """A number of parameters as Ollama writes it: 8.0B, 134.52M; empty for an unknown one."""
    for size, letter, digits in ((10**9, "B", 1), (10**6, "M", 2), (10**3, "K", 2)):
        if count >= size:
            return f"{count / size:.{digits}f}{letter}"
    return str(count) if count else ""


def expires_at(resident: Resident, now: datetime) -> datetime:
    """When the model is let go if nobody asks any more."""
    if resident.keep_alive < 0 or resident.pinned:
        return now + FOREVER
    idle = monotonic() - resident.last_used if resident.idle else 0.0
    left = timedelta(seconds=min(max(resident.keep_alive - idle, 0.0), FOREVER.total_seconds()))
    return now + left


def _listed(one: Known) -> dict[str, Any]:
    name = names.theirs(one.name)
    return {
        "name": name,
        "model": name,
        "modified_at": _time(one.created),
        "size": one.size,
        "digest": one.sha256,
        "details": details_of(one),
        "capabilities": capabilities_of(one),
    }


def _loaded(resident: Resident) -> dict[str, Any]:
    model = resident.model
    assert model, "one that is ready has a model"
    one = Known(resident.name, resident.task, "")
    with suppress(AbiertoError):  # it may have been deleted since it was loaded
        one = known.named(resident.name)
    name = names.theirs(resident.name)
    return {
        "name": name,
        "model": name,
        "size": model.memory(),
        "digest": one.sha256,
        "details": details_of(one),
        "expires_at": expires_at(resident, datetime.now(UTC)).isoformat(),
        "size_vram": 0,
        "context_length": model.context,
    }


def _plain(value: Value, *, everything: bool) -> Any:
    if isinstance(value, str | int | float | bool):
        return value
    # A long array is not kept from the file; then there is nothing to tell in any case.
    return list(value) if isinstance(value, tuple) and (everything or len(value) <= _LONGEST_ARRAY) else []


def _time(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()


ROUTES = (
    Route("GET", "/api/tags", tags, blocking=True),
    Route("POST", "/api/show", show, ShowBody, blocking=True),
    Route("GET", "/api/ps", running, blocking=True),
)
