"""The body of OpenAI's /v1/responses, and what it asks for in our terms. Pure functions.

Fields that are not listed are passed over; those that would change the answer and that nobody here can fulfil, such as
tools that OpenAI runs on its own computers, are refused.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from msgspec import Struct, field

from abierto.errors import InvalidRequest
from abierto.runtime import schema as schemas
from abierto.server.openai.responses_items import Item, messages_of
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool

LOGPROBS = "message.output_text.logprobs"
# What is told anyway. Reasoning is told in the open; so there is nothing to encrypt for who keeps no responses.
TOLD_ANYWAY = ("message.input_image.image_url", "reasoning.encrypted_content")
MOST_METADATA, LONGEST_KEY, LONGEST_VALUE = 16, 64, 512


class ToolBody(Struct):
    """A tool, flat: the only kind that is run by who asks is a function."""

    type: str
    name: str = ""
    description: str | None = None
    parameters: dict[str, Any] | None = None
    strict: bool | None = None


class Allowed(Struct):
    """A tool that may be called, by name."""

    type: str
    name: str = ""


class ToolChoice(Struct):
    """The one function that must be called, or those that may be."""

    type: str
    name: str = ""
    mode: Literal["auto", "required"] = "auto"
    tools: list[Allowed] = field(default_factory=list)


class Format(Struct):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"] = "text"
    name: str | None = None
    schema: dict[str, Any] | None = None
    description: str | None = None
    strict: bool | None = None


class TextBody(Struct):
    """How the answer is written."""

    format: Format | None = None
    verbosity: Literal["low", "medium", "high"] | None = None


class ReasoningBody(Struct):
    """Whether the model thinks first."""

    effort: Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"] | None = None
    summary: Literal["auto", "concise", "detailed"] | None = None
    generate_summary: Literal["auto", "concise", "detailed"] | None = None


class CountBody(Struct, kw_only=True):
    """What makes the prompt: the body of /v1/responses/input_tokens, and a part of that of /v1/responses."""

    model: str | None = None
    input: str | list[dict[str, Any]] | None = None
    instructions: str | None = None
    previous_response_id: str | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | None = None
    parallel_tool_calls: bool | None = None
    text: TextBody | None = None
    reasoning: ReasoningBody | None = None
    truncation: Literal["auto", "disabled"] | None = None
    conversation: Any = None
    prompt: Any = None


class ResponsesBody(CountBody, kw_only=True):
    """The body. The last line is ours, under llama-server's names."""

    stream: bool | None = None
    background: bool | None = None
    store: bool | None = None
    include: list[str] | None = None
    max_output_tokens: int | None = None
    max_tool_calls: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_logprobs: int | None = None
    metadata: dict[str, str] | None = None
    context_management: Any = None
    moderation: Any = None
    user: str | None = None
    safety_identifier: str | None = None
    prompt_cache_key: str | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    keep_alive: float | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """What is known of a response before its answer.

    created: seconds since 1970. echo: what is told again of the request. items: the whole conversation before the
    answer. size: bytes of the items, roughly.
    """

    name: str
    created: int
    echo: Mapping[str, Any]
    items: tuple[Item, ...]
    background: bool = False
    size: int = 0


def request_of(body: CountBody, items: Sequence[Item]) -> ChatRequest:
    """The request. items: the whole conversation. Raises InvalidRequest, InvalidSchema, OptionOutOfRange."""
    _refuse(body)
    if not items:
        raise InvalidRequest("at least one item is needed", "$.input")
    instructions = [Message("system", body.instructions)] if body.instructions else []
    tools, choice = _chosen(body.tool_choice, [_tool(tool, index) for index, tool in enumerate(body.tools or ())])
    effort = body.reasoning.effort if body.reasoning else None
    return ChatRequest(
        messages=(*instructions, *messages_of(items)),
        sampling=_sampling(body) if isinstance(body, ResponsesBody) else Sampling(),
        schema=_schema(body.text.format if body.text else None),
        tools=tuple(tools),
        tool_choice=choice,
        parallel_calls=body.parallel_tool_calls is not False,
        logprobs=_logprobs(body) if isinstance(body, ResponsesBody) else None,
        reasoning=None if effort is None else effort != "none",
    )


def echo(body: ResponsesBody) -> dict[str, Any]:
    """What a response tells again of its request."""
    form = {"type": "text"} if body.text is None or body.text.format is None else _told(body.text.format)
    effort = body.reasoning.effort if body.reasoning else None
    return {
        "instructions": body.instructions,
        "metadata": body.metadata or {},
        "parallel_tool_calls": body.parallel_tool_calls is not False,
        "temperature": body.temperature,
        "tool_choice": _told(body.tool_choice)
        if isinstance(body.tool_choice, ToolChoice)
        else body.tool_choice or "auto",
        "tools": [_told(tool) | {"strict": tool.strict, "parameters": tool.parameters} for tool in body.tools or ()],
        "top_p": body.top_p,
        "background": bool(body.background),
        "max_output_tokens": body.max_output_tokens,
        "max_tool_calls": body.max_tool_calls,
        "previous_response_id": body.previous_response_id,
        "prompt_cache_key": body.prompt_cache_key,
        "reasoning": {"effort": effort, "summary": None},
        "safety_identifier": body.safety_identifier,
        "service_tier": "default",
        "store": body.store is not False,
        "text": {"format": form, "verbosity": "medium"},
        "top_logprobs": body.top_logprobs or 0,
        "truncation": "disabled",
        "user": body.user,
    }


