"""Answers in OpenAI's dialect as our events, in the variants that providers write. Pure; it knows no connection."""

import json
from collections.abc import Iterator, Mapping, Sequence
from math import sqrt
from typing import Any, Literal

from abierto.engines import _remote_errors
from abierto.errors import ContentRefused, RemoteGarbled, RemoteInterrupted
from abierto.tasks.events import Embedding, Event, Finish, Logprobs, Reasoning, Score, Text, ToolCallDelta, Usage

_DONE = b"[DONE]"
LONGEST_LINE = 16_000_000  # bytes
_Reason = Literal["stop", "length", "tool_calls"]


class Translator:
    """One answer of a chat or a completion. provider, model: for errors."""

    def __init__(self, provider: str, model: str) -> None:
        self._provider, self._model = provider, model
        self._calls: dict[int, str] = {}
        self._reason: _Reason | None = None
        self.usage = Usage(0, 0)
        self.characters = 0

    def events(self, pieces: Iterator[bytes]) -> Iterator[Event]:
        """The events of a stream, from the data of its server-sent events, without Usage and Finish.

        Raises RemoteInterrupted for a stream that ends before the answer does, RemoteGarbled for what is none,
        ContentRefused, and what a piece tells of.
        """
        for piece in pieces:
            if piece == _DONE:
                break
            yield from self.piece(self._parsed(piece))
        if self._reason is None:
            raise RemoteInterrupted(self._provider, self.characters)

    def piece(self, body: Any) -> Iterator[Event]:
        """The events of one piece, or of a whole answer that was not streamed."""
        if not isinstance(body, Mapping):
            raise RemoteGarbled(self._provider, f"JSON, but no object: {str(body)[:80]}")
        if error := _remote_errors.in_stream(self._provider, self._model, body):
            raise error
        try:
            yield from self._piece(body)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            raise RemoteGarbled(self._provider, repr(error)) from error

    @property
    def finish(self) -> Finish:
        """The last event."""
        return Finish("tool_calls" if self._calls and self._reason != "length" else self._reason or "stop")

    def _parsed(self, piece: bytes) -> Any:
        try:
            return json.loads(piece)
        except ValueError as error:
            raise RemoteGarbled(self._provider, f"no JSON: {piece[:80].decode('utf-8', 'replace')}") from error

    def _piece(self, body: Mapping[str, Any]) -> Iterator[Event]:
        if told := body.get("usage") or (body.get("x_groq") or {}).get("usage"):
            self.usage = usage_of(told)
        for choice in body.get("choices") or ():
            # A whole answer has `message`, a completion `text`.
            delta = choice.get("delta") or choice.get("message") or {}
            if thought := delta.get("reasoning_content") or delta.get("reasoning"):
                yield Reasoning(_sound(thought))
            if told := choice.get("logprobs"):
                yield from _logprobs(told)
            if said := delta.get("content") or choice.get("text"):
                self.characters += len(said)
                yield Text(_sound(said))
            for place, call in enumerate(delta.get("tool_calls") or ()):
                yield self._call(call, place)
            if reason := choice.get("finish_reason"):
                self._end(reason, delta)

    def _call(self, call: Mapping[str, Any], place: int) -> ToolCallDelta:
        """A piece of a call. Some tell its index, some only its id, some both again and again."""
        function = call.get("function") or {}
        index, name = call.get("index"), call.get("id") or ""
        if index is None:
            known = [number for number, other in self._calls.items() if other == name]
            index = known[0] if known else len(self._calls) if name else max(self._calls, default=place)
        arguments = str(function.get("arguments") or "")
        if index in self._calls:
            return ToolCallDelta(index, arguments=arguments)
        self._calls[index] = name or f"call_{index}"
        return ToolCallDelta(index, self._calls[index], str(function.get("name") or ""), arguments)

    def _end(self, reason: str, delta: Mapping[str, Any]) -> None:
        if reason == "content_filter":
            raise ContentRefused(self._provider, str(delta.get("refusal") or reason))
        self._reason = "length" if reason == "length" else "stop"


def usage_of(told: Mapping[str, Any]) -> Usage:
    """What an answer cost, without times."""
    details = told.get("prompt_tokens_details") or {}
    return Usage(
        prompt_tokens=int(told.get("prompt_tokens") or told.get("total_tokens") or 0),
        completion_tokens=int(told.get("completion_tokens") or 0),
        cached_tokens=int(details.get("cached_tokens") or 0),
    )


def embeddings(provider: str, body: Any, texts: int) -> list[Event]:
    """The vectors of so many texts, in order and of the length 1. Raises RemoteGarbled."""
    try:
        found = {int(item["index"]): [float(value) for value in item["embedding"]] for item in body["data"]}
        return [Embedding(index, _unit(found[index])) for index in range(texts)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RemoteGarbled(provider, f"no embeddings: {error!r}") from error


def scores(provider: str, body: Any, documents: int) -> list[Event]:
    """The scores of so many documents, in order. Raises RemoteGarbled."""
    try:
        found = {int(item["index"]): float(item["relevance_score"]) for item in body["results"]}
        return [Score(index, found[index]) for index in range(documents)]
    except (ValueError, LookupError, TypeError, AttributeError) as error:
        raise RemoteGarbled(provider, f"no scores: {error!r}") from error


def data_of(provider: str, blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The data of server-sent events, from the bytes of a body as they arrive. Comments and names are passed over.

    Raises RemoteGarbled for a line without an end.
    """
    rest = b""
    for block in blocks:
        *lines, rest = (rest + block).split(b"\n")
        if len(rest) > LONGEST_LINE:
            raise RemoteGarbled(provider, f"a line of more than {LONGEST_LINE} bytes")
        yield from (line[5:].strip() for line in lines if line.startswith(b"data:"))
    if rest.startswith(b"data:"):
        yield rest[5:].strip()


def _unit(values: Sequence[float]) -> list[float]:
    length = sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def _sound(said: str) -> str:
    """Text without halves of characters: JSON can hold one, and nothing that is written may."""
    return said.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _logprobs(told: Mapping[str, Any]) -> Iterator[Logprobs]:
    content = told.get("content")
    if isinstance(content, Mapping):  # SambaNova's types have one token where others have a list
        content = [content]
    if content:
        yield Logprobs([{**_token(token), "top": _alternatives(token.get("top_logprobs"))} for token in content])
        return
    tokens, values = told.get("tokens") or (), told.get("token_logprobs") or ()
    tops = told.get("top_logprobs") or [None] * len(tokens)
    if tokens:
        pairs = [{"token": token or "", "logprob": value or 0.0} for token, value in zip(tokens, values, strict=True)]
        yield Logprobs([{**_token(pair), "top": _alternatives(top)} for pair, top in zip(pairs, tops, strict=False)])


def _alternatives(told: Any) -> list[dict[str, Any]]:
    """The likeliest tokens, told as a list of tokens, as one token, or as numbers by token."""
    if isinstance(told, Mapping):
        told = [told] if "logprob" in told else [{"token": token, "logprob": value} for token, value in told.items()]
    return sorted((_token(token) for token in told or ()), key=lambda token: -float(token["logprob"]))


def _token(told: Mapping[str, Any]) -> dict[str, Any]:
    text = _sound(str(told["token"]))
    return {"token": text, "bytes": told.get("bytes") or list(text.encode()), "logprob": float(told["logprob"])}
