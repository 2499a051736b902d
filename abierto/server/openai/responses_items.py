"""The items that a conversation of OpenAI's /v1/responses is made of: their forms, and the messages they come to.

An item comes in several forms and is kept in one, the one in which OpenAI lists it again. Pure functions.
"""

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import msgspec
from msgspec import Struct

from abierto.errors import InvalidRequest
from abierto.server.media import from_data_url
from abierto.tasks.chat import Message, ToolCall

Item = dict[str, Any]


class TextPart(Struct, tag="input_text"):
    """Text that goes in."""

    text: str


class OutputPart(Struct, tag="output_text"):
    """Text of an earlier answer."""

    text: str


class RefusalPart(Struct, tag="refusal"):
    """What the assistant refused, in an earlier turn."""

    refusal: str


class ImagePart(Struct, tag="input_image"):
    """A picture as a data URL; files by name are not kept here."""

    image_url: str | None = None
    detail: str | None = None


class FilePart(Struct, tag="input_file"):
    """A file, which no chat model here reads."""


class AudioPart(Struct, tag="input_audio"):
    """Sound, which no chat model here hears yet."""


Part = TextPart | OutputPart | RefusalPart | ImagePart | FilePart | AudioPart


class MessageItem(Struct, tag="message"):
    """What somebody said."""

    role: Literal["user", "assistant", "system", "developer"]
    content: str | list[Part]
    id: str | None = None


class CallItem(Struct, tag="function_call"):
    """What the model asked to have done."""

    call_id: str
    name: str
    arguments: str
    id: str | None = None


class OutputItem(Struct, tag="function_call_output"):
    """What came of a call."""

    call_id: str
    output: str | list[Part]
    id: str | None = None


class ReasoningText(Struct):
    """A piece of a thought."""

    text: str


class ReasoningItem(Struct, tag="reasoning"):
    """What the model thought before it said what follows. Encrypted thoughts can only be read by who encrypted them."""

    content: list[ReasoningText] | None = None
    summary: list[ReasoningText] | None = None
    encrypted_content: str | None = None
    id: str | None = None


class Reference(Struct, tag="item_reference"):
    """An item of an earlier response, by its name."""

    id: str


AnyItem = MessageItem | CallItem | OutputItem | ReasoningItem | Reference
KINDS = ("message", "function_call", "function_call_output", "reasoning", "item_reference")


def items_of(given: str | Sequence[Mapping[str, Any]] | None, find: Callable[[str], Item | None]) -> tuple[Item, ...]:
    """The items in the form in which they are kept. find: an item of an earlier response by name.

    Raises InvalidRequest.
    """
    if isinstance(given, str):
        given = [{"role": "user", "content": given}]
    return tuple(_item(one, f"$.input[{index}]", find) for index, one in enumerate(given or ()))


def messages_of(items: Iterable[Item]) -> list[Message]:
    """The messages: what the model thought, said and asked for in one turn is one message."""
    messages: list[Message] = []
    open_turn = False  # whether the last message is a turn of the assistant that may go on
    for item in items:
        kind, role = item["type"], item.get("role")
        if kind == "function_call_output" or (kind == "message" and role != "assistant"):
            messages.append(_said(item))
            open_turn = False
            continue
        last = messages[-1] if open_turn else Message("assistant", "")
        if open_turn and _begins_anew(last, kind):
            open_turn, last = False, Message("assistant", "")
        turn = _longer(last, item)
        messages = [*messages[:-1], turn] if open_turn else [*messages, turn]
        open_turn = True
    return messages


def _begins_anew(last: Message, kind: str) -> bool:
    """Whether an item cannot belong to the turn so far: thoughts come first, words next, calls last."""
    return bool(last.calls and kind != "function_call") or bool(last.content and kind == "reasoning")


def _longer(turn: Message, item: Item) -> Message:
    match item["type"]:
        case "reasoning":
            texts = item["content"] or item["summary"]
            return replace(turn, reasoning=turn.reasoning + "\n".join(text["text"] for text in texts))
        case "function_call":
            return replace(turn, calls=(*turn.calls, ToolCall(item["call_id"], item["name"], item["arguments"])))
        case _:
            words = [turn.content] if turn.content else []
            return replace(turn, content="\n".join([*words, *_words(item["content"])]))


