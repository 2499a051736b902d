"""The indexes of chunks that are arrays: of data sets whose size is fixed, and of those that grow in one direction."""

from collections.abc import Iterator

from abierto.formats.hdf5.source import Source

MAX_CHUNKS = 100_000
_MAX_BITS = 64
Chunk = tuple[int, int, int]  # its address, its size in the file, and which filters were left out


def fixed(source: Source, address: int, filtered: bool, whole: int) -> Iterator[Chunk]:
    """A header, then a block with one entry for each chunk. whole: bytes of a chunk. Raises CorruptFile."""
    head = source.cursor(address, 8 + source.length + source.offset, b"FAHD")
    head.take(2)
    entry, bits, count, block = head.number(1), head.number(1), head.length(), head.address()
    if block is None:
        return
    if count > MAX_CHUNKS or bits > _MAX_BITS:
        raise head.wrong()
    start, page = block + 6 + source.offset, 1 << bits
    if count > page:  # a bit for each page that was written, and the sum of the block
        start += (count - 1) // page // 8 + 1 + 4
    yield from _entries(source, start, count, page, (entry, filtered, whole))


def extensible(source: Source, address: int, filtered: bool, whole: int) -> Iterator[Chunk]:
    """A header, then a block with the first entries, the addresses of blocks, and those of blocks of such addresses.

    The blocks come in rows: row n has 2^(n/2) blocks, each with 2^((n+1)/2) times the entries of the smallest.
    """
    head = source.cursor(address, 12 + 6 * source.length + source.offset, b"EAHD")
    head.take(2)
    entry, bits, first, least, pointers, page = (head.number(1) for _ in range(6))
    for _ in range(5):
        head.length()
    count, index = head.length(), head.address()
    if index is None:
        return
    if not least or not pointers or count > MAX_CHUNKS or page > _MAX_BITS or bits > _MAX_BITS:
        raise head.wrong()
    form, prefix = (entry, filtered, whole), 6 + source.offset
    yield from _entries(source, index + prefix, min(count, first), 1 << _MAX_BITS, form)
    done, at = first, index + prefix + first * entry
    direct = 2 * (pointers.bit_length() - 1)  # rows whose blocks are named here
    for row in range(direct + bits):
        if done >= count:
            return
        blocks, size = 1 << row // 2, least << (row + 1) // 2
        paged = size > 1 << page
        place, step = at, source.offset * (blocks if row < direct else 1)
        at += step
        if row >= direct:
            inner = source.cursor(place, source.offset).address()
            if inner is None:
                done += blocks * size
                continue
            source.cursor(inner, 4, b"EASB")
            place = inner + prefix + -(-bits // 8)
            place += blocks * -(-(size >> page) // 8) if paged else 0
        for number in range(blocks):
            block = source.cursor(place + number * source.offset, source.offset).address()
            if block is not None and done < count:
                source.cursor(block, 4, b"EADB")
                start = block + prefix + -(-bits // 8) + (4 if paged else 0)
                yield from _entries(source, start, min(size, count - done), 1 << page if paged else size, form)
            done += size


def _entries(source: Source, start: int, count: int, page: int, form: tuple[int, bool, int]) -> Iterator[Chunk]:
    """page: after so many entries comes a sum of four bytes. form: bytes of an entry, whether there are filters, bytes
    of a chunk."""
    entry, filtered, whole = form
    for number in range(count):
        cursor = source.cursor(start + number * entry + number // page * 4, entry)
        at = cursor.address()
        packed = cursor.number(max(0, cursor.left - 4)) if filtered else whole
        if at is not None:
            yield at, packed, cursor.number(4) if filtered else 0
