"""The echo engine: answers with the last thing that was said. No model, no packages, no files.

It ships, so that tests, documents and a first look work without any model. A token is a word with the white space
before it. Settings: `tokens_per_second` (default: as fast as it goes).
"""

import os
import re
import threading
from collections.abc import Iterator

from abierto.engines.session import LoadOptions
from abierto.errors import MissingFeature, PromptTooLong
from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Event, Finish, Text, Usage

DEFAULT_CONTEXT = 4096


def load(files: list[str], options: LoadOptions) -> "EchoSession":  # noqa: ARG001 - the contract of all engines
    """An echo needs no files."""
    return EchoSession(options)


def _tokens(text: str) -> list[str]:
    return re.findall(r"\s*\S+|\s+$", text)


class EchoSession:
    """See `Session`."""

    engine = "echo"
    features = frozenset({"chat", "seed"})

    def __init__(self, options: LoadOptions) -> None:
        self.context = options.context or DEFAULT_CONTEXT
        self.max_concurrent = options.max_concurrent
        self.pid = os.getpid()
        speed = float(options.settings.get("tokens_per_second", 0))
        self._pause = 1 / speed if speed else 0.0

    def count_tokens(self, request: ChatRequest) -> int:
        """One token for each word, and one for each message."""
        return sum(1 + len(_tokens(message.content)) for message in request.messages)

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """The last message again, word by word, as far as the limits and the stop strings let it."""
        if request.schema is not None:
            raise MissingFeature("echo", "schema")
        if any(message.images for message in request.messages):
            raise MissingFeature("echo", "images")
        prompt = self.count_tokens(request)
        if prompt >= self.context:
            raise PromptTooLong(prompt, self.context, self.context)
        said = request.messages[-1].content
        ends = [said.find(stop) for stop in request.sampling.stop if stop in said]
        tokens = _tokens(said[: min(ends)] if ends else said)
        limit = min(request.sampling.max_tokens or self.context, self.context - prompt)
        for token in tokens[:limit]:
            if self._pause:
                threading.Event().wait(self._pause)
            yield Text(token)
        yield Usage(prompt_tokens=prompt, completion_tokens=min(len(tokens), limit))
        yield Finish("length" if len(tokens) > limit else "stop")

    def close(self) -> None:
        """Nothing is held."""
