"""The bodies of Anthropic's /v1/messages and its count_tokens, and what they ask for in our terms. Pure functions.

Fields that are not listed are passed over: those that only concern who pays or what is cached (`metadata`,
`service_tier`, `cache_control`, `speed`), hints that no local model follows (`effort`, `budget_tokens`), and
`context_management`, since the whole conversation is read. What would change the answer and nobody here can do is
refused.
"""

from collections.abc import Mapping
from typing import Any, Literal

from msgspec import Struct

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.runtime import schema as schemas
from abierto.server.anthropic.turns import Block, TextBlock, Turn, messages_of, words_of
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool

MOST_STOPS = 64


class ToolBody(Struct):
    """A tool. type: None or `custom` for one that the client runs itself; any other is run by Anthropic's servers."""

    name: str = ""
    type: str | None = None
    description: str | None = None
    input_schema: dict[str, Any] | None = None


class ToolChoice(Struct):
    """Which tool must be called."""

    type: Literal["auto", "any", "tool", "none"]
    name: str | None = None
    disable_parallel_tool_use: bool | None = False


class Thinking(Struct):
    """Whether to think before the answer. display: `omitted` for not telling what was thought."""

    type: Literal["enabled", "disabled", "adaptive", "between_tools"]
    display: str | None = None


class Format(Struct):
    """The form of the answer."""

    type: Literal["json_schema"]
    schema: dict[str, Any]


class OutputConfig(Struct):
    """How the answer shall be."""

    format: Format | None = None


class CountBody(Struct, kw_only=True):
    """The body of /v1/messages/count_tokens: a conversation."""

    model: str
    messages: list[Turn]
    system: str | list[TextBlock] | None = None
    tools: list[ToolBody] | None = None
    tool_choice: ToolChoice | None = None
    thinking: Thinking | None = None
    output_config: OutputConfig | None = None
    output_format: Format | None = None
    mcp_servers: list[Any] | None = None
    container: Any = None
    thread: Any = None


class MessagesBody(CountBody, kw_only=True):
    """The body of /v1/messages: a conversation, and how to go on with it."""

    max_tokens: int
    stream: bool | None = False
    stop_sequences: list[str] | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None


def parse(body: MessagesBody) -> ChatRequest:
    """The request. Raises InvalidRequest, InvalidSchema, OptionOutOfRange."""
    if body.messages and body.messages[-1].role == "assistant":
        raise InvalidRequest(
            "no model here goes on with the middle of an answer: the last message must be the user's",
            f"$.messages[{len(body.messages) - 1}].role",
        )
    return conversation(body, _sampling(body))


def conversation(body: CountBody, sampling: Sampling | None = None) -> ChatRequest:
    """What the model is to read. Raises InvalidRequest, InvalidSchema."""
    for name in ("mcp_servers", "container", "thread"):
        if getattr(body, name):
            raise InvalidRequest(f"`{name}` is on Anthropic's servers only", f"$.{name}")
    if not body.messages:
        raise InvalidRequest("at least one message is needed", "$.messages")
    tools = tuple(_tool(tool, index) for index, tool in enumerate(body.tools or ()))
    choice = body.tool_choice
    return ChatRequest(
        messages=(*_system(body.system), *messages_of(body.messages)),
        sampling=sampling or Sampling(),
        schema=_schema(body),
        tools=tools,
        tool_choice=_choice(choice, tools),
        parallel_calls=not (choice and choice.disable_parallel_tool_use),
        reasoning=_reasoning(body.thinking),
    )


def _sampling(body: MessagesBody) -> Sampling:
    stops = body.stop_sequences or []
    if len(stops) > MOST_STOPS:
        raise OptionOutOfRange("stop_sequences", len(stops), 0, MOST_STOPS)
    if "" in stops:
        raise InvalidRequest("nothing cannot be found in an answer", f"$.stop_sequences[{stops.index('')}]")
    return Sampling(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        stop=tuple(stops),
    )


def _system(system: str | list[TextBlock] | None) -> tuple[Message, ...]:
    blocks: list[Block] = list(system) if isinstance(system, list) else []
    words = system if isinstance(system, str) else words_of(blocks)
    return (Message("system", words),) if words else ()


def _reasoning(thinking: Thinking | None) -> bool | None:
    """Who has not asked for thoughts gets none, since a client takes the first block of the answer for its text."""
    match thinking.type if thinking else "disabled":
        case "enabled":
            return True
        case "adaptive":
            return None
        case _:
            return False


def _schema(body: CountBody) -> Mapping[str, Any] | None:
    wanted, where = body.output_format, "output_format"
    if body.output_config and body.output_config.format:
        wanted, where = body.output_config.format, "output_config.format"
    if wanted is None:
        return None
    schemas.check(wanted.schema, where)
    return wanted.schema


def _tool(tool: ToolBody, index: int) -> Tool:
    where = f"$.tools[{index}]"
    if tool.type not in (None, "custom"):
        raise InvalidRequest(
            f"`{tool.type}` is a tool of Anthropic's servers; only your own work here", f"{where}.type"
        )
    if not tool.name:
        raise InvalidRequest("a name is needed", f"{where}.name")
    if tool.input_schema is None:
        raise InvalidRequest("a schema is needed", f"{where}.input_schema")
    schemas.check(tool.input_schema, f"tools[{index}]")
    return Tool(tool.name, tool.description or "", tool.input_schema)


def _choice(wanted: ToolChoice | None, tools: tuple[Tool, ...]) -> str:
    match wanted.type if wanted else "auto":
        case "any":
            if not tools:
                raise InvalidRequest("`any` needs tools", "$.tool_choice")
            return "required"
        case "tool":
            name = (wanted and wanted.name) or ""
            if name not in [tool.name for tool in tools]:
                raise InvalidRequest("there is no tool of this name", "$.tool_choice.name")
            return name
        case other:
            return other
