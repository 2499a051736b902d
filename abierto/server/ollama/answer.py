"""What the answers of chat and generate have in common: events become lines, or one whole answer. Pure functions.

Times are nanoseconds. `load_duration` is what this request waited for the model's start, 0 for one that was there.
"""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from time import perf_counter
from typing import Any

from abierto.server.exchange import JSON_LINES, Facts, line
from abierto.tasks.events import Event, Finish, Logprobs, Reasoning, Text, ToolCallDelta, Usage

_NANOSECONDS = 1_000_000_000

# What one piece of an answer is in the body: from words, thoughts and calls to the fields of chat or of generate.
Form = Callable[[str, str, Sequence[dict[str, Any]]], dict[str, Any]]


class Answer:
    """One answer, whole or as a stream (see `exchange.Stream`). model: as the request named it."""

    media_type = JSON_LINES

    def __init__(self, model: str, form: Form) -> None:
        self._model, self._form = model, form
        self._began = perf_counter()
        self._load = 0.0
        self._usage = Usage(0, 0)
        self._reason = "stop"
        self._logprobs: list[dict[str, Any]] = []
        self._calls: list[ToolCallDelta] = []

    def begin(self, facts: Facts) -> bytes:
        """See `exchange.Stream`."""
        self._load = facts.load_seconds
        return b""

    def event(self, index: int, event: Event) -> bytes:
        """See `exchange.Stream`."""
        match event:
            case Text():
                return self._piece(event.text, "")
            case Reasoning():
                return self._piece("", event.text)
            case Finish() if self._calls:
                calls, words = calls_of(self._calls)
                self._note(event)
                return self._piece(words, "", calls)
        self._note(event)
        return b""

    def end(self) -> bytes:
        """See `exchange.Stream`."""
        return line({**self._head(), **self._form("", "", ()), **self._tail(), **self._taken_logprobs()})

    def failed(self, body: Any) -> bytes:
        """See `exchange.Stream`."""
        return line(body)

    def whole(self, answers: Sequence[Sequence[Event]], facts: Facts) -> Any:
        """The body of a whole answer."""
        events = answers[0]
        self.begin(facts)
        for event in events:
            self._note(event)
        calls, rest = calls_of(self._calls)
        words = "".join(event.text for event in events if isinstance(event, Text)) + rest
        thoughts = "".join(event.text for event in events if isinstance(event, Reasoning))
        return {**self._head(), **self._form(words, thoughts, calls), **self._tail(), **self._taken_logprobs()}

    def ready(self, reason: str, load: float = 0.0) -> Any:
        """The body for a model that was loaded or let go, without an answer. load: seconds."""
        self._load = load
        return {**self._head(), **self._form("", "", ()), "done": True, "done_reason": reason, **self._times()}

    def _note(self, event: Event) -> None:
        match event:
            case ToolCallDelta():
                self._calls.append(event)
            case Logprobs():
                self._logprobs += map(_logprob, event.tokens)
            case Usage():
                self._usage = event
            case Finish():
                self._reason = "length" if event.reason == "length" else "stop"

    def _piece(self, words: str, thoughts: str, calls: Sequence[dict[str, Any]] = ()) -> bytes:
        fields = self._form(words, thoughts, calls)
        return line({**self._head(), **fields, "done": False, **self._taken_logprobs()})

    def _taken_logprobs(self) -> dict[str, Any]:
        taken, self._logprobs = self._logprobs, []
        return {"logprobs": taken} if taken else {}

    def _head(self) -> dict[str, Any]:
        return {"model": self._model, "created_at": now()}

    def _times(self) -> dict[str, int]:
        return {
            "total_duration": _nanoseconds(perf_counter() - self._began),
            "load_duration": _nanoseconds(self._load),
        }

    def _tail(self) -> dict[str, Any]:
        usage = self._usage
        return {
            "done": True,
            "done_reason": self._reason,
            **self._times(),
            "prompt_eval_count": usage.prompt_tokens,
            "prompt_eval_duration": _nanoseconds(usage.prompt_seconds),
            "eval_count": usage.completion_tokens,
            "eval_duration": _nanoseconds(usage.generation_seconds),
        }


def calls_of(deltas: Sequence[ToolCallDelta]) -> tuple[list[dict[str, Any]], str]:
    """The whole calls that the deltas add up to; and as words what is no call, because its arguments are no object.

    Ollama's clients take nothing but an object there, and what the model wrote must not be lost.
    """
    written: dict[int, list[str]] = {}
    for delta in deltas:
        call = written.setdefault(delta.index, ["", "", ""])
        call[0], call[1] = delta.id or call[0], delta.name or call[1]
        call[2] += delta.arguments
    calls: list[dict[str, Any]] = []
    words = ""
    for index, (name_of_call, name, text) in sorted(written.items()):
        arguments = _object(text)
        if arguments is None:
            words += f"{name}({text})"
        else:
            calls.append({"id": name_of_call, "function": {"index": index, "name": name, "arguments": arguments}})
    return calls, words


def now() -> str:
    """The time as Ollama tells it."""
    return datetime.now(UTC).isoformat().replace("+00:00", "Z")


def _object(text: str) -> dict[str, Any] | None:
    try:
        found = json.loads(text or "{}")
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _logprob(token: dict[str, Any]) -> dict[str, Any]:
    return {**_token(token), **({"top_logprobs": [_token(other) for other in token["top"]]} if token["top"] else {})}


def _token(token: dict[str, Any]) -> dict[str, Any]:
    return {name: token[name] for name in ("token", "logprob", "bytes")}


def _nanoseconds(seconds: float) -> int:
    return round(seconds * _NANOSECONDS)