def _said(item: Item) -> Message:
    if item["type"] == "function_call_output":
        output = item["output"]
        parts = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
        return Message("tool", "\n".join(_words(parts)), _images(parts), call_id=item["call_id"])
    role: Literal["user", "system"] = "user" if item["role"] == "user" else "system"
    return Message(role, "\n".join(_words(item["content"])), _images(item["content"]))


def _words(parts: Iterable[Item]) -> list[str]:
    return [part["refusal"] if part["type"] == "refusal" else part["text"] for part in parts if "image_url" not in part]


def _images(parts: Iterable[Item]) -> tuple[bytes, ...]:
    return tuple(from_data_url(part["image_url"], "$.input") for part in parts if "image_url" in part)


def _item(given: Mapping[str, Any], where: str, find: Callable[[str], Item | None]) -> Item:
    kind = given.get("type") or ("message" if "role" in given else "item_reference")
    if kind not in KINDS:
        raise InvalidRequest("items of this kind need a tool that is not here", f"{where}.type")
    try:
        item: AnyItem = msgspec.convert({**given, "type": kind}, AnyItem)
    except msgspec.ValidationError as error:
        detail, _, place = str(error).partition(" - at ")
        raise InvalidRequest(detail, where + place.strip("`").removeprefix("$")) from error
    match item:
        case MessageItem():
            return _message(item, where)
        case CallItem():
            head = {"id": item.id or new_name("fc"), "type": "function_call", "status": "completed"}
            return head | {"call_id": item.call_id, "name": item.name, "arguments": item.arguments}
        case OutputItem():
            head = {"id": item.id or new_name("fco"), "type": "function_call_output", "status": "completed"}
            parts = item.output if isinstance(item.output, str) else _parts(item.output, f"{where}.output")
            return head | {"call_id": item.call_id, "output": parts}
        case ReasoningItem():
            return _reasoning(item, where)
        case Reference():
            found = find(item.id)
            if found is None:
                raise InvalidRequest("there is no item of this name", f"{where}.id")
            return found


def _message(item: MessageItem, where: str) -> Item:
    head = {"id": item.id or new_name("msg"), "type": "message", "role": item.role, "status": "completed"}
    words = TextPart if item.role != "assistant" else OutputPart
    content: Sequence[Part] = [words(item.content)] if isinstance(item.content, str) else item.content
    return head | {"content": _parts(content, f"{where}.content", answer=item.role == "assistant")}


def _reasoning(item: ReasoningItem, where: str) -> Item:
    if item.encrypted_content and not item.content and not item.summary:
        raise InvalidRequest("encrypted reasoning cannot be read here", f"{where}.encrypted_content")
    return {
        "id": item.id or new_name("rs"),
        "type": "reasoning",
        "status": "completed",
        "summary": [{"type": "summary_text", "text": one.text} for one in item.summary or ()],
        "content": [{"type": "reasoning_text", "text": one.text} for one in item.content or ()],
    }


def _parts(parts: Sequence[Part], where: str, *, answer: bool = False) -> list[Item]:
    return [_part(part, f"{where}[{index}]", answer=answer) for index, part in enumerate(parts)]


def _part(part: Part, where: str, *, answer: bool) -> Item:
    """A part in the form in which it is kept. answer: it is the assistant's, who only says words."""
    match part:
        case TextPart() | OutputPart() if answer:
            return {"type": "output_text", "text": part.text, "annotations": [], "logprobs": []}
        case TextPart() | OutputPart():
            return {"type": "input_text", "text": part.text}
        case RefusalPart():
            return (
                {"type": "refusal", "refusal": part.refusal} if answer else {"type": "input_text", "text": part.refusal}
            )
        case ImagePart() if not answer:
            from_data_url(part.image_url or "", f"{where}.image_url")
            return {"type": "input_image", "detail": part.detail or "auto", "image_url": part.image_url}
        case _:
            raise InvalidRequest("no chat model here takes this kind of part", f"{where}.type")


def new_name(kind: str) -> str:
    """A name that nobody can guess."""
    return f"{kind}_{secrets.token_hex(24)}"
