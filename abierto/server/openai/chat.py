"""OpenAI's /v1/chat/completions: events become chunks, or one whole answer. Pure functions."""

import secrets
from collections.abc import Sequence
from typing import Any

from abierto.server.exchange import EVENT_STREAM, Call, Facts, Job, Route, sse
from abierto.server.openai.chat_body import parse
from abierto.server.openai.chat_forms import ChatBody
from abierto.tasks.events import Event, Finish, Logprobs, Reasoning, Text, ToolCallDelta, Usage


def chat(call: Call) -> Job:
    """The job that a body asks for."""
    body: ChatBody = call.body
    usage = bool(body.stream_options and body.stream_options.include_usage)
    name = f"chatcmpl-{secrets.token_hex(12)}"
    stream = ChatStream(name, usage=usage) if body.stream else None
    return Job(
        body.model,
        parse(body),
        lambda answers, facts: whole(name, answers, facts),
        stream,
        body.keep_alive,
    )


def whole(name: str, answers: Sequence[Sequence[Event]], facts: Facts) -> Any:
    """The body of a whole answer."""
    return {
        "id": name,
        "object": "chat.completion",
        "created": facts.created,
        "model": facts.model,
        "choices": [_choice(index, events) for index, events in enumerate(answers)],
        "usage": usage_of([event for events in answers for event in events if isinstance(event, Usage)]),
        "system_fingerprint": facts.loaded,
    }


class ChatStream:
    """See `exchange.Stream`."""

    media_type = EVENT_STREAM

    def __init__(self, name: str, *, usage: bool) -> None:
        self._name, self._with_usage = name, usage
        self._head: dict[str, Any] = {}
        self._usages: list[Usage] = []
        self._begun: set[int] = set()
        self._logprobs: dict[int, list[dict[str, Any]]] = {}

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        self._head = {
            "id": self._name,
            "object": "chat.completion.chunk",
            "created": facts.created,
            "model": facts.model,
            "system_fingerprint": facts.loaded,
        }
        return b""

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`."""
        match event:
            case Text():
                return self._chunk(index, {"content": event.text}, logprobs=self._logprobs.pop(index, None))
            case Reasoning():
                return self._chunk(index, {"reasoning_content": event.text})
            case ToolCallDelta():
                return self._chunk(index, {"tool_calls": [_call_delta(event)]})
            case Logprobs():
                self._logprobs.setdefault(index, []).extend(event.tokens)
            case Finish():
                return self._chunk(index, {}, event.reason)
            case Usage():
                self._usages.append(event)
        return b""

    def end(self) -> bytes:
        """See `exchange.Stream`. With `include_usage` the last chunk has no choices."""
        usage = {**self._head, "choices": [], "usage": usage_of(self._usages)}
        return (sse(usage) if self._with_usage else b"") + b"data: [DONE]\n\n"

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return sse(body)

    def _chunk(
        self, index: int, delta: dict[str, Any], reason: str | None = None, logprobs: list[dict[str, Any]] | None = None
    ) -> bytes:
        if index not in self._begun:
            self._begun.add(index)
            delta = {"role": "assistant", "content": "", **delta}
        choice = {"index": index, "delta": delta, "logprobs": logprobs_of(logprobs), "finish_reason": reason}
        chunk = {**self._head, "choices": [choice]}
        return sse(chunk | ({"usage": None} if self._with_usage else {}))


def usage_of(usages: Sequence[Usage]) -> dict[str, Any]:
    """What all answers cost together; the prompt was one for all."""
    prompt = max((usage.prompt_tokens for usage in usages), default=0)
    completion = sum(usage.completion_tokens for usage in usages)
    cached = max((usage.cached_tokens for usage in usages), default=0)
    return {
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "total_tokens": prompt + completion,
        "prompt_tokens_details": {"cached_tokens": cached},
    }


def logprobs_of(tokens: list[dict[str, Any]] | None) -> Any:
    """The log-probabilities of tokens, as chat tells them."""
    if tokens is None:
        return None
    told = [{**_token(token), "top_logprobs": [_token(other) for other in token["top"]]} for token in tokens]
    return {"content": told, "refusal": None}


def _token(token: dict[str, Any]) -> dict[str, Any]:
    return {name: token[name] for name in ("token", "bytes", "logprob")}


def _choice(index: int, events: Sequence[Event]) -> dict[str, Any]:
    words = "".join(event.text for event in events if isinstance(event, Text))
    thoughts = "".join(event.text for event in events if isinstance(event, Reasoning))
    calls = calls_of(events)
    told = [token for event in events if isinstance(event, Logprobs) for token in event.tokens]
    has_logprobs = any(isinstance(event, Logprobs) for event in events)
    message: dict[str, Any] = {"role": "assistant", "content": words if words or not calls else None, "refusal": None}
    message |= {"reasoning_content": thoughts} if thoughts else {}
    message |= {"tool_calls": calls} if calls else {}
    reason = next((event.reason for event in events if isinstance(event, Finish)), "stop")
    logprobs = logprobs_of(told) if has_logprobs else None
    return {"index": index, "message": message, "logprobs": logprobs, "finish_reason": reason}


def calls_of(events: Sequence[Event]) -> list[dict[str, Any]]:
    """The whole calls that the deltas add up to."""
    calls: dict[int, dict[str, Any]] = {}
    for event in events:
        if isinstance(event, ToolCallDelta):
            call = calls.setdefault(
                event.index, {"id": "", "type": "function", "function": {"name": "", "arguments": ""}}
            )
            call["id"] = event.id or call["id"]
            call["function"]["name"] = event.name or call["function"]["name"]
            call["function"]["arguments"] += event.arguments
    return [calls[index] for index in sorted(calls)]


def _call_delta(event: ToolCallDelta) -> dict[str, Any]:
    function: dict[str, Any] = {"arguments": event.arguments}
    if not event.name:
        return {"index": event.index, "function": function}
    return {"index": event.index, "id": event.id, "type": "function", "function": {"name": event.name, **function}}


ROUTES = (Route("POST", "/v1/chat/completions", chat, ChatBody),)
