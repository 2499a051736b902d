"""The OpenVINO engine: reads GGUF files of the architectures llama, qwen2 and qwen3, and folders of OpenVINO's own
files, also of models that see; picks the best instructions of the processor at run time.

Requests are computed together, in one batch; what prompts begin with in common is read once. Prompts are counted with
the model's own template. Settings: `cache`, a folder in which the tokenizer of a GGUF file is kept in the form that
loads fast; `keep_compiled`, if not empty, its weights, too; `speculation`: with `ngram`, words that repeat what stands
in the conversation are guessed from there and checked together.

Known limits of the engine, as of openvino-genai 2026.4: no `logit_bias`; of log-probabilities only that of the chosen
token; a prompt beyond the context would be accepted in silence, so it is refused here; random numbers are drawn for
all requests of a batch together, so that a request with a seed is computed alone; how much of a prompt was known from
before is not told, and so never counts as `cached_tokens`; `repeat_penalty` must be more than 0. It knows no HTTP face,
and no model by name.
"""

import json
import os
import re
import secrets
import sys
import weakref
from collections.abc import Generator, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from abierto.engines._openvino_batch import NAME, NATIVE, Batch, Piece, Ticket, words
from abierto.engines._openvino_images import Sizes, decoded, marked, unmarked
from abierto.engines._openvino_load import Opened, open_model, set_guesses
from abierto.engines._openvino_text import TextOfTokens
from abierto.engines.session import LoadOptions, RefusesTasks
from abierto.engines.turns_in_words import in_words
from abierto.errors import (
    EngineBroken,
    EngineCrashed,
    EngineFailed,
    EngineMissing,
    LoadFailed,
    MissingFeature,
    PromptTooLong,
)
from abierto.formats import openvino_model
from abierto.formats.gguf import read_header
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest, Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.events import Event, Finish, Text, Usage

# What llama.cpp does where nothing is asked, so that the same model speaks alike here and there.
DEFAULTS = Sampling(
    temperature=0.8,
    top_p=0.95,
    top_k=40,
    min_p=0.05,
    repeat_penalty=1.0,
    presence_penalty=0.0,
    frequency_penalty=0.0,
)
Asked = ChatRequest | CompleteRequest
USUAL_CONTEXT = 4096
# The tokenizer that is made of a GGUF file drops the beginning of a text with more tokens than these, in silence.
LONGEST_TEXT = 8192
# Tokens that end a turn in some model families, where the file names only one of them as the end.
ENDS = ("<|im_end|>", "<|eot_id|>", "<|endoftext|>", "<|end_of_text|>")


def load(files: list[str], options: LoadOptions) -> "OpenVINOSession":
    """See `engines.load`."""
    # It reports home when it is imported; without it the engine uses a stand-in of its own, which does nothing.
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    try:
        import openvino_genai
    except ModuleNotFoundError as error:
        raise EngineMissing(NAME, NAME) from error
    except ImportError as error:
        raise EngineBroken(NAME, str(error)) from error
    file = Path(files[0])
    if options.task != "chat":
        raise LoadFailed(NAME, file.name, f"it has no {options.task}")
    context = options.context or _trained(file) or USUAL_CONTEXT
    try:
        opened = open_model(openvino_genai, file, options, context)
    except NATIVE as error:
        raise LoadFailed(NAME, file.name, words(error)) from error
    return OpenVINOSession(openvino_genai, opened, context, options.max_concurrent)


def _trained(file: Path) -> int | None:
    """The tokens that the model was trained to take in at once, if the file says so."""
    return read_header(file).context_length if file.suffix != ".xml" else openvino_model.read(file).context_length


