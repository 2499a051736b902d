"""The heaps of an HDF5 file: names of old groups, values of variable length, and the links and attributes of objects
that have many of them (fractal heaps).
"""

from collections.abc import Iterator
from dataclasses import dataclass

from abierto.formats.hdf5 import filters, trees
from abierto.formats.hdf5.source import Cursor, Source

MAX_COLLECTIONS = 32  # of which the places of values are kept
LONGEST_NAME = 4_096  # bytes of a name that are looked at


@dataclass(frozen=True, slots=True)
class _Packed:
    """How many bytes a block has that filters were applied to, and which of them were left out."""

    size: int = 0
    mask: int = 0


def local_name(source: Source, heap: int, offset: int) -> str:
    """A name in the heap of an old group."""
    cursor = source.cursor(heap, 8 + 2 * source.length + source.offset, b"HEAP")
    cursor.take(4)
    size, _ = cursor.length(), cursor.length()
    data = cursor.address()
    if data is None or offset >= size:
        raise cursor.wrong()
    return source.up_to(data + offset, min(size - offset, LONGEST_NAME)).text()


def global_value(source: Source, cursor: Cursor, limit: int) -> bytes:
    """What a value of variable length leads to, at most `limit` bytes. The cursor stands behind its count."""
    collection, index = cursor.address(), cursor.number(4)
    if collection is None or not index:
        return b""
    if collection not in source.collections:
        if len(source.collections) >= MAX_COLLECTIONS:
            source.collections.clear()
        source.collections[collection] = dict(_places(source, collection))
    place = source.collections[collection].get(index)
    if place is None:
        raise source.wrong(collection)
    return source.read(place[0], min(place[1], limit))


def _places(source: Source, collection: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """The values in a global heap: number, then address and size."""
    wide = 8 + source.length
    head = source.cursor(collection, wide, b"GCOL")
    head.take(4)
    at, end = collection + wide, collection + head.length()
    while at + wide <= min(end, source.size):
        one = source.cursor(at, wide)
        number = one.number(2)
        one.take(6)
        size = one.length()
        if not number:  # the free space at the end
            return
        yield number, (at + wide, size)
        at += wide + -(-size // 8) * 8


class Fractal:
    """A fractal heap. Raises CorruptFile."""

    def __init__(self, source: Source, address: int) -> None:
        self._source, self._address = source, address
        cursor = source.up_to(address, 256, b"FRHP")
        if cursor.number(1):
            raise cursor.wrong()
        self._id_length, filters_length = cursor.number(2), cursor.number(2)
        self._checked = bool(cursor.number(1) & 2)
        most = cursor.number(4)
        cursor.length()
        self._huge = cursor.address()
        cursor.length()
        cursor.address()
        for _ in range(8):
            cursor.length()
        self._width, self._first, self._largest = cursor.number(2), cursor.length(), cursor.length()
        self._bits, _, self._root, self._rows = cursor.number(2), cursor.number(2), cursor.address(), cursor.number(2)
        if not self._width or not 0 < self._first <= self._largest or self._bits > 64:
            raise cursor.wrong()
        self._filters: tuple[filters.Filter, ...] = ()
        self._packed = _Packed()
        if filters_length:
            self._packed = _Packed(cursor.length(), cursor.number(4))
            self._filters = filters.pipeline(Cursor(cursor.take(filters_length), source, address))
        self._offset_size = -(-self._bits // 8)
        self._length_size = min(-(-self._largest.bit_length() // 8), -(-most.bit_length() // 8))

    def value(self, raw: bytes, limit: int) -> bytes:
        """What an identifier of this heap leads to, at most `limit` bytes."""
        cursor = Cursor(raw, self._source, self._address)
        kind = cursor.number(1)
        match kind >> 4 & 3:
            case 0:
                offset, size = cursor.number(self._offset_size), cursor.number(self._length_size)
                return self._managed(offset, min(size, limit))
            case 1:
                return self._of_huge(cursor, limit)
            case 2:
                size = (kind & 15) << 8 | cursor.number(1) if self._id_length > 18 else kind & 15
                return cursor.take(size + 1)[:limit]
        raise cursor.wrong()

    def _managed(self, offset: int, count: int) -> bytes:
        """Bytes of the space that the blocks of the heap make up together."""
        if self._root is None:
            raise self._source.wrong(self._address)
        if not self._rows:
            return self._of_block(self._root, self._first, self._packed, offset, count)
        at, rows, start = self._root, self._rows, 0
        while True:  # each round goes into a smaller block
            row, column, begin, size = self._place(offset - start, rows)
            direct = size <= self._largest
            child, packed = self._child(at, rows, row, column, direct)
            start += begin
            if direct:
                return self._of_block(child, size, packed, offset - start, count)
            at, rows = child, size.bit_length() - (self._first * self._width).bit_length() + 1

    def _place(self, offset: int, rows: int) -> tuple[int, int, int, int]:
        """Row and column of the block in which an offset lies, where the block begins, and its size."""
        begin = 0
        for row in range(min(rows, 128)):
            size = self._first << max(0, row - 1)
            if offset < begin + size * self._width:
                column = (offset - begin) // size
                return row, column, begin + column * size, size
            begin += size * self._width
        raise self._source.wrong(self._address)

    def _child(self, at: int, rows: int, row: int, column: int, direct: bool) -> tuple[int, "_Packed"]:
        """The address of a block that an indirect block lists."""
        source = self._source
        most = self._largest.bit_length() - self._first.bit_length() + 2  # rows of direct blocks
        wide = source.offset + (source.length + 4 if self._filters else 0)
        place = 5 + source.offset + self._offset_size
        place += (min(rows, most) * self._width) * wide if not direct else 0
        place += ((row if direct else row - most) * self._width + column) * (wide if direct else source.offset)
        source.cursor(at, 4, b"FHIB")
        cursor = source.cursor(at + place, wide if direct else source.offset)
        child = cursor.address()
        if child is None:
            raise cursor.wrong()
        return child, _Packed(cursor.length(), cursor.number(4)) if direct and self._filters else _Packed()

    def _of_block(self, at: int, size: int, packed: "_Packed", offset: int, count: int) -> bytes:
        if offset + count > size:
            raise self._source.wrong(at)
        if not self._filters:
            self._source.cursor(at, 4, b"FHDB")
            return self._source.read(at + offset, count)
        whole = filters.undone(self._source.read(at, packed.size), self._filters, packed.mask, size)
        self._source.made(len(whole or b""))
        if whole is None or not whole.startswith(b"FHDB"):
            raise self._source.wrong(at)
        return whole[offset : offset + count]

    def _of_huge(self, cursor: Cursor, limit: int) -> bytes:
        """A value with a place of its own. The identifier tells the place if it has room for that, else its number."""
        source = self._source
        if self._id_length <= source.offset + source.length + (4 + source.length if self._filters else 0):
            cursor = self._record(cursor.number(min(8, cursor.left)))
        at, size = cursor.address(), cursor.length()
        if at is None:
            raise cursor.wrong()
        if not self._filters:
            return source.read(at, min(size, limit))
        whole = filters.undone(source.read(at, size), self._filters, cursor.number(4), limit)
        source.made(len(whole or b""))
        if whole is None:
            raise source.wrong(at)
        return whole

    def _record(self, wanted: int) -> Cursor:
        for record in trees.records(self._source, self._huge) if self._huge is not None else ():
            if int.from_bytes(record[-self._source.length :], "little") == wanted:
                return Cursor(record, self._source, self._address)
        raise self._source.wrong(self._address)
