"""What llama-server answers, as our events: pure functions over an exchange. It does not know what was asked.

Log-probabilities are of the model's own distribution, before temperature and filters. llama-server keeps text back that
may be half of a character, or the beginning of a stop string or of a mark, and tells of several tokens that come out
together only the last: such a piece of text is one entry here, with the log-probability of its last token.
"""

import json
from array import array
from base64 import b64decode
from collections.abc import Iterator
from secrets import token_hex
from time import perf_counter
from typing import Any

from abierto.engines._llama_client import NAME, Exchange, Fail
from abierto.errors import EngineFailed
from abierto.tasks.events import (
    Embedding,
    Event,
    Finish,
    Logprobs,
    Progress,
    Reasoning,
    Score,
    Text,
    ToolCallDelta,
    Usage,
)

# What stands for the logarithm of nothing; JSON has no infinity, and llama-server writes the lowest 32-bit number.
NEVER = -9999.0


def chat(exchange: Exchange, fail: Fail, stops: tuple[str, ...], alternatives: int | None) -> Iterator[Event]:
    """The events of /v1/chat/completions. stops: what may be told as such. alternatives: as `logprobs` of a request."""
    finish: Finish | None = None
    for line in exchange.events():
        if line == b"[DONE]":
            break
        body = json.loads(line)
        if "error" in body:
            raise fail(body["error"].get("code", 500), body)
        if progress := body.get("prompt_progress"):
            yield Progress("prompt", progress["processed"], progress["total"])
        for choice in body["choices"]:
            yield from _delta(choice, alternatives)
            if reason := choice["finish_reason"]:
                finish = Finish(reason if reason in ("length", "tool_calls") else "stop")
        if (stop := body.get("__verbose", {}).get("stopping_word")) in stops:
            finish = Finish("stop", stop)
        if usage := body.get("usage"):
            yield _usage(usage, body.get("timings", {}))
    if finish is None:
        raise EngineFailed(NAME, "the stream ended before the answer did")
    yield finish


def complete(exchange: Exchange, fail: Fail, stops: tuple[str, ...], alternatives: int | None) -> Iterator[Event]:
    """The events of /completion; see `chat`."""
    for line in exchange.events():
        body = json.loads(line)
        if "error" in body:
            raise fail(body["error"].get("code", 500), body)
        if progress := body.get("prompt_progress"):
            yield Progress("prompt", progress["processed"], progress["total"])
        if text := body["content"]:
            if alternatives is not None:
                yield _logprobs(text, body.get("completion_probabilities", []), alternatives)
            yield Text(text)
        if body["stop"]:
            timings = body.get("timings", {})
            counts = {"prompt_tokens": body["tokens_evaluated"], "completion_tokens": body["tokens_predicted"]}
            yield _usage({**counts, "prompt_tokens_details": {"cached_tokens": timings.get("cache_n", 0)}}, timings)
            stop = body["stopping_word"]
            yield Finish("length" if body["stop_type"] == "limit" else "stop", stop if stop in stops else "")
            return
    raise EngineFailed(NAME, "the stream ended before the answer did")


def embed(exchange: Exchange, fail: Fail) -> Iterator[Event]:  # noqa: ARG001 - as the others
    """The events of /v1/embeddings, with vectors in base64: 32-bit floats in this machine's order."""
    body = exchange.json()
    for index, one in enumerate(body["data"]):
        yield Embedding(index, array("f", b64decode(one["embedding"])).tolist())
    yield Usage(body["usage"]["prompt_tokens"], 0, 0, perf_counter() - exchange.began)
    yield Finish("stop")


def rerank(exchange: Exchange, fail: Fail) -> Iterator[Event]:  # noqa: ARG001 - as the others
    """The events of /v1/rerank, which answers the best first."""
    body = exchange.json()
    for one in sorted(body["results"], key=lambda result: int(result["index"])):
        yield Score(one["index"], one["relevance_score"])
    yield Usage(body["usage"]["prompt_tokens"], 0, 0, perf_counter() - exchange.began)
    yield Finish("stop")


def _delta(choice: dict[str, Any], alternatives: int | None) -> Iterator[Event]:
    delta = choice["delta"]
    if text := delta.get("reasoning_content"):
        yield Reasoning(text)
    if text := delta.get("content"):
        if alternatives is not None:
            yield _logprobs(text, (choice.get("logprobs") or {}).get("content", []), alternatives)
        yield Text(text)
    for call in delta.get("tool_calls", ()):
        function = call.get("function", {})
        name = function.get("name", "")
        # A name comes with the first piece, and some templates have no ids.
        number = call.get("id") or (f"call_{token_hex(12)}" if name else "")
        yield ToolCallDelta(call["index"], number, name, function.get("arguments", ""))


def _logprobs(text: str, told: list[dict[str, Any]], alternatives: int) -> Logprobs:
    entries = [_entry(one, alternatives) for one in told if one["bytes"]]
    if "".join(entry["token"] for entry in entries) != text:
        last = _entry(told[-1], alternatives)
        entries = [{**last, "token": text, "bytes": list(text.encode())}]
    return Logprobs(entries)


def _entry(told: dict[str, Any], alternatives: int) -> dict[str, Any]:
    top = [_token(other) for other in told["top_logprobs"][:alternatives]]
    return {**_token(told), "top": top}


def _token(told: dict[str, Any]) -> dict[str, Any]:
    return {"token": told["token"], "bytes": told["bytes"], "logprob": max(told["logprob"], NEVER)}


def _usage(usage: dict[str, Any], timings: dict[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=usage["prompt_tokens"],
        completion_tokens=usage["completion_tokens"],
        cached_tokens=usage.get("prompt_tokens_details", {}).get("cached_tokens", 0),
        prompt_seconds=timings.get("prompt_ms", 0.0) / 1000,
        generation_seconds=timings.get("predicted_ms", 0.0) / 1000,
    )