class OpenVINOSession(RefusesTasks):
    """See `Session`."""

    engine = NAME

    def __init__(self, genai: Any, opened: Opened, context: int, max_concurrent: int) -> None:
        self.context = context
        self.max_concurrent = max_concurrent
        self.pid = os.getpid()
        self.features = frozenset({"chat", "complete", "schema", "seed"} | ({"images"} if opened.sees else set()))
        self._opened = opened
        self._genai, self._tokenizer, self._takes_text = genai, opened.tokenizer, opened.takes_text
        usual = opened.pipeline.get_config()
        self._eos = usual.eos_token_id
        named = [self._encode(name) for name in ENDS]
        self._ends = {self._eos, *usual.stop_token_ids, *(ids[0] for ids in named if len(ids) == 1)}
        self._batch = Batch(opened.pipeline, max_concurrent, self._try_schema)
        self._sizes = Sizes(genai, self._batch.ask, {})
        # Runs at close, or when the interpreter ends without one.
        self._release = weakref.finalize(self, self._batch.close)

    def count_tokens(self, request: Request) -> int:
        """As the model reads them; of a chat with its template."""
        if not isinstance(request, Asked):
            raise MissingFeature(NAME, request.task)
        self._check(request)
        with self._batch.preparing():  # what is counted is most often asked at once
            return self._prompt(request)[1]

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. The iterator's `close` may be called from another thread, and wakes one that waits."""
        return self._answer(request)

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """See `Session`. As `chat`; the prompt may have special tokens in it."""
        return self._answer(request)

    def close(self) -> None:
        """See `Session`. Answers that are being written are broken off."""
        self._release()

    def _answer(self, request: Asked) -> "Answer":
        self._check(request)
        return Answer(self, request)

    def _check(self, request: Asked) -> None:
        for feature in sorted(request.needs - self.features):
            raise MissingFeature(NAME, feature)

    def ticket(self, request: Asked) -> tuple[Ticket, int]:
        """The request in the batch, and the tokens of its prompt. Raises PromptTooLong, EngineCrashed."""
        with self._batch.preparing():
            return self._queued(request)

    def _queued(self, request: Asked) -> tuple[Ticket, int]:
        prompt, tokens = self._prompt(request)
        if tokens >= self.context:
            raise PromptTooLong(tokens, self.context, self.context)
        sampling = request.sampling.over(DEFAULTS)
        schema = "" if request.schema is None else json.dumps(request.schema)
        limit = min(sampling.max_tokens or self.context, self.context - tokens)
        ticket = Ticket(
            prompt=prompt,
            config=self._config(sampling, schema, limit),
            alone=sampling.seed is not None and not _is_greedy(sampling),
            schema=schema,
        )
        if not self._batch.add(ticket):
            raise EngineCrashed(NAME, "closed")
        return ticket, tokens

    def decode(self, ids: list[int]) -> str:
        """The text of tokens. Bytes that are no whole character are left out."""
        return str(self._tokenizer.decode(ids, skip_special_tokens=True))

    def _prompt(self, request: Asked) -> tuple[tuple[Any, ...], int]:
        """As a ticket takes it, and its tokens."""
        if isinstance(request, CompleteRequest):
            try:
                tokens = self._encode(request.prompt, special=True)
            except NATIVE as error:
                raise EngineFailed(NAME, words(error)) from error
            return self._shaped(request.prompt, [], tokens)
        return self._chat_prompt(request)

    def _chat_prompt(self, request: ChatRequest) -> tuple[tuple[Any, ...], int]:
        files = [image for message in request.messages for image in message.images]
        images = [decoded(file, str(number)) for number, file in enumerate(files, 1)]
        try:
            told = None if request.reasoning is None else {"enable_thinking": request.reasoning}
            text = str(self._tokenizer.apply_chat_template(self._messages(request), True, extra_context=told))
            tokens = self._encode(unmarked(text, len(images)))
        except NATIVE as error:
            raise EngineFailed(NAME, words(error)) from error
        return self._shaped(text, images, tokens)

    def _shaped(self, text: str, images: list[Any], tokens: list[int]) -> tuple[tuple[Any, ...], int]:
        import numpy
        from openvino import Tensor

        if self._takes_text:
            return (text, images), len(tokens) + self._sizes.tokens(images)
        return (Tensor(numpy.array([tokens], dtype=numpy.int64)),), len(tokens)

    def _messages(self, request: ChatRequest) -> list[dict[str, str]]:
        messages, images = [], 0
        for message in in_words(request.messages):
            said = marked(message.content, images, len(message.images)) if self._takes_text else message.content
            messages.append({"role": message.role, "content": said})
            images += len(message.images)
        return messages

    def _encode(self, text: str, special: bool = False) -> list[int]:
        """special: with the tokens that stand around every text."""
        found = self._tokenizer.encode(text, add_special_tokens=special).input_ids.data[0].tolist()
        if len(found) < LONGEST_TEXT:
            return list(found)
        # Where a space follows a letter every tokenizer splits anyway, so that the parts have the same tokens.
        middle = len(text) // 2
        space = re.compile(r"(?<=[^\W\d_])(?= )").search(text, middle)
        cut = space.start() if space else middle
        return self._encode(text[:cut], special) + self._encode(text[cut:])

    def _config(self, sampling: Sampling, schema: str, limit: int) -> Any:
        config = self._genai.GenerationConfig(max_new_tokens=limit, repetition_penalty=sampling.repeat_penalty)
        config.presence_penalty, config.frequency_penalty = sampling.presence_penalty, sampling.frequency_penalty
        config.apply_chat_template = False
        set_guesses(config, self._opened)
        if self._eos >= 0:
            config.eos_token_id = self._eos
        config.stop_token_ids = {end for end in self._ends if end >= 0}
        if not _is_greedy(sampling):
            config.do_sample = True
            config.temperature, config.top_p, config.min_p = sampling.temperature, sampling.top_p, sampling.min_p
            config.top_k = sampling.top_k
            # Without a seed it would say the same every time.
            config.rng_seed = secrets.randbits(32) if sampling.seed is None else sampling.seed
        if schema:
            config.structured_output_config = self._genai.StructuredOutputConfig(json_schema=schema)
        return config

    def _try_schema(self, pipeline: Any, schema: str) -> None:
        constrained = self._genai.StructuredOutputConfig(json_schema=schema)
        config = self._genai.GenerationConfig(max_new_tokens=1, structured_output_config=constrained)
        config.apply_chat_template = False
        set_guesses(config, self._opened)
        pipeline.generate(["{"] if self._takes_text else [self._tokenizer.encode("{").input_ids], [config])


