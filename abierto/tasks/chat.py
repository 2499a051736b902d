"""The chat task: a conversation goes in, the next message comes out as events."""

import base64
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, ClassVar, Literal

from abierto.errors import OptionOutOfRange

Role = Literal["system", "user", "assistant", "tool"]

# What each number may be: lowest, highest (None: no limit). Outside of these an engine's behaviour has no meaning.
RANGES: dict[str, tuple[float, float | None]] = {
    "max_tokens": (1, None),
    "temperature": (0.0, 5.0),
    "top_p": (0.0, 1.0),
    "top_k": (0, None),
    "min_p": (0.0, 1.0),
    "repeat_penalty": (0.0, 10.0),
    "presence_penalty": (-2.0, 2.0),
    "frequency_penalty": (-2.0, 2.0),
    "seed": (0, 2**32 - 2),
}

# The engines count with 32 bits, so that what has no limit ends there.
MOST_COUNT = 2**31 - 1
# Log-probabilities of at most so many tokens are told in each place.
MOST_ALTERNATIVES = 20
# A token's logit may be moved by so much; that much forbids it or makes it certain.
MOST_BIAS = 100.0
# No context holds more messages, and no model chooses among more tools.
MOST_MESSAGES = 10_000
MOST_TOOLS = 512


@dataclass(frozen=True, slots=True)
class Tool:
    """What the model may ask us to do. parameters: the JSON schema of the arguments, an object."""

    name: str
    description: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ToolCall:
    """What the model asked to have done. arguments: JSON text, as the model wrote it."""

    id: str
    name: str
    arguments: str


@dataclass(frozen=True, slots=True)
class Message:
    """One turn of a conversation.

    images: whole files, as `formats.images` accepts them; they stand before the text. calls: what the assistant asked
    for in this turn. call_id: of a message of the role `tool`, the call that it answers. reasoning: what the assistant
    thought before this turn; a chat template may leave it out.
    """

    role: Role
    content: str
    images: tuple[bytes, ...] = ()
    calls: tuple[ToolCall, ...] = ()
    call_id: str = ""
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class Sampling:
    """How the next token is chosen. None leaves the choice to the model's card, and else to the engine.

    max_tokens: the most tokens of the answer, 1 or more.
    temperature: 0 (always the likeliest token) to 5.
    top_p: share of probability that is kept, 0 to 1. top_k: tokens that are kept, 0 for all.
    min_p: tokens below this share of the likeliest one's probability are dropped, 0 to 1.
    repeat_penalty: 1 for none, 0 to 10. presence_penalty, frequency_penalty: -2 to 2, 0 for none.
    seed: 0 to 2**32 - 2; the same seed gives the same answer on the same machine.
    stop: the answer ends before any of these strings.
    logit_bias: what is added to the logit of a token, by its number in the model's vocabulary; -100 to 100.
    """

    max_tokens: int | None = None
    temperature: float | None = None
    top_p: float | None = None
    top_k: int | None = None
    min_p: float | None = None
    repeat_penalty: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    stop: tuple[str, ...] = ()
    logit_bias: tuple[tuple[int, float], ...] = ()

    def __post_init__(self) -> None:
        """Raise OptionOutOfRange for a number that has no meaning."""
        for option, (low, high) in RANGES.items():
            value = getattr(self, option)
            # Written so that NaN, which compares false with everything, is out of range too.
            most = MOST_COUNT if high is None else high
            if value is not None and not low <= value <= most:
                raise OptionOutOfRange(option, value, low, most if value > most else high)
        for _, bias in self.logit_bias:
            if not -MOST_BIAS <= bias <= MOST_BIAS:
                raise OptionOutOfRange("logit_bias", bias, -MOST_BIAS, MOST_BIAS)

    def over(self, defaults: "Sampling") -> "Sampling":
        """These settings, with `defaults` where nothing is set."""
        chosen = {name: value for name, value in asdict(self).items() if value is not None and value != ()}
        return replace(defaults, **chosen)


