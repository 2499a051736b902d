"""The attributes of an object: short values beside it, in its header or, of an object with many, in a heap."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from math import prod

from abierto.errors import CorruptFile
from abierto.formats.hdf5 import heaps, objects, trees, types
from abierto.formats.hdf5.objects import Message
from abierto.formats.hdf5.source import Cursor, Source

MAX_TEXT = 16_000_000  # bytes of a text that is looked through
MAX_VALUES = 100_000  # texts of one attribute or data set
_TYPE_SHARED, _SHAPE_SHARED = 1, 2


@dataclass(frozen=True, slots=True)
class Attribute:
    """One attribute. texts: what it holds, as bytes, if that is no number; cut where it is too long."""

    name: str
    texts: tuple[bytes, ...]


def of(source: Source, header: Sequence[Message]) -> Iterator[Attribute | None]:
    """The attributes of an object; None for one that cannot be followed. Raises CorruptFile."""
    for message in header:
        if message.kind == objects.ATTRIBUTE:
            yield _tried(source, partial(objects.body, source, message))
        elif message.kind == objects.ATTRIBUTE_INFO:
            yield from _many(source, objects.body(source, message))


def _many(source: Source, cursor: Cursor) -> Iterator[Attribute | None]:
    cursor.take(1)
    cursor.take(2 if cursor.number(1) & 1 else 0)
    heap, names = cursor.address(), cursor.address()
    if heap is None or names is None:
        return
    values = heaps.Fractal(source, heap)

    def body(record: bytes) -> Cursor:
        place = Cursor(values.value(record[:8], MAX_TEXT), source, heap)
        return objects.shared(source, objects.ATTRIBUTE, record[8] & 2 if len(record) > 8 else 0, place)

    for record in trees.records(source, names):
        yield _tried(source, partial(body, record))


def _tried(source: Source, body: Callable[[], Cursor]) -> Attribute | None:
    try:
        return _attribute(source, body())
    except CorruptFile:
        if source.spent:
            raise
        return None


def _attribute(source: Source, cursor: Cursor) -> Attribute:
    version, flags = cursor.number(1), cursor.number(1)
    if version not in (1, 2, 3):
        raise cursor.wrong()
    flags = 0 if version == 1 else flags
    sizes = [cursor.number(2) for _ in range(3)]
    cursor.take(1 if version == 3 else 0)
    parts = []
    for size in sizes:
        at = cursor.here()
        parts.append(Cursor(cursor.take(-(-size // 8) * 8 if version == 1 else size), source, at))
    name, type_, space = parts
    kind = types.of(objects.shared(source, objects.DATATYPE, flags & _TYPE_SHARED, type_))
    shape = types.shape(objects.shared(source, objects.DATASPACE, flags & _SHAPE_SHARED, space))
    said = () if shape is None or kind.kind == "number" else tuple(texts(source, kind, prod(shape), cursor))
    return Attribute(name.text(), said)


def texts(source: Source, kind: types.Type, count: int, cursor: Cursor) -> Iterator[bytes]:
    """What some items hold that are no numbers: each that lies in a heap, and all others as one. Raises CorruptFile."""
    if kind.kind != "variable":
        yield cursor.take(min(cursor.left, kind.width * count * prod(kind.shape), MAX_TEXT))
        return
    left = MAX_TEXT
    for _ in range(min(count * prod(kind.shape), MAX_VALUES)):
        size = cursor.number(4)
        value = heaps.global_value(source, cursor, min(size, left))
        left -= len(value)
        yield value
