"""Kept conversations over our own dialect: those of `abierto chat` and those of the studio are the same."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

from msgspec import UNSET, Struct, UnsetType

from abierto import config
from abierto.errors import InvalidRequest, UnknownConversation
from abierto.server.exchange import Call, Reply, Route

MOST = 10**9


class ConversationBody(Struct):
    """What is to be written of a conversation; what is left out stays. messages: of the branch that was walked last;
    tree: all branches, in the form of who writes them."""

    title: str | UnsetType = UNSET
    model: str | UnsetType = UNSET
    messages: list[dict[str, Any]] | UnsetType = UNSET
    settings: dict[str, Any] | UnsetType = UNSET
    tree: dict[str, Any] | UnsetType | None = UNSET
    folder: str | UnsetType | None = UNSET


def all_conversations(call: Call) -> Reply:
    """The kept conversations, the last changed first, without their messages. search: words that must stand in them."""
    wanted = call.query.get("search", "").casefold().split()
    with _journal(call) as journal:
        found = [one for one in journal.conversations() if not wanted or _holds(one, wanted)]
    heads = [
        {"id": one.id, "name": one.name, "title": one.title, "model": one.model, "changed": one.changed}
        | {"folder": one.folder}
        for one in found
    ]
    return Reply({"conversations": heads})


def one_conversation(call: Call) -> Reply:
    """A kept conversation with its messages."""
    with _journal(call) as journal:
        found = journal.conversation(str(_id(call)))
    if found is None:
        raise UnknownConversation(call.path["id"])
    return Reply(asdict(found))


def begin(call: Call) -> Reply:
    """Keep a new conversation."""
    facts: dict[str, Any] = {"title": "", "model": "", "messages": [], "settings": {}} | _told(call.body)
    with _journal(call) as journal:
        return Reply({"id": journal.keep_conversation(None, name=None, **facts)}, 201)


def write(call: Call) -> Reply:
    """Write what is told of a conversation over what was there."""
    with _journal(call) as journal:
        if journal.conversation(str(_id(call))) is None:
            raise UnknownConversation(call.path["id"])
        return Reply({"id": journal.keep_conversation(_id(call), **_told(call.body))})


def forget(call: Call) -> Reply:
    """Forget a conversation."""
    from abierto.journal import CONVERSATIONS

    with _journal(call) as journal:
        if not journal.forget(CONVERSATIONS, number=_id(call)):
            raise UnknownConversation(call.path["id"])
    return Reply({"id": _id(call), "deleted": True})


def _told(body: ConversationBody) -> dict[str, Any]:
    values = {name: getattr(body, name) for name in body.__struct_fields__}
    return {name: value for name, value in values.items() if value is not UNSET}


def _id(call: Call) -> int:
    said = call.path["id"]
    if not (said.isascii() and said.isdecimal() and len(said) < len(str(MOST))):
        raise InvalidRequest("the number of a conversation is needed", "id")
    return int(said)


def _holds(one: Any, wanted: list[str]) -> bool:
    said = " ".join([one.title, *(str(message.get("content", "")) for message in one.messages)]).casefold()
    return all(word in said for word in wanted)


@contextmanager
def _journal(call: Call) -> Iterator[Any]:
    from abierto.journal import Journal

    opened = Journal.at(config.folders().data, call.state.settings.journal)
    try:
        yield opened
    finally:
        opened.close()


ROUTES = (
    Route("GET", "/abierto/v1/conversations", all_conversations, blocking=True, query=("search",)),
    Route("POST", "/abierto/v1/conversations", begin, ConversationBody, blocking=True),
    Route("GET", "/abierto/v1/conversations/{id}", one_conversation, blocking=True),
    Route("PUT", "/abierto/v1/conversations/{id}", write, ConversationBody, blocking=True),
    Route("DELETE", "/abierto/v1/conversations/{id}", forget, blocking=True),
)
