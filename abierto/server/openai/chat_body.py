"""What the body of OpenAI's /v1/chat/completions asks for, in our terms. Pure functions.

What would change the answer and nobody here can fulfil is refused.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.runtime import schema as schemas
from abierto.server.media import from_data_url
from abierto.server.openai.chat_forms import (
    AllowedToolChoice,
    ChatBody,
    ImagePart,
    Part,
    RefusalPart,
    ResponseFormat,
    SamplingBody,
    TextPart,
    ToolBody,
    ToolChoice,
    Turn,
)
from abierto.tasks.chat import ChatRequest, Message, Role, Sampling, Tool, ToolCall

MOST_ANSWERS = 16  # `n`: of one request at once
MOST_STOPS = 16
MOST_TOOLS = 128
_CHOICES = ("none", "auto", "required")
# What would change the answer and what nobody here can do, with the reason.
_REFUSED = {
    "audio": "no model here answers with sound",
    "web_search_options": "nothing is looked up in the web here",
    "moderation": "no answer is judged by another model here",
    "functions": "`functions` have been replaced by `tools`",
    "function_call": "`function_call` has been replaced by `tool_choice`",
}


def parse(body: ChatBody) -> tuple[ChatRequest, ...]:
    """The requests: one for each of the `n` answers. Raises InvalidRequest, InvalidSchema, OptionOutOfRange."""
    if not body.messages:
        raise InvalidRequest("at least one message is needed", "$.messages")
    check_stream(body)
    _check_answerable(body)
    if body.top_logprobs is not None and not body.logprobs:
        raise InvalidRequest("`top_logprobs` needs `logprobs`", "$.top_logprobs")
    sampling = sampling_of(body)
    if body.max_completion_tokens is not None:
        sampling = replace(sampling, max_tokens=body.max_completion_tokens)
    if len(body.tools or ()) > MOST_TOOLS:
        raise OptionOutOfRange("tools", len(body.tools or ()), 0, MOST_TOOLS)
    tools = tuple(_tool(tool, index) for index, tool in enumerate(body.tools or ()))
    tools, tool_choice = _choice(body.tool_choice, tools)
    request = ChatRequest(
        messages=tuple(_message(turn, index) for index, turn in enumerate(body.messages)),
        sampling=sampling,
        schema=schema_of(body.response_format),
        tools=tools,
        tool_choice=tool_choice,
        parallel_calls=body.parallel_tool_calls is not False,
        logprobs=(body.top_logprobs or 0) if body.logprobs else None,
        reasoning=None if body.reasoning_effort is None else body.reasoning_effort != "none",
    )
    return tuple(replace(request, sampling=one) for one in answers_of(body, sampling))


def check_stream(body: SamplingBody) -> None:
    """Raise InvalidRequest for a stream of another form than there is."""
    if body.stream_options and body.stream_options.include_obfuscation:
        raise InvalidRequest("streams are not obfuscated here", "$.stream_options.include_obfuscation")


def sampling_of(body: SamplingBody) -> Sampling:
    """How tokens are chosen. Raises OptionOutOfRange, InvalidRequest."""
    stops = [body.stop] if isinstance(body.stop, str) else body.stop or []
    if len(stops) > MOST_STOPS:
        raise OptionOutOfRange("stop", len(stops), 0, MOST_STOPS)
    return Sampling(
        max_tokens=body.max_tokens,
        temperature=body.temperature,
        top_p=body.top_p,
        top_k=body.top_k,
        min_p=body.min_p,
        repeat_penalty=body.repeat_penalty,
        presence_penalty=body.presence_penalty,
        frequency_penalty=body.frequency_penalty,
        # A client may send any number; the engines take 32 bits.
        seed=None if body.seed is None else body.seed % (2**32 - 1),
        stop=tuple(stop for stop in stops if stop),
        logit_bias=tuple(_bias(body.logit_bias or {})),
    )


def answers_of(body: SamplingBody, sampling: Sampling) -> list[Sampling]:
    """The sampling of each of the `n` answers: with a seed, each has one of its own. Raises OptionOutOfRange."""
    answers = 1 if body.n is None else body.n
    if not 1 <= answers <= MOST_ANSWERS:
        raise OptionOutOfRange("n", answers, 1, MOST_ANSWERS)
    if sampling.seed is None:
        return [sampling] * answers
    return [replace(sampling, seed=(sampling.seed + index) % (2**32 - 1)) for index in range(answers)]


def schema_of(wanted: ResponseFormat | None) -> Mapping[str, Any] | None:
    """The schema that the answer must follow. Raises InvalidSchema, InvalidRequest."""
    if wanted is None or wanted.type == "text":
        return None
    if wanted.type == "json_object":
        return {"type": "object"}
    if wanted.json_schema is None or wanted.json_schema.schema is None:
        raise InvalidRequest("a schema is needed", "$.response_format.json_schema.schema")
    schemas.check(wanted.json_schema.schema, "response_format")
    return wanted.json_schema.schema


def _bias(given: Mapping[str, float]) -> list[tuple[int, float]]:
    try:
        return [(int(token), value) for token, value in given.items()]
    except ValueError as error:
        raise InvalidRequest("the keys are numbers of tokens", "$.logit_bias") from error


def _check_answerable(body: ChatBody) -> None:
    for name, reason in _REFUSED.items():
        if getattr(body, name):
            raise InvalidRequest(reason, f"$.{name}")
    if "audio" in (body.modalities or ()):
        raise InvalidRequest(_REFUSED["audio"], "$.modalities")
    if body.verbosity in ("low", "high"):
        raise InvalidRequest("no model here has been taught how verbose to be", "$.verbosity")


def _message(turn: Turn, index: int) -> Message:
    where = f"$.messages[{index}]"
    roles: dict[str, Role] = {"developer": "system", "function": "tool"}
    role: Role = roles.get(turn.role, turn.role)  # type: ignore[arg-type]
    words, images = _content(turn.content, where)
    if turn.content is None and turn.role not in ("assistant", "tool", "function"):
        raise InvalidRequest("only an assistant may say nothing", f"{where}.content")
    if turn.audio:
        raise InvalidRequest("what was said is needed as text", f"{where}.audio")
    call_id = turn.tool_call_id or ""
    if turn.role == "function":  # before calls had numbers, their names told them apart
        call_id = _named_call(turn.name or "")
    return Message(role, words or turn.refusal or "", images, _calls(turn), call_id, turn.reasoning_content or "")


def _calls(turn: Turn) -> tuple[ToolCall, ...]:
    calls = [
        ToolCall(call.id or f"call_{number}", call.function.name, call.function.arguments)
        for number, call in enumerate(turn.tool_calls or ())
    ]
    if called := turn.function_call:
        calls.append(ToolCall(_named_call(called.name), called.name, called.arguments))
    return tuple(calls)


def _named_call(name: str) -> str:
    return f"call_{name}"


def _content(content: str | list[Part] | None, where: str) -> tuple[str, tuple[bytes, ...]]:
    if content is None or isinstance(content, str):
        return content or "", ()
    words: list[str] = []
    images: list[bytes] = []
    for number, part in enumerate(content):
        match part:
            case TextPart():
                words.append(part.text)
            case RefusalPart():
                words.append(part.refusal)
            case ImagePart():
                images.append(from_data_url(part.image_url.url, f"{where}.content[{number}].image_url.url"))
            case _:
                raise InvalidRequest("no chat model here takes this kind of part", f"{where}.content[{number}].type")
    return "\n".join(words), tuple(images)


def _tool(tool: ToolBody, index: int) -> Tool:
    if tool.function is None:
        raise InvalidRequest("a function is needed", f"$.tools[{index}].function")
    if tool.function.name in ("", *_CHOICES):
        raise InvalidRequest("this cannot be the name of a tool", f"$.tools[{index}].function.name")
    parameters = tool.function.parameters or {"type": "object", "properties": {}}
    schemas.check(parameters, f"tools[{index}]")
    return Tool(tool.function.name, tool.function.description or "", parameters)


def _choice(
    wanted: str | ToolChoice | AllowedToolChoice | None, tools: tuple[Tool, ...]
) -> tuple[tuple[Tool, ...], str]:
    """The tools that may be called now, and the choice among them."""
    known = {tool.name for tool in tools}
    if isinstance(wanted, ToolChoice):
        if wanted.function.name not in known:
            raise InvalidRequest("there is no tool of this name", "$.tool_choice.function.name")
        return tools, wanted.function.name
    if isinstance(wanted, AllowedToolChoice):
        names = [allowed.function.name for allowed in wanted.allowed_tools.tools]
        for index, name in enumerate(names):
            if name not in known:
                where = f"$.tool_choice.allowed_tools.tools[{index}].function.name"
                raise InvalidRequest("there is no tool of this name", where)
        tools, wanted = tuple(tool for tool in tools if tool.name in names), wanted.allowed_tools.mode
    if wanted == "required" and not tools:
        raise InvalidRequest("`required` needs tools", "$.tool_choice")
    return tools, wanted or "auto"
