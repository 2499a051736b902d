"""The completion task: a text goes in as it is, without a chat template, and what follows comes out as events."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, ClassVar

from abierto.tasks.chat import Sampling, check_logprobs, sampling_from_wire


@dataclass(frozen=True, slots=True)
class CompleteRequest:
    """A text and how to go on with it. logprobs and schema: as in `ChatRequest`."""

    task: ClassVar[str] = "complete"

    prompt: str
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Any] | None = None
    logprobs: int | None = None

    def __post_init__(self) -> None:
        """Raise OptionOutOfRange for a number that has no meaning."""
        check_logprobs(self.logprobs)

    @property
    def needs(self) -> frozenset[str]:
        """The features that a session must have for this request, beside the task itself."""
        asked = {
            "schema": self.schema is not None,
            "logprobs": self.logprobs is not None,
            "logit_bias": bool(self.sampling.logit_bias),
        }
        return frozenset(feature for feature, needed in asked.items() if needed)

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return {**asdict(self), "schema": None if self.schema is None else dict(self.schema)}

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "CompleteRequest":
        """The request that `to_wire` wrote."""
        return cls(body["prompt"], sampling_from_wire(body["sampling"]), body["schema"], body["logprobs"])
