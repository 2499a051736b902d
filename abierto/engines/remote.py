"""The remote engine: a model on another computer that speaks OpenAI's dialect. The words leave this computer.

It computes nothing and reads no files. Settings: `provider` (what to call the computer), `address` (what stands before
`/chat/completions`), `model` (its name there), `key`, `features` (of the computer, joined by commas), `certificates` (a
file or folder of authorities to trust, too), `timeout` (seconds without a byte, 120), `pause` (seconds before the first
retry, at most, 0.5). It tries again when it is refused for want of time and when no answer begins, and never once one
has begun.
"""

import os
import threading
import weakref
from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from time import perf_counter

from abierto.engines import _remote_answer, _remote_body
from abierto.engines._remote_link import MOST_RETRIES, Call, Dropped, Link
from abierto.engines._remote_models import RemoteModel, models
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, Cancelled, KeyRefused, MissingFeature, RemoteGarbled, RemoteInterrupted
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Event, Finish, Usage
from abierto.tasks.rerank import RerankRequest

NAME = "remote"
# Where the other computer does not tell. It then says itself what is too long.
UNKNOWN_CONTEXT = 131_072
CHARACTERS_PER_TOKEN = 4
# Tokens that a chat template adds to a message, about.
_FRAME = 4


def load(files: list[str], options: LoadOptions) -> "RemoteSession":  # noqa: ARG001 - the contract of all engines
    """A session with a computer, which is asked for the model's context. Raises KeyRefused."""
    link = _link(options.settings)
    features = frozenset(filter(None, options.settings["features"].split(",")))
    return RemoteSession(link, features, options.context or _context(link), options.max_concurrent)


def list_models(settings: Mapping[str, str]) -> list[RemoteModel]:
    """What the computer says it has, by name. settings: as of `load`. Raises what `Call.send` raises."""
    return models(_link(settings), MOST_RETRIES)


def _link(told: Mapping[str, str]) -> Link:
    return Link(
        told["provider"],
        told["model"],
        told["address"],
        told.get("key", ""),
        told.get("certificates", ""),
        float(told.get("timeout", 120)),
        float(told.get("pause", 0.5)),
    )


def _context(link: Link) -> int:
    """The context of the model, if the computer tells one. What it refuses otherwise, the first request will tell."""
    try:
        known = {model.name: model.context for model in models(link, retries=0)}
    except KeyRefused:
        raise
    except AbiertoError:
        return UNKNOWN_CONTEXT
    # OpenRouter and Hugging Face let one say after a colon who is to serve it.
    return known.get(link.model) or known.get(link.model.partition(":")[0]) or UNKNOWN_CONTEXT


