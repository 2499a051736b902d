"""Calls of tools, and their results, as plain turns of a conversation: for a model whose template has no words for
them, and would leave them out. It knows no engine.
"""

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from abierto.tasks.chat import Message


def in_words(messages: Sequence[Message]) -> tuple[Message, ...]:
    """The same conversation without calls: they stand in the text, and results are told by the user."""
    names = {call.id: call.name for message in messages for call in message.calls}
    return tuple(_told(message, names) for message in messages)


def _told(message: Message, names: dict[str, str]) -> Message:
    """A message whose calls, or results of calls, are text."""
    if message.calls:
        calls = [{"name": call.name, "arguments": _parsed(call.arguments)} for call in message.calls]
        said = json.dumps({"tool_calls": calls}, ensure_ascii=False)
        return replace(message, content="\n".join(filter(None, (message.content, said))), calls=())
    if message.role == "tool":
        told = {"tool": names.get(message.call_id, ""), "result": message.content}
        return replace(message, role="user", content=json.dumps(told, ensure_ascii=False), call_id="")
    return message


def _parsed(arguments: str) -> Any:
    try:
        return json.loads(arguments)
    except ValueError:
        return arguments
