"""Ollama's /api/embed, and /api/embeddings, which came before it. Pure functions.

A text that is longer than the context is refused, also where `truncate` would have it cut.
"""

from collections.abc import Sequence
from math import sqrt
from time import perf_counter
from typing import Any

from msgspec import Struct

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.server.exchange import Call, Facts, Flow, Job, Route
from abierto.server.ollama import names
from abierto.server.ollama.loading import loading
from abierto.server.ollama.options import Options, context_of, seconds_of
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Usage

_NANOSECONDS = 1_000_000_000


class EmbedBody(Struct):
    """The body. dimensions: how many numbers of each vector are wanted."""

    model: str = ""
    input: str | list[str] | None = None
    dimensions: int | None = None
    options: Options | None = None
    keep_alive: float | str | None = None


class EmbeddingsBody(Struct):
    """The body of the older path."""

    model: str = ""
    prompt: str | None = None
    options: Options | None = None
    keep_alive: float | str | None = None


def embed(call: Call) -> Job | Flow:
    """Turn texts into vectors; without any, load the model or let it go."""
    body: EmbedBody = call.body
    began = perf_counter()
    if body.dimensions is not None and body.dimensions < 0:
        raise OptionOutOfRange("dimensions", body.dimensions, 0)
    texts = [body.input] if isinstance(body.input, str) and body.input else list(body.input or ())
    for index, text in enumerate(texts):
        if not text:
            raise InvalidRequest("an empty text has no vector", f"$.input[{index}]")

    def told(vectors: list[list[float]], load: float, tokens: int) -> dict[str, Any]:
        times = {"total_duration": perf_counter() - began, "load_duration": load}
        spent = {name: round(seconds * _NANOSECONDS) for name, seconds in times.items()}
        return {"model": body.model, "embeddings": vectors, **spent, "prompt_eval_count": tokens}

    def whole(answers: Sequence[Sequence[Event]], facts: Facts) -> Any:
        vectors = [shortened(values, body.dimensions or 0) for values in vectors_of(answers[0])]
        tokens = sum(event.prompt_tokens for event in answers[0] if isinstance(event, Usage))
        return told(vectors, facts.load_seconds, tokens)

    name, keep_alive, context = names.ours(body.model), seconds_of(body.keep_alive), context_of(body.options)
    if not texts:
        empty = lambda _reason, load: told([], load, 0)  # noqa: E731 - as short as what it says
        return loading(call.state, name, EmbedRequest.task, keep_alive, context, empty)
    return Job(name, (EmbedRequest(tuple(texts)),), whole, None, keep_alive, context)


def embeddings(call: Call) -> Job | Flow:
    """Turn one text into a vector; without one, load the model or let it go."""
    body: EmbeddingsBody = call.body
    name, keep_alive, context = names.ours(body.model), seconds_of(body.keep_alive), context_of(body.options)
    if not body.prompt:
        return loading(
            call.state, name, EmbedRequest.task, keep_alive, context, lambda _reason, _load: {"embedding": []}
        )
    return Job(
        name,
        (EmbedRequest((body.prompt,)),),
        lambda answers, _facts: {"embedding": vectors_of(answers[0])[0]},
        None,
        keep_alive,
        context,
    )


def vectors_of(events: Sequence[Event]) -> list[list[float]]:
    """The vectors, in the order of the texts."""
    found = [event for event in events if isinstance(event, Embedding)]
    return [event.values for event in sorted(found, key=lambda event: event.index)]


def shortened(values: list[float], dimensions: int) -> list[float]:
    """The first numbers of a vector, as many as are wanted (0: all), made to have the length 1 again."""
    if not 0 < dimensions < len(values):
        return values
    kept = values[:dimensions]
    length = sqrt(sum(value * value for value in kept)) or 1.0
    return [value / length for value in kept]


ROUTES = (
    Route("POST", "/api/embed", embed, EmbedBody),
    Route("POST", "/api/embeddings", embeddings, EmbeddingsBody),
)