class RemoteSession:
    """See `Session`. Tokens are counted about: the model's vocabulary is on the other computer."""

    engine = NAME

    def __init__(self, link: Link, features: frozenset[str], context: int, max_concurrent: int) -> None:
        self.features, self.context, self.max_concurrent = features, context, max_concurrent
        self.pid = os.getpid()
        self._link = link
        self._answers: weakref.WeakSet[Answer] = weakref.WeakSet()
        self._lock = threading.Lock()

    def count_tokens(self, request: Request) -> int:
        """About how many: one for every four characters, and some for each message."""
        match request:
            case ChatRequest():
                return sum(_FRAME + _tokens(message.content) for message in request.messages)
            case CompleteRequest():
                return _tokens(request.prompt)
            case EmbedRequest():
                return sum(map(_tokens, request.texts))
            case RerankRequest():
                return sum(_tokens(request.query + document) for document in request.documents)
            case DrawRequest():
                raise MissingFeature(NAME, request.task)

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. Raises what `Call.send` and `Translator.events` raise."""
        self._check(request)
        return self._streamed("/chat/completions", _remote_body.chat(self._link.model, request))

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """As `chat`."""
        self._check(request)
        return self._streamed("/completions", _remote_body.complete(self._link.model, request))

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """As `chat`."""
        body = {"model": self._link.model, "input": list(request.texts), "encoding_format": "float"}

        def read(call: Call) -> Iterator[Event]:
            told = call.json()
            yield from _remote_answer.embeddings(self._link.provider, told, len(request.texts))
            yield from _end(told)

        return self._answer("/embeddings", body, read)

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """As `chat`."""
        documents = list(request.documents)
        body = {"model": self._link.model, "query": request.query, "documents": documents, "top_n": len(documents)}

        def read(call: Call) -> Iterator[Event]:
            told = call.json()
            yield from _remote_answer.scores(self._link.provider, told, len(documents))
            yield from _end(told)

        return self._answer("/rerank", body, read)

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """Other computers are not asked for images."""
        raise MissingFeature(NAME, request.task)

    def close(self) -> None:
        """Break off what runs."""
        with self._lock:
            running = list(self._answers)
        for answer in running:
            answer.close()

    def _check(self, request: Request) -> None:
        for feature in sorted(request.needs - self.features):
            raise MissingFeature(NAME, feature)

    def _streamed(self, path: str, body: dict[str, object]) -> "Answer":
        link, began = self._link, perf_counter()

        def read(call: Call) -> Iterator[Event]:
            translator, first = _remote_answer.Translator(link.provider, link.model), 0.0
            try:
                for event in _pieces(call, translator, link.provider):
                    first = first or perf_counter()
                    yield event
            except Dropped as dropped:
                raise RemoteInterrupted(link.provider, translator.characters) from dropped
            now = perf_counter()
            yield replace(
                translator.usage, prompt_seconds=(first or now) - began, generation_seconds=now - (first or now)
            )
            yield translator.finish

        return self._answer(path, body, read)

    def _answer(self, path: str, body: object, read: Callable[[Call], Iterator[Event]]) -> "Answer":
        answer = Answer(self._link, Call(self._link, "POST", path, body), read)
        with self._lock:
            self._answers.add(answer)
        return answer


class Answer(Iterator[Event]):
    """The events of one answer. The request is sent with the first one that is asked for."""

    def __init__(self, link: Link, call: Call, read: Callable[[Call], Iterator[Event]]) -> None:
        self._link, self._call = link, call
        self._events = self._read(read)

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Cancel. May be called twice, and from a thread other than the one that reads."""
        self._call.cancel()
        # A generator that runs in another thread cannot be closed; that thread has just been woken up.
        with suppress(ValueError):
            self._events.close()

    def __del__(self) -> None:
        self.close()

    def _read(self, read: Callable[[Call], Iterator[Event]]) -> Generator[Event, None, None]:
        try:
            self._call.send()
            yield from read(self._call)
        except Cancelled:
            return
        except AbiertoError as error:
            if not self._call.cancelled:
                raise self._link.hidden(error) from None
        except Dropped as dropped:
            if not self._call.cancelled:
                raise RemoteInterrupted(self._link.provider, 0) from dropped
        finally:
            self._call.close()


def _pieces(call: Call, translator: _remote_answer.Translator, provider: str) -> Iterator[Event]:
    """The events of an answer, streamed as it was asked for, or whole, as some servers answer all the same."""
    if call.content_type == "application/json":
        yield from translator.events(iter([call.whole()]))
    elif call.content_type == "text/event-stream":
        data = _remote_answer.data_of(provider, call.blocks())
        yield from translator.events(data)
    else:
        raise RemoteGarbled(provider, f"content type {call.content_type or 'none'}")


def _end(told: dict[str, object]) -> Iterator[Event]:
    usage = told.get("usage")
    yield _remote_answer.usage_of(usage) if isinstance(usage, dict) else Usage(0, 0)
    yield Finish("stop")


def _tokens(text: str) -> int:
    return -(-len(text) // CHARACTERS_PER_TOKEN)
