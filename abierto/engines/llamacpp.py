"""The llama.cpp engine: reads every GGUF file.

Two ways lead to the same HTTP dialect, llama-server's: the `xllamacpp` package runs its code inside this process, and
the setting `llama_server` names a program to run instead (a path, or `llama-server` for the one on the PATH), which
is how a build for a GPU is used. Either listens on a socket in a folder that only this user can open (on Windows on
127.0.0.1), and demands a random key. The setting `verbosity` (-1: silent, 1: errors) is for the built-in one, which
writes to the standard error of this process. With `speculation` set to `ngram`, words that repeat what stands in the
conversation are guessed from there and checked together; what is computed together is rounded a little differently, so
that an answer may take another turn where two words were nearly as likely.
It knows no HTTP face of ours, and no model by name.
"""

import shutil
import weakref
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from abierto.engines import _llama_events, _llama_tools
from abierto.engines._llama_client import NAME, Address, Answer, Exchange, Fail, Question, Read, ask, failure
from abierto.engines._llama_request import chat_body, complete_body, conversation, offered
from abierto.engines._llama_start import Package, private_folder, start_package, start_program, useful_lines
from abierto.engines.kept_process import KeptProcess
from abierto.engines.session import LoadOptions, RefusesTasks
from abierto.errors import EngineCrashed, MissingFeature, OptionOutOfRange
from abierto.formats.gguf import read_header
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Event
from abierto.tasks.rerank import RerankRequest

# What the chat task brings along; `logprobs` too, but not with guesses, which are not weighed as other tokens are.
FEATURES = frozenset({"chat", "complete", "schema", "seed", "reasoning", "tools", "logit_bias"})


def load(files: list[str], options: LoadOptions) -> "LlamaSession":
    """See `engines.load`. Of a model in several files the first is opened, and llama.cpp finds the others beside it."""
    folder = private_folder()
    try:
        start = start_program if options.settings.get("llama_server", "") else start_package
        address, server = start(files[0], options, folder)
        return LlamaSession(files[0], address, server, folder, options)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


