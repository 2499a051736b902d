"""From the events of an answer to those of OpenAI's /v1/responses, and to the response that they add up to.

The same events always give the same bytes: so an answer that was kept can be told again from any place. Pure.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from abierto.server.exchange import Facts, sse
from abierto.server.openai.responses_body import Head
from abierto.server.openai.responses_items import Item
from abierto.tasks.events import Event, Finish, Logprobs, Reasoning, Text, ToolCallDelta, Usage

_ERROR_CODES = {
    "invalid_request_error": "invalid_prompt",
    "not_found_error": "invalid_prompt",
    "rate_limit_error": "rate_limit_exceeded",
}


@dataclass(frozen=True, slots=True)
class Broken:
    """Why an answer ended before it was whole: the dialect's own error, or that somebody cancelled it (None)."""

    error: dict[str, Any] | None


# What is kept of an answer: facts, events, and None when it is whole or else why it is not.
Kept = Facts | Event | Broken | None
Told = dict[str, Any]


class Writer:
    """Tells one answer, each thing that is `fed` in at most a few events.

    An output item is open at a time: thoughts, words or a call; an event of another kind closes it. The engines tell
    one call after the other.
    """

    def __init__(self, head: Head) -> None:
        self._head = head
        self._status = "queued" if head.background else "in_progress"
        self._model = ""
        self._error: dict[str, Any] | None = None
        self._usage: Usage | None = None
        self._thought = 0
        self._output: list[Item] = []
        self._open = ""  # the kind of the last item while more may come of it
        self._call = -1
        self._pieces: list[str] = []
        self._logprobs: list[dict[str, Any]] = []  # of the text that comes next
        self._told: list[dict[str, Any]] = []  # of the open item
        self._finish = Finish("stop")
        self._sequence = 0

    @property
    def response(self) -> dict[str, Any]:
        """The response as it is now."""
        cut = self._status == "incomplete"
        return {
            "id": self._head.name,
            "object": "response",
            "created_at": self._head.created,
            "status": self._status,
            "error": self._error,
            "incomplete_details": {"reason": "max_output_tokens"} if cut else None,
            "model": self._model,
            "output": [dict(item) for item in self._output],
            "usage": self._usage and _usage_of(self._usage, self._thought),
            **self._head.echo,
        }

    def open(self) -> list[Told]:
        """What comes first of an answer that is made in the background."""
        return [self._lifecycle("created"), self._lifecycle("queued")]

    def feed(self, item: Kept) -> list[Told]:
        """What is told of it."""
        match item:
            case None:
                return list(self._ended())
            case Broken():
                return list(self._broken(item))
            case Facts():
                return self._begun(item)
            case Text():
                return list(self._text(item))
            case Reasoning():
                return list(self._reasoning(item))
            case ToolCallDelta():
                return list(self._tool_call(item))
            case Logprobs():
                self._logprobs.extend(item.tokens)
            case Usage():
                self._usage = item
            case Finish():
                self._finish = item
        return []

    def _begun(self, facts: Facts) -> list[Told]:
        self._status, self._model = "in_progress", facts.model
        return ([] if self._head.background else [self._lifecycle("created")]) + [self._lifecycle("in_progress")]

    def _text(self, event: Text) -> Iterator[Told]:
        if self._open != "message":
            yield from self._begin("message", {"role": "assistant", "content": []})
            yield self._part("added", _output_text("", []))
        tokens, self._logprobs = self._logprobs, []
        self._pieces.append(event.text)
        self._told.extend(tokens)
        place = {**self._place(), "content_index": 0}
        yield self._event("output_text.delta", **place, delta=event.text, logprobs=[_brief(token) for token in tokens])

    def _reasoning(self, event: Reasoning) -> Iterator[Told]:
        if self._open != "reasoning":
            yield from self._begin("reasoning", {"summary": [], "content": []})
            yield self._part("added", {"type": "reasoning_text", "text": ""})
        self._pieces.append(event.text)
        self._thought += 1
        yield self._event("reasoning_text.delta", **self._place(), content_index=0, delta=event.text)

    def _tool_call(self, event: ToolCallDelta) -> Iterator[Told]:
        if self._open != "function_call" or self._call != event.index:
            self._call = event.index
            name = event.id or f"call_{self._key()}"
            yield from self._begin("function_call", {"call_id": name, "name": event.name, "arguments": ""})
        if event.arguments:
            self._pieces.append(event.arguments)
            yield self._event("function_call_arguments.delta", **self._place(), delta=event.arguments)

    def _begin(self, kind: str, fields: Item) -> Iterator[Told]:
        yield from self._close()
        prefix = {"message": "msg", "reasoning": "rs", "function_call": "fc"}[kind]
        item = {"id": f"{prefix}_{self._key()}", "type": kind, "status": "in_progress", **fields}
        self._output.append(item)
        self._open, self._pieces = kind, []
        self._told = []
        yield self._event("output_item.added", output_index=len(self._output) - 1, item=dict(item))

    def _close(self, status: str = "completed") -> Iterator[Told]:
        """The end of the item that is open, if one is."""
        kind, self._open = self._open, ""
        if not kind:
            return
        text, place = "".join(self._pieces), self._place()
        item = self._output[-1]
        match kind:
            case "message":
                brief = [_brief(token) for token in self._told]
                yield self._event("output_text.done", **place, content_index=0, text=text, logprobs=brief)
                item["content"] = [_output_text(text, self._told)]
                yield self._part("done", item["content"][0])
            case "reasoning":
                yield self._event("reasoning_text.done", **place, content_index=0, text=text)
                item["content"] = [{"type": "reasoning_text", "text": text}]
                yield self._part("done", item["content"][0])
            case _:
                item["arguments"] = text
                yield self._event("function_call_arguments.done", **place, name=item["name"], arguments=text)
        item["status"] = status
        yield self._event("output_item.done", output_index=place["output_index"], item=dict(item))

    def _ended(self) -> Iterator[Told]:
        if not self._output:  # it said nothing, which is an answer too
            yield from self._text(Text(""))
        self._status = "incomplete" if self._finish.reason == "length" else "completed"
        yield from self._close(self._status)
        yield self._lifecycle(self._status)

    def _broken(self, broken: Broken) -> Iterator[Told]:
        yield from self._close("incomplete")
        if broken.error is None:
            # OpenAI's events have none for this.
            self._status = "cancelled"
            yield self._lifecycle("incomplete")
            return
        self._status = "failed"
        code = _ERROR_CODES.get(broken.error["type"], "server_error")
        self._error = {"code": code, "message": broken.error["message"], "param": broken.error["param"]}
        yield self._lifecycle("failed")

    def _part(self, what: str, part: Item) -> Told:
        return self._event(f"content_part.{what}", **self._place(), content_index=0, part=part)

    def _place(self) -> dict[str, Any]:
        return {"item_id": self._output[-1]["id"], "output_index": len(self._output) - 1}

    def _key(self) -> str:
        """A name for the next item: that of the response and a number."""
        return f"{self._head.name.removeprefix('resp_')}{len(self._output):02x}"

    def _lifecycle(self, what: str) -> Told:
        return self._event(what, response=self.response)

    def _event(self, what: str, **fields: Any) -> Told:
        told = {"type": f"response.{what}", "sequence_number": self._sequence, **fields}
        self._sequence += 1
        return told


