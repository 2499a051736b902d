"""Anthropic's /v1/messages: events become blocks, in a stream or as one whole answer. Pure functions.

What a prompt costs is known when it has been read: a stream tells it in its last but one event, not in its first.
"""

import json
import secrets
from collections.abc import Sequence
from typing import Any

from abierto.server.anthropic.messages_body import CountBody, MessagesBody, conversation, parse
from abierto.server.exchange import EVENT_STREAM, Call, Facts, Job, Reply, Route, sse
from abierto.tasks.events import Event, Finish, Progress, Reasoning, Text, ToolCallDelta, Usage

# A signature proves to Anthropic's servers that their model thought this. Clients want one that is not empty.
SIGNATURE = "unsigned"


def messages(call: Call) -> Job:
    """Ask a model for the next message."""
    body: MessagesBody = call.body
    answer = Answer(
        secrets.token_hex(12), body.max_tokens, hidden=bool(body.thinking and body.thinking.display == "omitted")
    )
    stream = MessageStream(answer) if body.stream else None
    return Job(body.model, (parse(body),), lambda answers, facts: answer.whole(answers[0], facts), stream)


def count_tokens(call: Call) -> Reply:
    """Count the tokens of a conversation as the model would read them."""
    body: CountBody = call.body
    request = conversation(body)
    with call.state.residents.turn(body.model, request.task, request.needs) as model:
        return Reply({"input_tokens": model.count_tokens(request)})


class Answer:
    """What the forms of one answer have in common. name: random, of which the names of the message and its calls are
    made. hidden: thoughts are not told."""

    def __init__(self, name: str, max_tokens: int, *, hidden: bool = False) -> None:
        self.name, self.max_tokens, self.hidden = name, max_tokens, hidden

    def message(self, facts: Facts) -> dict[str, Any]:
        """The message before anything was said."""
        return {
            "id": f"msg_{self.name}",
            "type": "message",
            "role": "assistant",
            "model": facts.model,
            "content": [],
            "stop_reason": None,
            "stop_sequence": None,
            "usage": usage_of(Usage(0, 0)),
        }

    def whole(self, events: Sequence[Event], facts: Facts) -> Any:
        """The body of a whole answer."""
        usage = next((event for event in events if isinstance(event, Usage)), Usage(0, 0))
        finish = next((event for event in events if isinstance(event, Finish)), Finish("stop"))
        told = {"content": self._blocks(events), **self.ending(finish, usage), "usage": usage_of(usage)}
        return self.message(facts) | told

    def ending(self, finish: Finish, usage: Usage) -> dict[str, Any]:
        """Why the answer ended."""
        reason = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}[finish.reason]
        if finish.reason == "stop" and finish.stop:
            reason = "stop_sequence"
        elif finish.reason == "length" and usage.completion_tokens < self.max_tokens:
            reason = "model_context_window_exceeded"
        return {"stop_reason": reason, "stop_sequence": finish.stop or None}

    def opened(self, event: Text | Reasoning | ToolCallDelta) -> dict[str, Any]:
        """The block that begins with this event, empty."""
        match event:
            case Text():
                return {"type": "text", "text": ""}
            case Reasoning():
                return {"type": "thinking", "thinking": "", "signature": ""}
            case ToolCallDelta():
                # An engine's own ids may be the same in each answer; clients keep all calls of a conversation by them.
                return {"type": "tool_use", "id": f"toolu_{self.name}{event.index:02}", "name": event.name, "input": {}}

    def _blocks(self, events: Sequence[Event]) -> list[dict[str, Any]]:
        blocks: list[dict[str, Any]] = []
        pieces: list[list[str]] = []
        latest: object = None
        for event in events:
            if not isinstance(event, Text | Reasoning | ToolCallDelta):
                continue
            if key_of(event) != latest:
                latest = key_of(event)
                blocks.append(self.opened(event))
                pieces.append([])
            pieces[-1].append(event.arguments if isinstance(event, ToolCallDelta) else event.text)
        return [self._filled(block, "".join(said)) for block, said in zip(blocks, pieces, strict=True)]

    def _filled(self, block: dict[str, Any], said: str) -> dict[str, Any]:
        match block["type"]:
            case "text":
                return block | {"text": said}
            case "thinking":
                return block | {"thinking": "" if self.hidden else said, "signature": SIGNATURE}
            case _:
                return block | {"input": input_of(said)}


class MessageStream:
    """See `exchange.Stream`. One block is open at a time: the pieces of a tool call come together, as engines write
    them."""

    media_type = EVENT_STREAM

    def __init__(self, answer: Answer) -> None:
        self._answer = answer
        self._index = -1
        self._open: object = None
        self._usage, self._finish = Usage(0, 0), Finish("stop")

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        return _named({"type": "message_start", "message": self._answer.message(facts)}) + _PING

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`. A sign of life while a long prompt is read."""
        match event:
            case Text() | Reasoning() | ToolCallDelta():
                return self._turned_to(event) + self._delta(event)
            case Progress():
                return _PING
            case Usage():
                self._usage = event
            case Finish():
                self._finish = event
        return b""

    def end(self) -> bytes:
        """See `exchange.Stream`."""
        told = {"delta": self._answer.ending(self._finish, self._usage), "usage": usage_of(self._usage)}
        return self._closed() + _named({"type": "message_delta", **told}) + _named({"type": "message_stop"})

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return _named(body)

    def _turned_to(self, event: Text | Reasoning | ToolCallDelta) -> bytes:
        key = key_of(event)
        if key == self._open:
            return b""
        closed = self._closed()
        self._open, self._index = key, self._index + 1
        block = self._answer.opened(event)
        return closed + _named({"type": "content_block_start", "index": self._index, "content_block": block})

    def _delta(self, event: Text | Reasoning | ToolCallDelta) -> bytes:
        match event:
            case Text():
                return self._told({"type": "text_delta", "text": event.text})
            case ToolCallDelta():
                return self._told({"type": "input_json_delta", "partial_json": event.arguments})
            case Reasoning():
                told = {"type": "thinking_delta", "thinking": event.text}
                return b"" if self._answer.hidden else self._told(told)

    def _told(self, delta: dict[str, Any]) -> bytes:
        return _named({"type": "content_block_delta", "index": self._index, "delta": delta})

    def _closed(self) -> bytes:
        if self._open is None:
            return b""
        signed = self._told({"type": "signature_delta", "signature": SIGNATURE}) if self._open is Reasoning else b""
        self._open = None
        return signed + _named({"type": "content_block_stop", "index": self._index})


def key_of(event: Text | Reasoning | ToolCallDelta) -> object:
    """What is the same for all events of a block, and other for the next block's."""
    return event.index if isinstance(event, ToolCallDelta) else type(event)


def usage_of(usage: Usage) -> dict[str, int]:
    """What the answer cost. What was still known from an earlier request counts apart."""
    return {
        "input_tokens": usage.prompt_tokens - usage.cached_tokens,
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.completion_tokens,
    }


def input_of(arguments: str) -> dict[str, Any]:
    """The input of a tool. What is no JSON object, such as one that a limit cut short, stands in an object whole, under
    the key that Anthropic's documents have for that."""
    try:
        found = json.loads(arguments or "{}")
    except (ValueError, RecursionError):
        found = None
    return found if isinstance(found, dict) else {"INVALID_JSON": arguments}


def _named(body: dict[str, Any]) -> bytes:
    return sse(body, body["type"])


_PING = _named({"type": "ping"})

ROUTES = (
    Route("POST", "/v1/messages", messages, MessagesBody),
    Route("POST", "/v1/messages/count_tokens", count_tokens, CountBody, blocking=True),
)
