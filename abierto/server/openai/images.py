"""OpenAI's /v1/images/generations: words become images, as PNG files in base64; with `stream` also what is seen before.

Form: https://platform.openai.com/docs/api-reference/images. Pure functions. Ours beside it: `negative_prompt`, `seed`,
`num_inference_steps`, `guidance_scale`, any size that the model draws, and `partial_images` for every step.
"""

import re
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.server.exchange import EVENT_STREAM, Call, Facts, Job, Route, sse
from abierto.tasks.draw import RANGES, DrawRequest
from abierto.tasks.events import Event, Image, ImagePreview, Progress, Usage

_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
# What would change the answer and what nobody here can do: the values that change nothing, and the reason.
_REFUSED: dict[str, tuple[tuple[Any, ...], str]] = {
    "quality": (("auto", "standard"), "more steps make an image finer: `num_inference_steps`"),
    "style": ((), "say in the prompt how it shall look"),
    "background": (("auto", "opaque"), "the models here draw no transparency"),
    "output_format": (("png",), "images are PNG files here"),
    "output_compression": ((100,), "PNG files lose nothing"),
}
_SAID = {"background": "opaque", "output_format": "png", "quality": "auto"}


class ImagesBody(Struct, kw_only=True):
    """The body."""

    prompt: str
    model: str = ""
    n: int | None = 1
    size: str | None = "auto"
    quality: str | None = "auto"
    style: str | None = None
    background: str | None = "auto"
    response_format: str | None = "b64_json"
    output_format: str | None = "png"
    output_compression: int | None = 100
    moderation: str | None = "auto"
    stream: bool | None = False
    partial_images: int | None = 0
    user: str | None = None
    negative_prompt: str = ""
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    seed: int | None = None
    keep_alive: float | None = None


def generations(call: Call) -> Job:
    """The job that a body asks for. Raises InvalidRequest, OptionOutOfRange, EmptyPrompt."""
    body: ImagesBody = call.body
    request = parse(body)
    stream = ImageStream(body.partial_images or 0, request.num_images_per_prompt) if body.stream else None
    as_url = body.response_format == "url"
    return Job(
        body.model,
        (request,),
        lambda answers, facts: whole(answers[0], facts, as_url=as_url),
        stream,
        body.keep_alive,
    )


def parse(body: ImagesBody) -> DrawRequest:
    """The request. Raises InvalidRequest, OptionOutOfRange, EmptyPrompt."""
    for name, (able, reason) in _REFUSED.items():
        if getattr(body, name) not in (None, *able):
            raise InvalidRequest(reason, f"$.{name}")
    if body.response_format not in (None, "b64_json", "url"):
        raise InvalidRequest("`b64_json` or `url` is needed", "$.response_format")
    most = int(RANGES["num_inference_steps"][1])
    if not 0 <= (body.partial_images or 0) <= most:
        raise OptionOutOfRange("partial_images", body.partial_images or 0, 0, most)
    width, height = _size(body.size)
    return DrawRequest(
        body.prompt,
        body.negative_prompt,
        width=width,
        height=height,
        num_inference_steps=body.num_inference_steps,
        guidance_scale=body.guidance_scale,
        num_images_per_prompt=1 if body.n is None else body.n,
        seed=body.seed,
        previews=bool(body.stream and body.partial_images),
    )


def whole(events: Sequence[Event], facts: Facts, *, as_url: bool = False) -> Any:
    """The body of the answer. as_url: each image as an address that holds it; nothing is kept here to be fetched."""
    images = [event for event in events if isinstance(event, Image)]
    place = "url" if as_url else "b64_json"
    before = "data:image/png;base64," if as_url else ""
    data = [{place: before + image.png, "seed": image.seed} for image in images]
    usage = usage_of([event for event in events if isinstance(event, Usage)])
    return {"created": facts.created, "data": data, "size": _told(images[0]) if images else None, **_SAID} | usage


class ImageStream:
    """See `exchange.Stream`. partial: how many previews of each image, spread over its steps. images: how many."""

    media_type = EVENT_STREAM

    def __init__(self, partial: int, images: int) -> None:
        self._partial, self._images = partial, images
        self._created = 0
        self._step = self._steps = 0
        self._sent: dict[int, int] = {}
        self._waiting: list[Image] = []

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        self._created = facts.created
        return b""

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`. The last image waits for what all cost together."""
        match event:
            case Progress():
                self._steps = event.total // self._images
                self._step = (event.done - 1) % self._steps + 1
            case ImagePreview() if self._is_due(event):
                number = self._sent.get(event.index, 0)
                self._sent[event.index] = number + 1
                body = {"b64_json": event.png, "partial_image_index": number, "index": event.index}
                return self._written("image_generation.partial_image", body)
            case Image():
                before, self._waiting = self._waiting, [event]
                return b"".join(self._completed(image, Usage(0, 0)) for image in before)
            case Usage():
                return b"".join(self._completed(image, event) for image in self._waiting)
        return b""

    def end(self) -> bytes:
        """See `exchange.Stream`."""
        return b"data: [DONE]\n\n"

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return sse(body)

    def _is_due(self, preview: ImagePreview) -> bool:
        return self._sent.get(preview.index, 0) < self._step * (self._partial + 1) // self._steps

    def _completed(self, image: Image, usage: Usage) -> bytes:
        body = {"b64_json": image.png, "size": _told(image), "seed": image.seed, "index": image.index}
        return self._written("image_generation.completed", body | usage_of([usage]))

    def _written(self, name: str, body: dict[str, Any]) -> bytes:
        return sse({"type": name, "created_at": self._created, "size": "auto", **_SAID, **body}, name)


def usage_of(usages: Sequence[Usage]) -> dict[str, Any]:
    """What reading the words cost; an image is no tokens here."""
    tokens = sum(usage.prompt_tokens for usage in usages)
    details = {"text_tokens": tokens, "image_tokens": 0}
    return {
        "usage": {"input_tokens": tokens, "output_tokens": 0, "total_tokens": tokens, "input_tokens_details": details}
    }


def _size(size: str | None) -> tuple[int | None, int | None]:
    if size in (None, "auto"):
        return None, None
    found = _SIZE.fullmatch(size or "")
    if not found:
        raise InvalidRequest("`auto` or a size such as `128x128` is needed", "$.size")
    return int(found[1]), int(found[2])


def _told(image: Image) -> str:
    return f"{image.width}x{image.height}"


ROUTES = (Route("POST", "/v1/images/generations", generations, ImagesBody),)
