"""The contract between an engine and the rest: what `load` gets and what it returns."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Event


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load a model.

    context: tokens that one conversation may hold; 0 leaves it to the engine.
    threads: processor threads to compute with; 0 leaves it to the engine.
    max_concurrent: how many conversations at once; each has the whole `context` for itself.
    projector: absolute path of the file that turns images into what the model reads; empty without one.
    settings: what only one engine knows, by the names in that engine's documentation; and for all of them `cache`, a
    folder for what they keep (see `store.kept`).
    """

    context: int = 0
    threads: int = 0
    max_concurrent: int = 1
    projector: str = ""
    settings: Mapping[str, str] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The options as a JSON object."""
        return {**asdict(self), "settings": dict(self.settings)}


class Session(Protocol):
    """A loaded model. Its methods may be called from `max_concurrent` threads at once.

    features: what it can do, from `chat`, `schema` (answers that follow a JSON schema), `seed`, `reasoning`, `images`.
    context: the tokens that one conversation may hold, as the engine really set it up.
    pid: the process that computes, for measuring its memory.
    """

    @property
    def engine(self) -> str: ...

    @property
    def features(self) -> frozenset[str]: ...

    @property
    def max_concurrent(self) -> int: ...

    @property
    def context(self) -> int: ...

    @property
    def pid(self) -> int: ...

    def count_tokens(self, request: ChatRequest) -> int:
        """How many tokens the request's messages are, with all that the model's chat template adds."""
        ...

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """The answer, event by event; the last one is Finish, after one Usage.

        Closing the iterator cancels the work. Raises PromptTooLong, InvalidSchema, MissingFeature, EngineFailed.
        """
        ...

    def close(self) -> None:
        """Give everything back: memory, sockets, processes, temporary files. May be called twice."""
        ...
