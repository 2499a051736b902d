"""Ollama's /api/chat: what its body asks for in our terms, and the form of the answer. Pure functions."""

import json
from collections.abc import Sequence
from typing import Any, Literal

from msgspec import Struct, field

from abierto.errors import InvalidRequest
from abierto.runtime import schema as schemas
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
from abierto.tasks.chat import ChatRequest, Message, Tool, ToolCall


class Function(Struct):
    """What was called. arguments: an object, not a text."""

    name: str
    arguments: dict[str, Any] = field(default_factory=dict)


class Called(Struct):
    """A call that the assistant made."""

    function: Function
    id: str = ""


class Turn(Struct):
    """One message. tool_name: of a message of the role `tool`, the function whose answer it is."""

    role: str
    content: str | None = None
    thinking: str | None = None
    images: list[str] | None = None
    tool_calls: list[Called] | None = None
    tool_name: str | None = None
    tool_call_id: str | None = None


class Offered(Struct):
    """A function that may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolBody(Struct):
    """A tool; the only kind is a function."""

    function: Offered
    type: Literal["function"] = "function"


class ChatBody(Asking):
    """The body."""

    messages: list[Turn] | None = None
    tools: list[ToolBody] | None = None


def chat(call: Call) -> Job | Flow:
    """Go on with a conversation; without messages, load the model or let it go."""
    body: ChatBody = call.body
    name, keep_alive, context = names.ours(body.model), seconds_of(body.keep_alive), context_of(body.options)
    answer = Answer(body.model, message)
    if not body.messages:
        return loading(call.state, name, ChatRequest.task, keep_alive, context, answer.ready)
    stream = None if body.stream is False else answer
    return Job(name, (parse(body),), answer.whole, stream, keep_alive, context)


def parse(body: ChatBody) -> ChatRequest:
    """The request. Raises InvalidRequest, InvalidSchema, OptionOutOfRange."""
    return ChatRequest(
        messages=tuple(messages_of(body.messages or ())),
        sampling=sampling_of(body.options),
        schema=schema_of(body.format),
        tools=tuple(_tool(tool, index) for index, tool in enumerate(body.tools or ())),
        logprobs=logprobs_of(body),
        reasoning=thinking_of(body.think),
    )


def message(words: str, thoughts: str, calls: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """The field of a body that holds the message, or a piece of it."""
    told: dict[str, Any] = {"role": "assistant", "content": words}
    told |= {"thinking": thoughts} if thoughts else {}
    return {"message": told | ({"tool_calls": list(calls)} if calls else {})}


def messages_of(turns: Sequence[Turn]) -> list[Message]:
    """The messages. What a tool said goes to the call that it names, or else to the first of that function's calls
    that has no answer yet. Raises InvalidRequest."""
    messages: list[Message] = []
    open_calls: list[ToolCall] = []
    for index, turn in enumerate(turns):
        where = f"$.messages[{index}]"
        calls = tuple(
            ToolCall(one.id or f"call_{index}_{number}", one.function.name, json.dumps(one.function.arguments))
            for number, one in enumerate(turn.tool_calls or ())
        )
        open_calls += calls
        role = turn.role.lower()
        answers = turn.tool_call_id or ""
        if role == "tool":
            answers = _answered(open_calls, answers, turn.tool_name or "")
        images = pictures(turn.images, where)
        match role:
            case "system" | "user" | "assistant" | "tool":
                messages.append(Message(role, turn.content or "", images, calls, answers, turn.thinking or ""))
            case _:
                raise InvalidRequest("the role is system, user, assistant or tool", f"{where}.role")
    return messages


def _answered(open_calls: list[ToolCall], wanted: str, name: str) -> str:
    """The call that a tool's message answers, which is then not open any more; `wanted` if there is none."""
    for call in open_calls:
        if call.id == wanted if wanted else name in ("", call.name):
            open_calls.remove(call)
            return call.id
    return wanted


def _tool(tool: ToolBody, index: int) -> Tool:
    parameters = tool.function.parameters or {"type": "object", "properties": {}}
    schemas.check(parameters, f"tools[{index}]")
    return Tool(tool.function.name, tool.function.description or "", parameters)


ROUTES = (Route("POST", "/api/chat", chat, ChatBody),)
