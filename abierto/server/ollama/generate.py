"""Ollama's /api/generate: what its body asks for in our terms, and the form of the answer. Pure functions.

With `raw` the prompt goes to the model as it is; else it is the one message of a conversation.
"""

from collections.abc import Sequence
from typing import Any

from abierto.errors import InvalidRequest
from abierto.server.exchange import Call, Flow, Job, Route
from abierto.server.ollama import names
from abierto.server.ollama.answer import Answer
from abierto.server.ollama.loading import loading
from abierto.server.ollama.options import (
    Asking,
    context_of,
    logprobs_of,
    pictures,
    sampling_of,
    schema_of,
    seconds_of,
    thinking_of,
)
from abierto.tasks.chat import ChatRequest, Message
from abierto.tasks.complete import CompleteRequest


class GenerateBody(Asking):
    """The body."""

    prompt: str | None = None
    system: str | None = None
    images: list[str] | None = None
    raw: bool | None = False
    suffix: str | None = None
    template: str | None = None
    context: list[int] | None = None


def generate(call: Call) -> Job | Flow:
    """Answer a prompt; without one, load the model or let it go."""
    body: GenerateBody = call.body
    name, keep_alive, context = names.ours(body.model), seconds_of(body.keep_alive), context_of(body.options)
    answer = Answer(body.model, response)
    if not body.prompt:
        return loading(call.state, name, ChatRequest.task, keep_alive, context, answer.ready)
    stream = None if body.stream is False else answer
    return Job(name, (parse(body),), answer.whole, stream, keep_alive, context)


def parse(body: GenerateBody) -> ChatRequest | CompleteRequest:
    """The request. Raises InvalidRequest, InvalidSchema, OptionOutOfRange."""
    _refuse(body)
    sampling, schema, logprobs = sampling_of(body.options), schema_of(body.format), logprobs_of(body)
    if body.raw:
        return CompleteRequest(body.prompt or "", sampling, schema, logprobs)
    system = (Message("system", body.system),) if body.system else ()
    user = Message("user", body.prompt or "", pictures(body.images, "$"))
    reasoning = thinking_of(body.think)
    return ChatRequest((*system, user), sampling, schema, logprobs=logprobs, reasoning=reasoning)


def response(words: str, thoughts: str, _calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The fields of a body that hold the answer, or a piece of it."""
    return {"response": words} | ({"thinking": thoughts} if thoughts else {})


def _refuse(body: GenerateBody) -> None:
    """Raise InvalidRequest for what would change the answer and cannot be had here."""
    if body.suffix:
        raise InvalidRequest("no model here fills in the middle of a text", "$.suffix")
    if body.template:
        raise InvalidRequest("the chat template is the model's own; with `raw` there is none", "$.template")
    if body.context:
        raise InvalidRequest("earlier turns are given as messages, to /api/chat", "$.context")
    if body.raw and (body.system or body.images):
        raise InvalidRequest("with `raw` there is nothing but the prompt", "$.system" if body.system else "$.images")


ROUTES = (Route("POST", "/api/generate", generate, GenerateBody),)
