"""Our requests in OpenAI's dialect, as other computers take them. Pure functions; they know no provider."""

import base64
from collections.abc import Iterator
from itertools import count
from typing import Any

from abierto.formats import images
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool
from abierto.tasks.complete import CompleteRequest

_SAME = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "presence_penalty", "frequency_penalty", "seed")


def chat(model: str, request: ChatRequest) -> dict[str, Any]:
    """What is sent to `/chat/completions`. Raises NotAnImage, BadImage."""
    numbers = count(1)
    made = _begun(model, request.sampling)
    made["messages"] = [_message(message, numbers) for message in request.messages]
    if request.schema is not None:
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        made["response_format"] = {"type": "json_schema", "json_schema": form}
    if request.tools:
        made["tools"] = [_tool(tool) for tool in request.tools]
        made["tool_choice"] = _choice(request.tool_choice)
        if not request.parallel_calls:
            made["parallel_tool_calls"] = False
    if request.logprobs is not None:
        made["logprobs"] = True
        made["top_logprobs"] = request.logprobs
    if request.reasoning is not None:
        made["reasoning_effort"] = "medium" if request.reasoning else "none"
    return made


def complete(model: str, request: CompleteRequest) -> dict[str, Any]:
    """What is sent to `/completions`."""
    made = _begun(model, request.sampling)
    made["prompt"] = request.prompt
    if request.schema is not None:
        form = {"name": "answer", "schema": dict(request.schema), "strict": True}
        made["response_format"] = {"type": "json_schema", "json_schema": form}
    if request.logprobs is not None:
        made["logprobs"] = request.logprobs
    return made


def _begun(model: str, sampling: Sampling) -> dict[str, Any]:
    made: dict[str, Any] = {"model": model, "stream": True, "stream_options": {"include_usage": True}}
    made |= {name: value for name in _SAME if (value := getattr(sampling, name)) is not None}
    if sampling.repeat_penalty is not None:
        # One thing under two names: of vLLM and the providers, and of llama-server and ourselves.
        made["repetition_penalty"] = made["repeat_penalty"] = sampling.repeat_penalty
    if sampling.stop:
        made["stop"] = list(sampling.stop)
    if sampling.logit_bias:
        made["logit_bias"] = {str(token): bias for token, bias in sampling.logit_bias}
    return made


def _message(message: Message, numbers: Iterator[int]) -> dict[str, Any]:
    made: dict[str, Any] = {"role": message.role, "content": _content(message, numbers)}
    if message.calls:
        made["tool_calls"] = [
            {"id": call.id, "type": "function", "function": {"name": call.name, "arguments": call.arguments}}
            for call in message.calls
        ]
        made["content"] = made["content"] or None
    if message.call_id:
        made["tool_call_id"] = message.call_id
    return made


def _content(message: Message, numbers: Iterator[int]) -> str | list[dict[str, Any]]:
    """The text, or the images as data URLs and then the text. numbers: how the next images are called in errors."""
    if not message.images:
        return message.content
    parts: list[dict[str, Any]] = []
    for image, number in zip(message.images, numbers, strict=False):
        info = images.examine(image, str(number))
        address = f"data:{info.media_type};base64,{base64.b64encode(image).decode()}"
        parts.append({"type": "image_url", "image_url": {"url": address}})
    return [*parts, {"type": "text", "text": message.content}]


def _tool(tool: Tool) -> dict[str, Any]:
    told = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
    return {"type": "function", "function": told}


def _choice(choice: str) -> str | dict[str, Any]:
    if choice in ("auto", "none", "required"):
        return choice
    return {"type": "function", "function": {"name": choice}}
