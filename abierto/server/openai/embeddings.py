"""OpenAI's /v1/embeddings: for each text a vector of the length 1. Pure functions."""

import base64
import struct
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct

from abierto.errors import InvalidRequest
from abierto.server.exchange import Call, Facts, Job, Route
from abierto.server.openai.texts import Texts, texts_of
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Usage

MOST_TEXTS = 2048


class EmbeddingBody(Struct, kw_only=True):
    """The body."""

    input: Texts
    model: str = ""
    encoding_format: Literal["float", "base64"] | None = "float"
    dimensions: int | None = None
    keep_alive: float | None = None


def embeddings(call: Call) -> Job:
    """The job that a body asks for. Raises InvalidRequest."""
    body: EmbeddingBody = call.body
    request = EmbedRequest(texts_of(body.input, "$.input", MOST_TEXTS))
    return Job(
        body.model,
        (request,),
        lambda answers, facts: whole(answers[0], facts, body.encoding_format or "float", body.dimensions),
        keep_alive=body.keep_alive,
    )


def whole(events: Sequence[Event], facts: Facts, encoding: str, dimensions: int | None) -> Any:
    """The body of the answer. Raises InvalidRequest for vectors of another size than the model's.

    A vector that is cut keeps its meaning only where the model was trained for that, which no file here tells.
    """
    found = [event for event in events if isinstance(event, Embedding)]
    for one in found:
        if dimensions is not None and dimensions != len(one.values):
            detail = f"the vectors of this model have {len(one.values)} numbers, and are not cut here"
            raise InvalidRequest(detail, "$.dimensions")
    data = [
        {"object": "embedding", "index": one.index, "embedding": encoded(one.values, encoding)}
        for one in sorted(found, key=lambda one: one.index)
    ]
    return {"object": "list", "data": data, "model": facts.model, "usage": usage_of(events)}


def encoded(values: Sequence[float], encoding: str) -> list[float] | str:
    """The numbers; or as `base64` their 32 bits each, the lowest byte first."""
    if encoding == "float":
        return list(values)
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()


def usage_of(events: Sequence[Event]) -> dict[str, Any]:
    """What reading cost; nothing was written."""
    tokens = sum(event.prompt_tokens for event in events if isinstance(event, Usage))
    return {"prompt_tokens": tokens, "total_tokens": tokens}


ROUTES = (Route("POST", "/v1/embeddings", embeddings, EmbeddingBody),)
