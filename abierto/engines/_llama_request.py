"""A request in llama-server's HTTP dialect: pure functions. It does not know whether the server sees."""

import base64
from collections.abc import Iterator
from itertools import count
from typing import Any

from abierto.engines._llama_client import NAME
from abierto.errors import ImageFormatUnread
from abierto.formats import images
from abierto.tasks.chat import ChatRequest, Message

# What its decoder, stb_image, reads of the formats that we know. A file that it does not read it would hand on to
# ffmpeg, where that is installed, and there anything might be read as a film.
READABLE = ("png", "jpeg", "gif", "bmp")


def body(request: ChatRequest) -> dict[str, Any]:
    """What is sent to /v1/chat/completions. Raises NotAnImage, BadImage, ImageFormatUnread."""
    sampling = request.sampling
    names = ("max_tokens", "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "seed")
    made: dict[str, Any] = {name: value for name in names if (value := getattr(sampling, name)) is not None}
    if sampling.stop:
        made["stop"] = list(sampling.stop)
    if request.schema is not None:
        made["json_schema"] = dict(request.schema)
    numbers = count(1)
    made["messages"] = [{"role": one.role, "content": _content(one, numbers)} for one in request.messages]
    made["stream"] = made["return_progress"] = True
    made["stream_options"] = {"include_usage": True}
    # Numbers come out a little different when a part of the prompt was read earlier, and so might a seeded answer.
    made["cache_prompt"] = sampling.seed is None
    return made


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
