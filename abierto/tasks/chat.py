"""The chat task: a conversation goes in, the next message comes out as events."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from abierto.errors import OptionOutOfRange

Role = Literal["system", "user", "assistant"]

# What each number may be: lowest, highest (None: no limit). Outside of these an engine's behaviour has no meaning.
RANGES: dict[str, tuple[float, float | None]] = {
    "max_tokens": (1, None),
    "temperature": (0.0, 5.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, None),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.0, 10.0),
    "seed": (0, 2**32 - 2),
}


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation. images: whole files, as `formats.images` accepts them; they stand before the text."""

    role: Role
    content: str
    images: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. None leaves the choice to the model's card, and else to the engine.

    max_tokens: the most tokens of the answer, 1 or more.
    temperature: 0 (always the likeliest token) to 5.
    top_p: share of probability that is kept, 0 to 1. top_k: tokens that are kept, 0 for all.
    min_p: tokens below this share of the likeliest one's probability are dropped, 0 to 1.
    repeat_penalty: 1 for none, 0 to 10. seed: 0 to 2**32 - 2; the same seed gives the same answer on the same machine.
    stop: the answer ends before any of these strings.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Raise OptionOutOfRange for a number that has no meaning."""
        for option, (low, high) in RANGES.items():
            value = getattr(self, option)
            # Written so that NaN, which compares false with everything, is out of range too.
            if value is not None and not (low <= value and (high is None or value <= high)):
                raise OptionOutOfRange(option, value, low, high)

    def over(self, defaults: "Sampling") -> "Sampling":
        """These settings, with `defaults` where nothing is set."""
        chosen = {name: value for name, value in asdict(self).items() if value is not None and value != ()}
        return replace(defaults, **chosen)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation and how to go on with it. `schema`: a JSON schema that the answer must follow."""

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Any] | None = None

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return {
            "messages": [_to_wire(message) for message in self.messages],
            "sampling": asdict(self.sampling),
            "schema": None if self.schema is None else dict(self.schema),
        }

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "ChatRequest":
        """The request that `to_wire` wrote."""
        sampling = dict(body["sampling"])
        sampling["stop"] = tuple(sampling["stop"])
        return cls(
            messages=tuple(_from_wire(message) for message in body["messages"]),
            sampling=Sampling(**sampling),
            schema=body["schema"],
        )


def _to_wire(message: Message) -> dict[str, Any]:
    images = [base64.b64encode(image).decode() for image in message.images]
    return {"role": message.role, "content": message.content, **({"images": images} if images else {})}


def _from_wire(body: dict[str, Any]) -> Message:
    images = tuple(base64.b64decode(image) for image in body.get("images", ()))
    return Message(body["role"], body["content"], images)
