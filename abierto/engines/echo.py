"""The echo engine: answers with the last thing that was said. No model, no packages, no files.

It ships, so that tests, documents and a first look work without any model. A token is a word with the white space
before it. It calls the tools that it must, or whose names were said, with the JSON object that was said. The vector of
a text counts its words, and a document's score is the share of the query's words that it has. Its drawing is a
pattern that the words and the seed decide, of which each step adds some squares; a step counts as a token.
Settings: `tokens_per_second` (default: as fast as it goes).
"""

import json
import os
import re
import threading
from collections.abc import Iterator
from math import sqrt
from zlib import crc32

from abierto.engines import _echo_image
from abierto.engines.session import LoadOptions
from abierto.errors import MissingFeature, PromptTooLong, TooManyWords
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest, Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Finish, Logprobs, Progress, Score, Text, ToolCallDelta, Usage
from abierto.tasks.rerank import RerankRequest

DEFAULT_CONTEXT = 4096
DIMENSIONS = 64


def load(files: list[str], options: LoadOptions) -> "EchoSession":  # noqa: ARG001 - the contract of all engines
    """An echo needs no files."""
    return EchoSession(options)


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


class EchoSession:
    """See `Session`."""

    engine = "echo"
    features = frozenset({"chat", "complete", "embed", "rerank", "draw", "seed", "tools", "logprobs"})

    def __init__(self, options: LoadOptions) -> None:
        self.context = options.context or DEFAULT_CONTEXT
        self.max_concurrent = options.max_concurrent
        self.pid = os.getpid()
        speed = float(options.settings.get("tokens_per_second", 0))
        self._pause = 1 / speed if speed else 0.0

    def count_tokens(self, request: Request) -> int:
        """One token for each word, and one for each message."""
        match request:
            case ChatRequest():
                return sum(1 + len(_tokens(message.content)) for message in request.messages)
            case CompleteRequest():
                return len(_tokens(request.prompt))
            case EmbedRequest():
                return sum(len(_tokens(text)) for text in request.texts)
            case RerankRequest():
                return sum(len(_tokens(request.query + " " + document)) for document in request.documents)
            case DrawRequest():
                return len(_tokens(request.prompt)) + len(_tokens(request.negative_prompt))

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """The last message again, word by word, as far as the limits and the stop strings let it; or tool calls."""
        self._check(request)
        said = request.messages[-1].content
        if called := _called(request):
            arguments = _object(said)
            for index, name in enumerate(called):
                yield ToolCallDelta(index, f"call_{index}", name)
                yield ToolCallDelta(index, arguments=arguments)
            yield Usage(self.count_tokens(request), len(called) * len(_tokens(arguments)))
            yield Finish("tool_calls")
        else:
            yield from self._say(said, self.count_tokens(request), request.sampling, request.logprobs)

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """The text again, as `chat` does it."""
        self._check(request)
        yield from self._say(request.prompt, self.count_tokens(request), request.sampling, request.logprobs)

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """How often each word occurs, in one of so many places by a checksum of the word."""
        self._fits(max(len(_tokens(text)) for text in request.texts))
        for index, text in enumerate(request.texts):
            counts = [0.0] * DIMENSIONS
            for word in _words(text):
                counts[crc32(word.encode()) % DIMENSIONS] += 1
            length = sqrt(sum(count * count for count in counts)) or 1.0
            yield Embedding(index, [count / length for count in counts])
        yield Usage(self.count_tokens(request), 0)
        yield Finish("stop")

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """The share of the query's words that each document has."""
        self._fits(max(len(_tokens(request.query + " " + document)) for document in request.documents))
        asked = set(_words(request.query))
        for index, document in enumerate(request.documents):
            yield Score(index, len(asked & set(_words(document))) / max(len(asked), 1))
        yield Usage(self.count_tokens(request), 0)
        yield Finish("stop")

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """A pattern for each image, step by step."""
        tokens = self.count_tokens(request)
        if tokens > self.context:
            raise TooManyWords(tokens, self.context)
        for event in _echo_image.draw(request):
            if self._pause and isinstance(event, Progress):
                threading.Event().wait(self._pause)
            yield event
        yield Usage(tokens, 0)
        yield Finish("stop")

    def close(self) -> None:
        """Nothing is held."""

    def _check(self, request: ChatRequest | CompleteRequest) -> None:
        for feature in sorted(request.needs - self.features):
            raise MissingFeature("echo", feature)
        self._fits(self.count_tokens(request))

    def _fits(self, tokens: int) -> None:
        if tokens >= self.context:
            raise PromptTooLong(tokens, self.context, self.context)

    def _say(self, said: str, prompt: int, sampling: Sampling, logprobs: int | None) -> Iterator[Event]:
        ends = {said.find(stop): stop for stop in reversed(sampling.stop) if stop in said}
        tokens = _tokens(said[: min(ends)] if ends else said)
        limit = min(sampling.max_tokens or self.context, self.context - prompt)
        for token in tokens[:limit]:
            if self._pause:
                threading.Event().wait(self._pause)
            if logprobs is not None:
                yield _certain(token, logprobs)
            yield Text(token)
        yield Usage(prompt_tokens=prompt, completion_tokens=min(len(tokens), limit))
        yield Finish("length") if len(tokens) > limit else Finish("stop", ends[min(ends)] if ends else "")


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _certain(token: str, alternatives: int) -> Logprobs:
    told = {"token": token, "bytes": list(token.encode()), "logprob": 0.0}
    return Logprobs([{**told, "top": [told] if alternatives else []}])


def _called(request: ChatRequest) -> list[str]:
    names = [tool.name for tool in request.tools]
    match request.tool_choice:
        case "none":
            return []
        case "auto" | "required":
            last = request.messages[-1]
            said = [name for name in names if name in last.content] if last.role == "user" else []
            found = said or (names[:1] if request.tool_choice == "required" else [])
            return found if request.parallel_calls else found[:1]
        case named:
            return [named]


def _object(said: str) -> str:
    """The JSON object within what was said, or an empty one."""
    written = said[said.find("{") : said.rfind("}") + 1]
    try:
        json.loads(written)
    except ValueError:
        return "{}"
    return written
