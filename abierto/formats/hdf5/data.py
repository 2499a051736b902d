"""Where the items of a data set are, and the bytes of small ones: in its header, in one place, or in chunks."""

from collections.abc import Iterator
from dataclasses import dataclass
from math import prod
from typing import Literal

from abierto.formats.hdf5 import chunk_arrays, filters, trees
from abierto.formats.hdf5.chunk_arrays import Chunk
from abierto.formats.hdf5.filters import Filter
from abierto.formats.hdf5.source import Cursor, Source

_COMPACT, _CONTIGUOUS = 0, 1
_IMPLICIT = 2  # an index that is none: the chunks follow each other
_FILTERED = 2  # a bit of the layout's flags: the only chunk has filters

Kind = Literal["compact", "contiguous", "chunked", "virtual"]


@dataclass(frozen=True, slots=True)
class Layout:
    """address: of the items or of the index of chunks; None where nothing was written. size: bytes in one place.
    chunk: the shape of a chunk, its last number the bytes of an item. index: which kind; 0 in older files.
    only: size and left out filters of the only chunk. page: how many chunks a page of the index has, in bits."""

    kind: Kind
    address: int | None = None
    raw: bytes = b""
    size: int = 0
    chunk: tuple[int, ...] = ()
    index: int = 0
    only: tuple[int, int] = (0, 0)
    page: int = 0


def layout(cursor: Cursor) -> Layout:
    """The layout that a message tells. Raises CorruptFile."""
    version = cursor.number(1)
    if version in (1, 2):
        return _older(cursor)
    if not 3 <= version <= 5:
        raise cursor.wrong()
    match cursor.number(1):
        case 0:
            return Layout("compact", raw=cursor.take(cursor.number(2)))
        case 1:
            return Layout("contiguous", cursor.address(), size=cursor.length())
        case 2 if version == 3:
            count = cursor.number(1)
            address = cursor.address()
            return Layout("chunked", address, chunk=tuple(cursor.number(4) for _ in range(count)))
        case 2:
            return _newer(cursor)
        case 3:
            return Layout("virtual")
    raise cursor.wrong()


def _older(cursor: Cursor) -> Layout:
    count, kind = cursor.number(1), cursor.number(1)
    cursor.take(5)
    address = None if kind == _COMPACT else cursor.address()
    sizes = tuple(cursor.number(4) for _ in range(count))
    if kind == _COMPACT:
        return Layout("compact", raw=cursor.take(cursor.number(4)))
    if kind == _CONTIGUOUS:
        return Layout("contiguous", address)
    return Layout("chunked", address, chunk=sizes)


def _newer(cursor: Cursor) -> Layout:
    flags, count, wide = cursor.number(1), cursor.number(1), cursor.number(1)
    if wide > 8:
        raise cursor.wrong()
    chunk = tuple(cursor.number(wide) for _ in range(count))
    index, only, page = cursor.number(1), (0, 0), 0
    match index:
        case 1:
            only = (cursor.length(), cursor.number(4)) if flags & _FILTERED else (prod(chunk), 0)
        case 3:
            page = cursor.number(1)
        case 4:
            cursor.take(5)
        case 5:
            cursor.take(6)
        case other if other != _IMPLICIT:
            raise cursor.wrong()
    return Layout("chunked", cursor.address(), chunk=chunk, index=index, only=only, page=page)


def raw(source: Source, found: Layout, applied: tuple[Filter, ...], size: int, limit: int) -> bytes | None:
    """The items of a data set of `size` bytes one after another, at most `limit` bytes; of several dimensions, chunk by
    chunk. None where that is not read here. Raises CorruptFile."""
    if found.kind == "compact":
        return found.raw[:limit]
    if found.address is None:
        return b""
    if found.kind == "contiguous":
        return source.read(found.address, min(size, limit))
    if found.kind == "virtual" or not found.chunk:
        return None
    made, whole = bytearray(), prod(found.chunk)
    for at, packed, mask in _chunks(source, found, bool(applied), size):
        if len(made) >= limit:
            break
        one = filters.undone(source.read(at, packed), applied, mask, min(whole, limit))
        if one is None:
            return None
        source.made(len(one))
        made += one
    return bytes(made[:limit])


def _chunks(source: Source, found: Layout, filtered: bool, size: int) -> Iterator[Chunk]:
    """The chunks that were written, in their order."""
    assert found.address is not None
    whole = prod(found.chunk)
    match found.index:
        case 0:
            yield from trees.chunks(source, found.address, len(found.chunk))
        case 1:
            yield (found.address, *found.only)
        case 2:
            for number in range(min(-(-size // max(1, whole)), chunk_arrays.MAX_CHUNKS)):
                yield found.address + number * whole, whole, 0
        case 3:
            yield from chunk_arrays.fixed(source, found.address, filtered, whole)
        case 4:
            yield from chunk_arrays.extensible(source, found.address, filtered, whole)
        case 5:
            yield from _of_tree(source, found, filtered)


def _of_tree(source: Source, found: Layout, filtered: bool) -> Iterator[Chunk]:
    assert found.address is not None
    made = []
    place = 8 * (len(found.chunk) - 1)  # where a chunk lies in the data set, counted in chunks
    for record in trees.records(source, found.address):
        cursor = Cursor(record, source, found.address)
        at = cursor.address()
        packed = cursor.number(max(0, cursor.left - place - 4)) if filtered else prod(found.chunk)
        mask = cursor.number(4) if filtered else 0
        where = [cursor.number(8) for _ in range(len(found.chunk) - 1)]
        if at is not None:
            made.append((where, (at, packed, mask)))
    yield from (chunk for _, chunk in sorted(made))