def _told(given: Format | ToolBody | ToolChoice) -> dict[str, Any]:
    """The fields that were given, as they were given."""
    if isinstance(given, ToolChoice):
        allowed = [{"type": tool.type, "name": tool.name} for tool in given.tools]
        rest: dict[str, Any] = {"mode": given.mode, "tools": allowed}
        return {"type": given.type, **({"name": given.name} if given.name else rest)}
    named = ((name, getattr(given, name)) for name in given.__struct_fields__)
    return {name: value for name, value in named if value is not None}


def _refuse(body: CountBody) -> None:
    """Raise InvalidRequest for what is not here."""
    reasoning = body.reasoning or ReasoningBody()
    verbosity = body.text.verbosity if body.text else None
    refused = {
        "conversation": (body.conversation, "conversations are not kept here; use `previous_response_id`"),
        "prompt": (body.prompt, "prompts are not kept here"),
        "truncation": (body.truncation == "auto", "nothing is cut here; shorten the input"),
        "text.verbosity": (verbosity in ("low", "high"), "no model here can be told to be brief or long in this way"),
        "reasoning.summary": (
            {reasoning.summary, reasoning.generate_summary} - {None, "auto"},
            "reasoning is told whole, not summed up",
        ),
    }
    if isinstance(body, ResponsesBody):
        refused |= {
            "context_management": (body.context_management, "nothing is cut or summed up here"),
            "moderation": (body.moderation, "there is no moderation here"),
            "background": (body.background and body.store is False, "`background` needs `store`"),
        }
        _check_metadata(body.metadata or {})
    for name, (given, why) in refused.items():
        if given:
            raise InvalidRequest(why, f"$.{name}")


def _check_metadata(given: Mapping[str, str]) -> None:
    """Raise InvalidRequest for more than OpenAI takes."""
    if len(given) > MOST_METADATA:
        raise InvalidRequest(f"at most {MOST_METADATA} pairs are kept", "$.metadata")
    if any(len(key) > LONGEST_KEY or len(value) > LONGEST_VALUE for key, value in given.items()):
        raise InvalidRequest(f"a key has at most {LONGEST_KEY} characters, a value {LONGEST_VALUE}", "$.metadata")


def _sampling(body: ResponsesBody) -> Sampling:
    return Sampling(
        max_tokens=body.max_output_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        min_p=body.min_p,
        repeat_penalty=body.repeat_penalty,
        # A client may send any number; the engines take 32 bits.
        seed=None if body.seed is None else body.seed % (2**32 - 1),
    )


def _logprobs(body: ResponsesBody) -> int | None:
    for index, name in enumerate(body.include or ()):
        if name not in (LOGPROBS, *TOLD_ANYWAY):
            raise InvalidRequest("this belongs to a tool that is not here", f"$.include[{index}]")
    return (body.top_logprobs or 0) if LOGPROBS in (body.include or ()) or body.top_logprobs else None


def _schema(wanted: Format | None) -> Mapping[str, Any] | None:
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    if wanted.schema is None or not wanted.name:
        raise InvalidRequest("a schema and its name are needed", "$.text.format")
    schemas.check(wanted.schema, "text.format")
    return wanted.schema


def _tool(tool: ToolBody, index: int) -> Tool:
    if tool.type != "function":
        raise InvalidRequest("there is no such tool here; only functions, which you run", f"$.tools[{index}].type")
    if not tool.name:
        raise InvalidRequest("a name is needed", f"$.tools[{index}].name")
    parameters = tool.parameters or {"type": "object", "properties": {}}
    schemas.check(parameters, f"tools[{index}]")
    return Tool(tool.name, tool.description or "", parameters)


def _chosen(wanted: str | ToolChoice | None, tools: list[Tool]) -> tuple[list[Tool], str]:
    """The tools that the model is told of, and the choice among them."""
    choice = wanted or "auto"
    if isinstance(choice, ToolChoice):
        if choice.type not in ("function", "allowed_tools"):
            raise InvalidRequest("there is no such tool here", "$.tool_choice.type")
        named = [choice.name] if choice.type == "function" else [tool.name for tool in choice.tools]
        if not named or not set(named) <= {tool.name for tool in tools}:
            raise InvalidRequest("there is no tool of this name", "$.tool_choice")
        if choice.type == "function":
            return tools, choice.name
        tools, choice = [tool for tool in tools if tool.name in named], choice.mode
    if choice == "required" and not tools:
        raise InvalidRequest("`required` needs tools", "$.tool_choice")
    return tools, choice