class LlamaSession(RefusesTasks):
    """See `Session`."""

    engine = NAME

    def __init__(
        self, file: str, address: Address, server: KeptProcess | Package, folder: Path, options: LoadOptions
    ) -> None:
        self.max_concurrent = options.max_concurrent
        self.pid = server.pid
        self._file, self._address, self._server = file, address, server
        self._answers: weakref.WeakSet[Answer] = weakref.WeakSet()
        # Runs at close, or when the interpreter ends without one.
        self._release = weakref.finalize(self, _release, self._answers, server, folder)
        props = self._ask("GET", "/props")
        self.context = int(props["default_generation_settings"]["n_ctx"])
        self.features = _features(props, options)
        caps = props.get("chat_template_caps", {})
        self._template_has_tools = bool(caps.get("supports_tools") and caps.get("supports_tool_calls"))
        self._pair_tokens: int | None = None

    def count_tokens(self, request: Request) -> int:
        """As the model reads them; of a chat with its template, and with as many tokens as it makes of each image.

        A program from before 2026 cannot count images; it refuses a request that is too long when it is sent.
        """
        match request:
            case ChatRequest():
                return self._chat_tokens(request)
            case CompleteRequest():
                return self._tokens(request.prompt)
            case EmbedRequest():
                return sum(self._tokens(text) for text in request.texts)
            case RerankRequest():
                return self._rank_tokens(request)
            case DrawRequest():
                raise MissingFeature(self.engine, request.task)

    def chat(self, request: ChatRequest) -> Iterator[Event]:
        """See `Session`. The iterator's `close` may be called from another thread, and wakes one that waits."""
        calls = bool(offered(request))
        self._check(request, request.logprobs is not None and calls)
        asked = self._told(request)
        read = partial(_llama_events.chat, stops=request.sampling.stop, alternatives=request.logprobs)
        if calls and not asked.tools:
            read = partial(_read_calls, read=read, structured=request.schema is not None)
        has_schema = request.schema is not None or (calls and not asked.tools)
        return self._answer(Question("/v1/chat/completions", chat_body(asked), read, has_schema, _images(request)))

    def complete(self, request: CompleteRequest) -> Iterator[Event]:
        """See `Session`. As `chat`; the prompt may have special tokens in it."""
        self._check(request)
        read = partial(_llama_events.complete, stops=request.sampling.stop, alternatives=request.logprobs)
        return self._answer(Question("/completion", complete_body(request), read, request.schema is not None))

    def embed(self, request: EmbedRequest) -> Iterator[Event]:
        """See `Session`."""
        self._check(request)
        body = {"input": list(request.texts), "encoding_format": "base64"}
        return self._answer(Question("/v1/embeddings", body, _llama_events.embed))

    def rerank(self, request: RerankRequest) -> Iterator[Event]:
        """See `Session`. The scores are what the model's last layer says: of most a logit, a number without limits, of
        those made of Qwen3 the probability of `yes`."""
        self._check(request)
        body = {"query": request.query, "documents": list(request.documents)}
        return self._answer(Question("/v1/rerank", body, _llama_events.rerank))

    def close(self) -> None:
        """See `Session`. Answers that are being written are broken off."""
        self._release()

    def _answer(self, question: Question) -> Answer:
        answer = Answer(self._address, question, self._died)
        self._answers.add(answer)
        return answer

    def _check(self, request: Request, unheard: bool = False) -> None:
        """Raise MissingFeature, OptionOutOfRange.

        unheard: log-probabilities of calls are asked for, which llama-server does not tell.
        """
        lacking = ({request.task} | request.needs) - self.features
        if lacking or unheard:
            raise MissingFeature(NAME, min(lacking or {"logprobs"}))
        if isinstance(request, ChatRequest | CompleteRequest) and request.sampling.logit_bias:
            # llama-server passes over numbers that are no tokens.
            last = self._vocabulary() - 1
            for token, _ in request.sampling.logit_bias:
                if not 0 <= token <= last:
                    raise OptionOutOfRange("logit_bias", token, 0, last)

    def _told(self, request: ChatRequest) -> ChatRequest:
        """The request as it is sent: with tools and calls in words where llama-server would leave them out."""
        if self._template_has_tools and not (request.schema is not None and offered(request)):
            return request
        return _llama_tools.described(request)

    def _chat_tokens(self, request: ChatRequest) -> int:
        images = _images(request)
        self._check(request)
        asked = conversation(self._told(request))
        try:
            return int(self._ask("POST", "/v1/chat/completions/input_tokens", asked, images)["input_tokens"])
        except _NoSuchPath:  # a program from before 2026
            return self._tokens(self._ask("POST", "/apply-template", asked)["prompt"])

    def _rank_tokens(self, request: RerankRequest) -> int:
        """Query and document are put together by a template of the model, or with tokens between and around them."""
        template = read_header(self._file).text("tokenizer.chat_template.rerank")
        if template is not None:
            asked = template.replace("{query}", request.query)
            return sum(self._tokens(asked.replace("{document}", one), around=False) for one in request.documents)
        if self._pair_tokens is None:  # known by trying the shortest pair: which tokens those are is not told
            pair = self._ask("POST", "/v1/rerank", {"query": "a", "documents": ["a"]})
            self._pair_tokens = int(pair["usage"]["prompt_tokens"]) - 2 * self._bare("a")
        each = self._pair_tokens + self._bare(request.query)
        return sum(each + self._bare(document) for document in request.documents)

    def _vocabulary(self) -> int:
        """How many tokens the model knows."""
        return int(self._ask("GET", "/v1/models")["data"][0]["meta"]["n_vocab"])

    def _tokens(self, text: str, *, around: bool = True, special: bool = True) -> int:
        """around: with the tokens that stand around every text. special: names of special tokens are such tokens."""
        asked = {"content": text, "add_special": around, "parse_special": special}
        return len(self._ask("POST", "/tokenize", asked)["tokens"])

    def _bare(self, text: str) -> int:
        return self._tokens(text, around=False, special=False)

    def _ask(self, method: str, path: str, asked: object = None, images: int = 0) -> Any:
        try:
            status, found = ask(self._address, method, path, asked)
        except OSError as error:
            raise self._died(str(error)) from error
        if status == 404:
            raise _NoSuchPath
        if status != 200:
            raise failure(status, found, schema=False, address=self._address, images=images)
        return found

    def _died(self, detail: str) -> EngineCrashed:
        status = self._server.status(patience=2.0)
        return EngineCrashed(NAME, status or "connection lost", useful_lines(self._server.tail()) or detail)


class _NoSuchPath(Exception):
    """The server is of a version that does not have what was asked for."""


def _release(answers: "weakref.WeakSet[Answer]", server: KeptProcess | Package, folder: Path) -> None:
    # The server in this process waits for every request that it serves, and an answer may go on for long.
    for answer in list(answers):
        answer.close()
    server.close()
    shutil.rmtree(folder, ignore_errors=True)


def _images(request: ChatRequest) -> int:
    return sum(len(message.images) for message in request.messages)


def _features(props: dict[str, Any], options: LoadOptions) -> frozenset[str]:
    if options.task != "chat":
        return frozenset({options.task})
    guesses = options.settings.get("speculation") == "ngram"
    sees = props.get("modalities", {}).get("vision") is True
    return FEATURES | (set() if guesses else {"logprobs"}) | ({"images"} if sees else set())


def _read_calls(exchange: Exchange, fail: Fail, read: Read, structured: bool) -> Iterator[Event]:
    return _llama_tools.events(read(exchange, fail), structured)
