"""The forms of the body of OpenAI's /v1/chat/completions, and what of them is /v1/completions' too.

Fields that are not listed are passed over, as OpenAI's own server does with most.
"""

from typing import Any, Literal

from msgspec import Struct


class TextPart(Struct, tag="text"):
    """Text."""

    text: str


class RefusalPart(Struct, tag="refusal"):
    """What the assistant refused, in an earlier turn."""

    refusal: str


class ImageUrl(Struct):
    """Where the picture is: a data URL."""

    url: str


class ImagePart(Struct, tag="image_url"):
    """A picture."""

    image_url: ImageUrl


class AudioPart(Struct, tag="input_audio"):
    """Sound, which no chat model here hears yet."""


class FilePart(Struct, tag="file"):
    """A file, which no chat model here reads."""


Part = TextPart | RefusalPart | ImagePart | AudioPart | FilePart


class FunctionCall(Struct):
    """What was called."""

    name: str
    arguments: str = "{}"


class Call(Struct):
    """A call that the assistant made."""

    function: FunctionCall
    id: str = ""


class Turn(Struct):
    """One message."""

    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: str | list[Part] | None = None
    tool_calls: list[Call] | None = None
    tool_call_id: str | None = None
    refusal: str | None = None
    reasoning_content: str | None = None
    name: str | None = None
    function_call: FunctionCall | None = None
    audio: dict[str, Any] | None = None


class Function(Struct):
    """What may be called."""

    name: str
    description: str | None = None
    parameters: dict[str, Any] | None = None


class ToolBody(Struct):
    """A tool; the only kind is a function."""

    type: Literal["function"] = "function"
    function: Function | None = None


class Named(Struct):
    """The name of a function."""

    name: str


class ToolChoice(Struct, tag="function"):
    """The one function that must be called."""

    function: Named


class Allowed(Struct):
    """One of the functions that may be called."""

    function: Named


class AllowedTools(Struct):
    """Those of the functions that may be called now, or of which one must be called."""

    mode: Literal["auto", "required"]
    tools: list[Allowed]


class AllowedToolChoice(Struct, tag="allowed_tools"):
    """Only some of the tools."""

    allowed_tools: AllowedTools


class JsonSchema(Struct):
    """A schema that the answer must follow."""

    name: str = ""
    schema: dict[str, Any] | None = None


class ResponseFormat(Struct):
    """The form of the answer."""

    type: Literal["text", "json_object", "json_schema"]
    json_schema: JsonSchema | None = None


class StreamOptions(Struct):
    """What a stream tells beside the answer."""

    include_usage: bool | None = False
    include_obfuscation: bool | None = False


class SamplingBody(Struct):
    """What the bodies of chat and completions have in common. The last lines are ours, under llama-server's names."""

    model: str = ""
    stream: bool | None = False
    stream_options: StreamOptions | None = None
    n: int | None = 1
    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: str | list[str] | None = None
    logit_bias: dict[str, float] | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    keep_alive: float | None = None


class ChatBody(SamplingBody, kw_only=True):
    """The body."""

    messages: list[Turn]
    max_completion_tokens: int | None = None
    tools: list[ToolBody] | None = None
    tool_choice: Literal["none", "auto", "required"] | ToolChoice | AllowedToolChoice | None = None
    parallel_tool_calls: bool | None = True
    response_format: ResponseFormat | None = None
    logprobs: bool | None = False
    top_logprobs: int | None = None
    reasoning_effort: str | None = None
    modalities: list[str] | None = None
    audio: dict[str, Any] | None = None
    web_search_options: dict[str, Any] | None = None
    moderation: dict[str, Any] | None = None
    functions: list[Any] | None = None
    function_call: str | dict[str, Any] | None = None
    verbosity: Literal["low", "medium", "high"] | None = None
