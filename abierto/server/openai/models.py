"""OpenAI's /v1/models: the models that can be asked here. What OpenAI's form has no place for is under `meta`."""

from typing import Any

from abierto.runtime import known
from abierto.runtime.known import Known
from abierto.server.exchange import Call, Reply, Route

OURS = "abierto"


def models(_call: Call) -> Reply:
    """All of them."""
    return Reply({"object": "list", "data": [described(one) for one in known.all_models()]})


def model(call: Call) -> Reply:
    """The one that a name means. Raises what `known.named` raises."""
    return Reply(described(known.named(call.path["id"])))


def described(one: Known) -> Any:
    """A model in OpenAI's form. owned_by: the program whose file it is."""
    meta = {
        "task": one.task,
        "format": one.format,
        "size": one.size or None,
        "architecture": one.architecture or None,
        "parameters": one.parameters or None,
        "quantization": one.quantization or None,
        "context": one.context or None,
        "license": one.license or None,
        "images": one.sees,
    }
    owner = one.owner or OURS
    return {"id": one.name, "object": "model", "created": one.created, "owned_by": owner, "meta": meta}


ROUTES = (
    Route("GET", "/v1/models", models, blocking=True),
    Route("GET", "/v1/models/{id:path}", model, blocking=True),
)
