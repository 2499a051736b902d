"""Tools for a model whose chat template has no words for them: they are described in the first message, and the answer
is held to a JSON object that has either calls or a response, which is turned back into events. It knows no server.

llama-server itself leaves the tools out of such a model's prompt without a word; and of any model's when the answer is
to follow a schema, too, so that those requests come this way as well.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from secrets import token_hex
from typing import Any

from abierto.engines._llama_request import offered
from abierto.engines.turns_in_words import in_words
from abierto.tasks.chat import ChatRequest, Message, Tool
from abierto.tasks.events import Event, Finish, Text, ToolCallDelta, Usage

MOST_CALLS = 8  # in one answer: small models know no end
_RESPONSE_BEGINS = re.compile(r'\s*\{\s*"response"\s*:\s*"')
_BEGINS = re.compile(r'\s*\{\s*"(tool_calls|response)"\s*:\s*')
_END_OF_STRING = re.compile(r'(?<!\\)(?:\\\\)*"')


def described(request: ChatRequest) -> ChatRequest:
    """The same request without tools and calls, whose answer `events` can read; or just in plain words where the model
    may not call any."""
    messages = in_words(request.messages)
    plain = replace(request, messages=messages, tools=(), tool_choice="auto")
    tools = offered(request)
    if not tools:
        return plain
    forced = request.tool_choice != "auto"
    words = _description(tools, forced, request.parallel_calls)
    first = messages[0]
    if first.role == "system":
        told = (replace(first, content=f"{first.content}\n\n{words}"), *messages[1:])
    else:
        told = (Message("system", words), *messages)
    return replace(plain, messages=told, schema=_schema(request, tools, forced))


def events(answer: Iterator[Event], structured: bool) -> Iterator[Event]:
    """The events of an answer to what `described` asked. structured: the response has a schema of its own."""
    reading = _Object(structured)
    for event in answer:
        match event:
            case Text():
                if text := reading.add(event.text):
                    yield Text(text)
            case Usage():
                yield from reading.rest()
                yield event
            case Finish("stop") if reading.calls:
                yield Finish("tool_calls")
            case _:
                yield event


class _Object:
    """Reads the JSON object as it is written. calls: how many whole ones it had, known at the end."""

    def __init__(self, structured: bool) -> None:
        self.calls = 0
        self._held = ""
        self._responds, self._over, self._structured = False, False, structured

    def add(self, text: str) -> str:
        """What can be said of the response now."""
        if self._over:
            return ""
        self._held += text
        if not self._responds:
            begun = None if self._structured else _RESPONSE_BEGINS.match(self._held)
            if not begun:
                return ""
            self._responds, self._held = True, self._held[begun.end() :]
        if end := _END_OF_STRING.search(self._held):
            self._over, self._held = True, self._held[: end.end() - 1]
        said, self._held = _decoded(self._held)
        return said

    def rest(self) -> Iterator[Event]:
        """What is known only at the end: the calls, as far as they are whole; or a response that follows a schema."""
        begun = _BEGINS.match(self._held)
        if self._responds or not begun:
            return
        written = self._held[begun.end() :]
        if begun[1] == "response":
            # Whole, it is followed by the brace that closes the object; a limit may have cut it.
            yield Text(written.rstrip().removesuffix("}").rstrip() if _whole(self._held) else written)
            return
        for call in _calls(written):
            yield ToolCallDelta(self.calls, f"call_{token_hex(12)}", call["name"])
            yield ToolCallDelta(self.calls, arguments=json.dumps(call["arguments"], ensure_ascii=False))
            self.calls += 1


def _calls(written: str) -> Iterator[dict[str, Any]]:
    """The items of the beginning of a JSON array."""
    place = written.find("{")
    while place >= 0:
        try:
            call, end = json.JSONDecoder(strict=False).raw_decode(written, place)
        except ValueError:  # a limit, or a stop string, cut it
            return
        yield call
        place = written.find("{", end)


def _whole(written: str) -> bool:
    try:
        json.loads(written, strict=False)
    except ValueError:
        return False
    return True


def _decoded(written: str) -> tuple[str, str]:
    """The text of the inside of a JSON string, and what of it may be half of an escape or of a pair of surrogates."""
    for end in range(len(written), max(len(written) - 12, -1), -1):
        try:
            text = str(json.loads(f'"{written[:end]}"', strict=False))
        except ValueError:
            continue
        if not text[-1:] or not "\ud800" <= text[-1] <= "\udbff":
            return text.encode("utf-8", "replace").decode(), written[end:]
    return "", written


def _description(tools: tuple[Tool, ...], forced: bool, several: bool) -> str:
    lines = ["You can call these functions:"]
    for tool in tools:
        told = {"name": tool.name, "description": tool.description, "parameters": dict(tool.parameters)}
        lines.append(json.dumps(told, ensure_ascii=False))
    form = '{"tool_calls": [{"name": "...", "arguments": {...}}]}'
    how = "one or more of them" if several else "one of them"
    lines.append(f"To call {how}, answer with a JSON object of this form: {form}")
    if not forced:
        lines.append('To say something instead, answer with a JSON object of this form: {"response": "..."}')
    return "\n".join(lines)


def _schema(request: ChatRequest, tools: tuple[Tool, ...], forced: bool) -> dict[str, Any]:
    places = {f"tool{number}": _moved(dict(tool.parameters), f"tool{number}") for number, tool in enumerate(tools)}
    calls = [
        _object({"name": {"const": tool.name}, "arguments": {"$ref": f"#/$defs/{place}"}})
        for tool, place in zip(tools, places, strict=True)
    ]
    one = not request.parallel_calls or request.tool_choice not in ("auto", "required")
    several = {"type": "array", "minItems": 1, "maxItems": 1 if one else MOST_CALLS}
    ways = [_object({"tool_calls": {**several, "items": {"anyOf": calls}}})]
    if not forced:
        response = {"type": "string"}
        if request.schema is not None:
            places["response"] = _moved(dict(request.schema), "response")
            response = {"$ref": "#/$defs/response"}
        ways.append(_object({"response": response}))
    return {"anyOf": ways, "$defs": places}


def _object(properties: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _moved(part: Any, place: str) -> Any:
    """A schema that stands in `$defs` of another one: references to its own root go there."""
    if isinstance(part, dict):
        moved = {name: _moved(value, place) for name, value in part.items()}
        target = moved.get("$ref")
        if isinstance(target, str) and (target == "#" or target.startswith("#/")):
            moved["$ref"] = f"#/$defs/{place}{target[1:]}"
        return moved
    return [_moved(one, place) for one in part] if isinstance(part, list) else part
