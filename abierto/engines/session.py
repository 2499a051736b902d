"""The contract between an engine and the rest: what `load` gets and what it returns."""

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol

from abierto.errors import MissingFeature
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Event
from abierto.tasks.rerank import RerankRequest


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How to load a model.

    context: tokens that one conversation may hold; 0 leaves it to the engine.
    threads: processor threads to compute with; 0 leaves it to the engine.
    max_concurrent: how many conversations at once; each has the whole `context` for itself.
    projector: absolute path of the file that turns images into what the model reads; empty without one.
    task: what it is loaded for: `chat` (which covers `complete`), `embed`, `rerank` or `draw`.
    settings: what only one engine knows, by the names in that engine's documentation; and for all of them `cache`, a
    folder for what they keep (see `store.kept`).
    """

    context: int = 0
    threads: int = 0
    max_concurrent: int = 1
    projector: str = ""
    task: str = "chat"
    settings: Mapping[str, str] = field(default_factory=dict)

    def to_wire(self) -> dict[str, Any]:
        """The options as a JSON object."""
        return {**asdict(self), "settings": dict(self.settings)}


class Session(Protocol):
    """A loaded model. Its methods may be called from `max_concurrent` threads at once.

    It has a method for each task of `abierto.tasks`: the request goes in, and events come out one by one, at last one
    Usage and one Finish. Closing the iterator cancels the work.

    features: what it can do: the tasks among `chat`, `complete`, `embed`, `rerank`, `draw`; and `schema` (answers that
    follow a JSON schema), `seed`, `reasoning`, `images`, `tools`, `logprobs`, `logit_bias`.
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

    def count_tokens(self, request: Request) -> int:
        """How many tokens the request is; of a chat with all that the model's chat template adds."""
        ...

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """The answer. Raises PromptTooLong, InvalidSchema, MissingFeature, EngineFailed."""
        ...

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """What follows the prompt. Raises as `chat`."""
        ...

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """The vectors. Raises PromptTooLong for a text that is longer than the context, MissingFeature."""
        ...

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """The scores. Raises PromptTooLong for a document that is longer than the context, MissingFeature."""
        ...

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """The images. Raises TooManyWords, SizeNotDrawn, MissingFeature, EngineFailed."""
        ...

    def close(self) -> None:
        """Give everything back: memory, sockets, processes, temporary files. May be called twice."""
        ...


class RefusesTasks:
    """What an engine inherits that does not have every task: those that it does not have raise MissingFeature."""

    engine: str

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`."""
        raise MissingFeature(self.engine, request.task)

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """See `Session`."""
        raise MissingFeature(self.engine, request.task)

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """See `Session`."""
        raise MissingFeature(self.engine, request.task)

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """See `Session`."""
        raise MissingFeature(self.engine, request.task)

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """See `Session`."""
        raise MissingFeature(self.engine, request.task)


def run(session: Session, request: Request) -> Iterator[Event]:
    """The events of a request of any task. Raises MissingFeature for what the session does not have."""
    lacking = ({request.task} | request.needs) - session.features
    if lacking:
        raise MissingFeature(session.engine, min(lacking))
    events: Iterator[Event] = getattr(session, request.task)(request)
    return events