class Answer(Iterator[Event]):
    """The events of one answer. Its prompt is counted and queued when the first one is asked for."""

    def __init__(self, session: OpenVINOSession, request: Asked) -> None:
        self._session, self._request = session, request
        self._ticket: Ticket | None = None
        self._closed = False
        self._events = self._read()

    def __next__(self) -> Event:
        return next(self._events)

    def close(self) -> None:
        """Cancel. May be called twice, and from a thread other than the one that reads."""
        self._closed = True
        if self._ticket:
            self._ticket.cancel()
        # A generator that runs in another thread cannot be closed; that thread has just been woken up.
        with suppress(ValueError):
            self._events.close()

    def __del__(self) -> None:
        self.close()

    def _read(self) -> Generator[Event, None, None]:
        self._ticket, prompt = self._session.ticket(self._request)
        if self._closed:  # while the prompt was counted
            self._ticket.cancel()
        text, pieces = TextOfTokens(self._session.decode, self._request.sampling.stop), _pieces(self._ticket)
        made, first, last = 0, 0.0, 0.0
        try:
            for piece in pieces:
                made, first, last = made + len(piece.ids), first or piece.at, piece.at
                if said := text.add(piece):
                    yield Text(said)
                if text.stopped or piece.reason:
                    yield Usage(prompt, made, 0, first - self._ticket.started, last - first)
                    yield Finish("stop", text.stopped) if text.stopped else Finish(piece.reason or "stop")
                    return
        finally:
            self._ticket.cancel()


def _pieces(ticket: Ticket) -> Iterator[Piece]:
    while piece := ticket.pieces.get():
        if not isinstance(piece, Piece):
            raise piece
        yield piece


def _is_greedy(sampling: Sampling) -> bool:
    """Whether only the likeliest token can be chosen; the engine wants to be told so in another way."""
    return sampling.temperature == 0 or sampling.top_p == 0 or sampling.top_k == 1 or sampling.min_p == 1
