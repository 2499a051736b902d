"""The turns of a conversation as Anthropic's dialect has them, blocks of many kinds, and as a chat model reads them.

A user's turn may hold the results of tools, which are messages of their own for us. Pure functions.
"""

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Literal

from msgspec import Struct

from abierto.errors import InvalidRequest
from abierto.server.media import decoded
from abierto.tasks.chat import Message, ToolCall


class TextBlock(Struct, tag="text"):
    """Text."""

    text: str


class DataSource(Struct, tag="base64"):
    """A file as data."""

    data: str


class UrlSource(Struct, tag="url"):
    """A file somewhere else."""


class FileSource(Struct, tag="file"):
    """A file that was sent earlier."""


class ImageBlock(Struct, tag="image"):
    """A picture."""

    source: DataSource | UrlSource | FileSource


class DocumentBlock(Struct, tag="document"):
    """A document, which no chat model here reads."""


class ThinkingBlock(Struct, tag="thinking"):
    """What the assistant thought."""

    thinking: str = ""


class RedactedBlock(Struct, tag="redacted_thinking"):
    """What the assistant thought, where only Anthropic can read it."""


class ToolUseBlock(Struct, tag="tool_use"):
    """A call that the assistant made."""

    id: str
    name: str
    input: dict[str, Any] = {}


class ToolResultBlock(Struct, tag="tool_result"):
    """What came of a call."""

    tool_use_id: str
    content: str | list[TextBlock | ImageBlock | DocumentBlock] | None = None
    is_error: bool | None = False


Block = (
    TextBlock | ImageBlock | DocumentBlock | ThinkingBlock | RedactedBlock | ToolUseBlock | ToolResultBlock
)  # any other kind is refused by the decoder


class Turn(Struct):
    """One turn."""

    role: Literal["user", "assistant", "system"]
    content: str | list[Block]


def messages_of(turns: Sequence[Turn]) -> tuple[Message, ...]:
    """The messages, of which no two of the same speaker follow each other. Raises InvalidRequest."""
    found: list[Message] = []
    called: set[str] = set()
    for index, turn in enumerate(turns):
        where = f"$.messages[{index}].content"
        made: Iterable[Message]
        if isinstance(turn.content, str):
            made = [Message(turn.role, turn.content)]
        elif turn.role == "assistant":
            made = [_assistant(turn.content, where)]
        elif turn.role == "system":
            made = [Message("system", words_of(turn.content, where))]
        else:
            made = _user(turn.content, where, called)
        for message in made:
            called |= {call.id for call in message.calls}
            if found and found[-1].role == message.role != "tool":
                found[-1] = _joined(found[-1], message)
            else:
                found.append(message)
    return tuple(found)


def words_of(blocks: Sequence[Block], where: str = "") -> str:
    """The text of blocks that are all text. Raises InvalidRequest."""
    for number, block in enumerate(blocks):
        if not isinstance(block, TextBlock):
            raise _misplaced(f"{where}[{number}]")
    return "\n".join(block.text for block in blocks if isinstance(block, TextBlock))


def _assistant(blocks: Sequence[Block], where: str) -> Message:
    words: list[str] = []
    thoughts: list[str] = []
    calls: list[ToolCall] = []
    for number, block in enumerate(blocks):
        match block:
            case TextBlock():
                words.append(block.text)
            case ThinkingBlock():
                thoughts.append(block.thinking)
            case RedactedBlock():
                pass  # a model here did not write it, and could not read it
            case ToolUseBlock():
                calls.append(ToolCall(block.id, block.name, json.dumps(block.input, ensure_ascii=False)))
            case _:
                raise _misplaced(f"{where}[{number}]")
    return Message("assistant", "\n".join(words), calls=tuple(calls), reasoning="\n".join(thoughts))


def _user(blocks: Sequence[Block], where: str, called: set[str]) -> list[Message]:
    """The results of tools, then what was said. Pictures of a result stand in what was said: chat templates know no
    others."""
    results: list[Message] = []
    words: list[str] = []
    images: list[bytes] = []
    for number, block in enumerate(blocks):
        place = f"{where}[{number}]"
        match block:
            case TextBlock():
                words.append(block.text)
            case ImageBlock():
                images.append(_image(block, place))
            case ToolResultBlock():
                if block.tool_use_id not in called:
                    raise InvalidRequest("no call before this has this id", f"{place}.tool_use_id")
                said, shown = _result(block, f"{place}.content")
                results.append(Message("tool", said, call_id=block.tool_use_id))
                images += shown
            case DocumentBlock():
                raise _unread(place)
            case _:
                raise _misplaced(place)
    said_too = [Message("user", "\n".join(words), tuple(images))] if words or images or not results else []
    return [*results, *said_too]


def _result(block: ToolResultBlock, where: str) -> tuple[str, list[bytes]]:
    words: list[str] = []
    images: list[bytes] = []
    content = [TextBlock(block.content)] if isinstance(block.content, str) else block.content or []
    for number, part in enumerate(content):
        match part:
            case TextBlock():
                words.append(part.text)
            case ImageBlock():
                images.append(_image(part, f"{where}[{number}]"))
            case DocumentBlock():
                raise _unread(f"{where}[{number}]")
    # No chat template has a place for the failure of a tool but the text.
    return ("Error: " if block.is_error else "") + "\n".join(words), images


def _image(block: ImageBlock, where: str) -> bytes:
    if not isinstance(block.source, DataSource):
        raise InvalidRequest("a picture comes as base64; addresses and files are not read here", f"{where}.source.type")
    return decoded(block.source.data, f"{where}.source.data")


def _joined(first: Message, then: Message) -> Message:
    return replace(
        first,
        content="\n".join(words for words in (first.content, then.content) if words),
        images=first.images + then.images,
        calls=first.calls + then.calls,
        reasoning="\n".join(thoughts for thoughts in (first.reasoning, then.reasoning) if thoughts),
    )


def _misplaced(where: str) -> InvalidRequest:
    return InvalidRequest("this kind of block has no place in a turn of this role", f"{where}.type")


def _unread(where: str) -> InvalidRequest:
    return InvalidRequest("no chat model here reads documents; send their text", f"{where}.type")
