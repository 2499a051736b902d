"""A request in llama-server's HTTP dialect: pure functions. It does not know what the server can."""

import base64
from collections.abc import Iterator
from itertools import count
from typing import Any

from abierto.engines._llama_client import NAME
from abierto.errors import ImageFormatUnread
from abierto.formats import images
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool, ToolCall
from abierto.tasks.complete import CompleteRequest

# What its decoder, stb_image, reads of the formats that we know. A file that it does not read it would hand on to
# ffmpeg, where that is installed, and there anything might be read as a film.
READABLE = ("png", "jpeg", "gif", "bmp")
# Tokens among which those that were said are counted: without it the last 64. It takes four bytes for each.
PENALTY_WINDOW = 65_536
_NUMBERS = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "presence_penalty", "frequency_penalty", "seed")


def chat_body(request: ChatRequest) -> dict[str, Any]:
    """What is sent to /v1/chat/completions. Raises NotAnImage, BadImage, ImageFormatUnread."""
    sampling = request.sampling
    made = {**conversation(request), **_sampling(sampling)}
    if sampling.max_tokens is not None:
        made["max_tokens"] = sampling.max_tokens
    if request.schema is not None:
        made["json_schema"] = dict(request.schema)
    if request.logprobs is not None:
        made["logprobs"] = True
        made["top_logprobs"] = max(request.logprobs, 1)  # 0 would be none at all
    made["stream_options"] = {"include_usage": True}
    if sampling.stop:
        made["verbose"] = True  # only then it tells which one ended the answer
    return made


def conversation(request: ChatRequest) -> dict[str, Any]:
    """The part of the body of which the prompt is made. Raises as `chat_body`."""
    names = {call.id: call.name for message in request.messages for call in message.calls}
    numbers = count(1)
    made: dict[str, Any] = {"messages": [_turn(message, names, numbers) for message in request.messages]}
    if tools := offered(request):
        made["tools"] = [_tool(tool) for tool in tools]
        made["tool_choice"] = "auto" if request.tool_choice == "auto" else "required"
        if not request.parallel_calls or request.tool_choice not in ("auto", "required"):
            made["parallel_tool_calls"] = False
    if request.reasoning is not None:
        made["chat_template_kwargs"] = {"enable_thinking": request.reasoning}
    return made


def offered(request: ChatRequest) -> tuple[Tool, ...]:
    """The tools that the model may ask for: of `tool_choice` by name only that one."""
    if request.tool_choice == "none":
        return ()
    if request.tool_choice in ("auto", "required"):
        return request.tools
    return tuple(tool for tool in request.tools if tool.name == request.tool_choice)


def complete_body(request: CompleteRequest) -> dict[str, Any]:
    """What is sent to /completion."""
    sampling = request.sampling
    made = {"prompt": request.prompt, **_sampling(sampling)}
    if sampling.max_tokens is not None:
        made["n_predict"] = sampling.max_tokens
    if request.schema is not None:
        made["json_schema"] = dict(request.schema)
    if request.logprobs is not None:
        made["n_probs"] = max(request.logprobs, 1)  # 0 would be none at all
    return made


def _sampling(sampling: Sampling) -> dict[str, Any]:
    made: dict[str, Any] = {name: value for name in _NUMBERS if (value := getattr(sampling, name)) is not None}
    if sampling.stop:
        made["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        made["logit_bias"] = [[token, bias] for token, bias in sampling.logit_bias]
    if sampling.presence_penalty or sampling.frequency_penalty:
        made["repeat_last_n"] = PENALTY_WINDOW
    made["stream"] = made["return_progress"] = True
    # Numbers come out a little different when a part of the prompt was read earlier, and so might a seeded answer.
    made["cache_prompt"] = sampling.seed is None
    return made


def _turn(message: Message, names: dict[str, str], numbers: Iterator[int]) -> dict[str, Any]:
    """One message. names: of the tools that were called, by the ids of the calls. numbers: of the next images."""
    turn: dict[str, Any] = {"role": message.role, "content": _content(message, numbers)}
    if message.calls:
        turn["tool_calls"] = [_call(call) for call in message.calls]
    if message.reasoning:
        turn["reasoning_content"] = message.reasoning
    if message.role == "tool":
        turn |= {"tool_call_id": message.call_id, "name": names.get(message.call_id, "")}
    return turn


def _tool(tool: Tool) -> dict[str, Any]:
    described = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": described}


def _call(call: ToolCall) -> dict[str, Any]:
    return {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}


def _content(message: Message, numbers: Iterator[int]) -> str | list[dict[str, Any]]:
    """The text, or the images and then the text. numbers: how the next images are called in errors."""
    if not message.images:
        return message.content
    parts: list[dict[str, Any]] = []
    for image, number in zip(message.images, numbers, strict=False):
        info = images.examine(image, str(number))
        if info.format not in READABLE:
            raise ImageFormatUnread(str(number), info.format, NAME, READABLE)
        address = f"data:{info.media_type};base64,{base64.b64encode(image).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": address}})
    return [*parts, {"type": "text", "text": message.content}]
