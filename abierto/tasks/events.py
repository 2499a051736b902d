"""The one set of events that every answer is made of, and their form on a pipe.

The set is versioned: adding a kind is an addition, never a change of the others. It knows no engine and no
wire format of other programs.
"""

from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from abierto.errors import AbiertoError

VERSION = 1


@dataclass(frozen=True, slots=True)
class Text:
    """The next piece of the answer. Always whole characters, never half of one."""

    text: str


@dataclass(frozen=True, slots=True)
class Reasoning:
    """The next piece of what the model thinks before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class ToolCallDelta:
    """The next piece of something that the model asks to have done. index: which one, from 0.

    id and name come with the first piece of each; arguments is the next piece of its JSON text.
    """

    index: int
    id: str = ""
    name: str = ""
    arguments: str = ""


@dataclass(frozen=True, slots=True)
class Logprobs:
    """The tokens of the Text event that follows: each with `token`, `bytes` (numbers), `logprob` (natural) and `top`.

    top: the likeliest tokens in that place, likeliest first, in the same form and without `top`.
    """

    tokens: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Embedding:
    """The vector of one text. index: which one of the request's, from 0."""

    index: int
    values: list[float]


@dataclass(frozen=True, slots=True)
class Score:
    """How well one document answers the query: more is better. index: which one of the request's, from 0."""

    index: int
    value: float


@dataclass(frozen=True, slots=True)
class ImagePreview:
    """What can be seen so far of an image. index: which one of the request's, from 0. png: a whole file, in base64."""

    index: int
    png: str


@dataclass(frozen=True, slots=True)
class Image:
    """An image that is done, and how it was made. index: which one of the request's, from 0. png: a whole file, in
    base64. width, height: in pixels. The rest as in `DrawRequest`; with all of it the same image comes again."""

    index: int
    png: str
    width: int
    height: int
    seed: int
    num_inference_steps: int
    guidance_scale: float
    sampler: str = ""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a stage of the work is. `stage` is `prompt` (unit: tokens) or `steps` (of all images together)."""

    stage: str
    done: int
    total: int


@dataclass(frozen=True, slots=True)
class Usage:
    """What the answer cost, as the engine measured it. Tokens are counts, times are seconds.

    `cached_tokens` of the `prompt_tokens` were still known from an earlier request and were not read again;
    `prompt_seconds` is the time for reading the others.
    """

    prompt_tokens: int
    completion_tokens: int
    cached_tokens: int = 0
    prompt_seconds: float = 0.0
    generation_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class Finish:
    """The last event of a whole answer. `length`: a limit of tokens or the end of the context was reached.

    stop: which of the request's stop strings ended it, where the engine tells; else empty.
    """

    reason: Literal["stop", "length", "tool_calls"]
    stop: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """An error on its way through a pipe; on the other side it is raised again."""

    code: str
    facts: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, error: AbiertoError) -> "Failure":
        """The event that tells of an error."""
        return cls(error.code, error.facts)


Event = (
    Text
    | Reasoning
    | ToolCallDelta
    | Logprobs
    | Embedding
    | Score
    | ImagePreview
    | Image
    | Progress
    | Usage
    | Finish
    | Failure
)

KINDS: dict[str, type[Event]] = {
    "text": Text,
    "reasoning": Reasoning,
    "tool_call": ToolCallDelta,
    "logprobs": Logprobs,
    "embedding": Embedding,
    "score": Score,
    "image_preview": ImagePreview,
    "image": Image,
    "progress": Progress,
    "usage": Usage,
    "finish": Finish,
    "failure": Failure,
}
_NAMES = {kind: name for name, kind in KINDS.items()}


def to_wire(event: Event) -> dict[str, Any]:
    """The event as a JSON object: its fields, and its kind under `event`."""
    return {"event": _NAMES[type(event)], **asdict(event)}


def from_wire(body: dict[str, Any]) -> Event:
    """The event that `to_wire` wrote. Raises KeyError on a kind that this version does not know."""
    fields = dict(body)
    return KINDS[fields.pop("event")](**fields)
