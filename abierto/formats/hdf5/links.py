"""What is in a group: names, and the objects that they lead to."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from abierto.formats.hdf5 import heaps, objects, trees
from abierto.formats.hdf5.objects import Message
from abierto.formats.hdf5.source import Cursor, Source

_SOFT_ENTRY = 2  # in a table of symbols: a name that leads to another name
_HARD, _SOFT, _EXTERNAL = 0, 1, 64
_LONGEST = 65_536  # bytes of a link in a heap


@dataclass(frozen=True, slots=True)
class Link:
    """One name. address: of the object's header; None for what leads to a name, in this file or in another one."""

    name: str
    address: int | None
    kind: Literal["hard", "soft", "external"] = "hard"
    target: str = ""


def of(source: Source, header: Sequence[Message]) -> Iterator[Link]:
    """The names in a group; nothing for an object that is none. Raises CorruptFile."""
    for message in header:
        cursor = objects.body(source, message) if message.kind in _KINDS else None
        if not cursor:
            continue
        if message.kind == objects.SYMBOL_TABLE:
            yield from _symbols(source, cursor)
        elif message.kind == objects.LINK_INFO:
            yield from _many(source, cursor)
        else:
            yield _link(cursor)


_KINDS = (objects.SYMBOL_TABLE, objects.LINK_INFO, objects.LINK)


def is_group(header: Sequence[Message]) -> bool:
    """Whether an object has names in it, or could have."""
    return any(message.kind in _KINDS for message in header)


def _symbols(source: Source, cursor: Cursor) -> Iterator[Link]:
    tree, heap = cursor.address(), cursor.address()
    if tree is None or heap is None:
        raise cursor.wrong()
    wide = 2 * source.offset + 24
    for node in trees.group_nodes(source, tree):
        head = source.cursor(node, 8, b"SNOD")
        head.take(2)
        count = head.number(2)
        table = source.cursor(node + 8, count * wide)
        for _ in range(count):
            name, address, cached = table.number(source.offset), table.address(), table.number(4)
            table.take(20)
            named = heaps.local_name(source, heap, name)
            yield Link(named, None, "soft") if cached == _SOFT_ENTRY else Link(named, address)


def _many(source: Source, cursor: Cursor) -> Iterator[Link]:
    cursor.take(1)
    cursor.take(8 if cursor.number(1) & 1 else 0)
    heap, names = cursor.address(), cursor.address()
    if heap is None or names is None:
        return
    values = heaps.Fractal(source, heap)
    for record in trees.records(source, names):
        yield _link(Cursor(values.value(record[4:], _LONGEST), source, heap))


def _link(cursor: Cursor) -> Link:
    if cursor.number(1) != 1:
        raise cursor.wrong()
    flags = cursor.number(1)
    kind = cursor.number(1) if flags & 8 else _HARD
    cursor.take((8 if flags & 4 else 0) + (1 if flags & 16 else 0))
    name = cursor.take(cursor.number(1 << (flags & 3))).decode("utf-8", "replace")
    if kind == _HARD:
        return Link(name, cursor.address())
    value = cursor.take(cursor.number(2))
    if kind == _EXTERNAL:
        return Link(name, None, "external", value[1:].split(b"\0", 1)[0].decode("utf-8", "replace"))
    return Link(name, None, "soft")