def to_bytes(told: list[Told], after: int = -1) -> bytes:
    """The events as they are sent, without those up to the sequence number `after`."""
    return b"".join(sse(event, event["type"]) for event in told if event["sequence_number"] > after)


def _output_text(text: str, tokens: list[dict[str, Any]]) -> Item:
    told = [{**_token(token), "top_logprobs": [_token(other) for other in token["top"]]} for token in tokens]
    return {"type": "output_text", "text": text, "annotations": [], "logprobs": told}


def _token(token: dict[str, Any]) -> dict[str, Any]:
    return {name: token[name] for name in ("token", "bytes", "logprob")}


def _brief(token: dict[str, Any]) -> dict[str, Any]:
    """A token as the events of a stream tell it."""
    top = [{"token": other["token"], "logprob": other["logprob"]} for other in token["top"]]
    return {"token": token["token"], "logprob": token["logprob"], "top_logprobs": top}


def _usage_of(usage: Usage, thought: int) -> dict[str, Any]:
    """What it cost. thought: pieces of reasoning, which are tokens where an engine tells each by itself."""
    return {
        "input_tokens": usage.prompt_tokens,
        "input_tokens_details": {"cached_tokens": usage.cached_tokens, "cache_write_tokens": 0},
        "output_tokens": usage.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": min(thought, usage.completion_tokens)},
        "total_tokens": usage.prompt_tokens + usage.completion_tokens,
    }