@dataclass(frozen=True, slots=True)
class ChatRequest:
    """A conversation and how to go on with it.

    schema: a JSON schema that the answer must follow. tools: what the model may ask for; tool_choice: `auto` (if it
    likes), `none`, `required` (one at least), or else the name of the one that it must ask for; parallel_calls: whether
    it may ask for several at once. logprobs: with each token of the answer its log-probability, and those of so many
    of the likeliest, 0 to 20; None for none. reasoning: whether a model that can think first shall; None: as it does
    by itself.
    """

    task: ClassVar[str] = "chat"

    messages: tuple[Message, ...]
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Any] | None = None
    tools: tuple[Tool, ...] = ()
    tool_choice: str = "auto"
    parallel_calls: bool = True
    logprobs: int | None = None
    reasoning: bool | None = None

    def __post_init__(self) -> None:
        """Raise OptionOutOfRange for a number that has no meaning, and for more messages or tools than are taken."""
        check_logprobs(self.logprobs)
        for option, given, most in (("messages", self.messages, MOST_MESSAGES), ("tools", self.tools, MOST_TOOLS)):
            if len(given) > most:
                raise OptionOutOfRange(option, len(given), 0, most)

    @property
    def needs(self) -> frozenset[str]:
        """The features that a session must have for this request, beside the task itself."""
        asked = {
            "schema": self.schema is not None,
            "tools": bool(self.tools) and self.tool_choice != "none",
            "logprobs": self.logprobs is not None,
            "logit_bias": bool(self.sampling.logit_bias),
            "images": any(message.images for message in self.messages),
        }
        return frozenset(feature for feature, needed in asked.items() if needed)

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return {
            "messages": [_to_wire(message) for message in self.messages],
            "sampling": asdict(self.sampling),
            "schema": None if self.schema is None else dict(self.schema),
            "tools": [{**asdict(tool), "parameters": dict(tool.parameters)} for tool in self.tools],
            "tool_choice": self.tool_choice,
            "parallel_calls": self.parallel_calls,
            "logprobs": self.logprobs,
            "reasoning": self.reasoning,
        }

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "ChatRequest":
        """The request that `to_wire` wrote."""
        rest = {name: value for name, value in body.items() if name not in ("messages", "sampling", "tools")}
        messages = tuple(_from_wire(message) for message in body["messages"])
        tools = tuple(Tool(**tool) for tool in body["tools"])
        return cls(messages=messages, sampling=sampling_from_wire(body["sampling"]), tools=tools, **rest)


def check_logprobs(logprobs: int | None) -> None:
    """Raise OptionOutOfRange for more alternatives than are told."""
    if logprobs is not None and not 0 <= logprobs <= MOST_ALTERNATIVES:
        raise OptionOutOfRange("top_logprobs", logprobs, 0, MOST_ALTERNATIVES)


def sampling_from_wire(body: Mapping[str, Any]) -> Sampling:
    """The sampling of which `asdict` was sent as JSON."""
    bias = tuple((int(token), float(value)) for token, value in body["logit_bias"])
    return Sampling(**{**body, "stop": tuple(body["stop"]), "logit_bias": bias})


def _to_wire(message: Message) -> dict[str, Any]:
    wire: dict[str, Any] = {"role": message.role, "content": message.content}
    if message.images:
        wire["images"] = [base64.b64encode(image).decode() for image in message.images]
    if message.calls:
        wire["calls"] = [asdict(call) for call in message.calls]
    wire |= {name: value for name in ("call_id", "reasoning") if (value := getattr(message, name))}
    return wire


def _from_wire(body: dict[str, Any]) -> Message:
    images = tuple(base64.b64decode(image) for image in body.get("images", ()))
    calls = tuple(ToolCall(**call) for call in body.get("calls", ()))
    return Message(body["role"], body["content"], images, calls, body.get("call_id", ""), body.get("reasoning", ""))
