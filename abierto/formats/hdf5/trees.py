"""The two kinds of B-trees in HDF5 files: of groups and chunks in the older form, and of records in the newer one."""

from collections.abc import Iterator

from abierto.formats.hdf5.source import Cursor, Source

DEEPEST = 32  # levels
_GROUP, _CHUNKS = 0, 1


def group_nodes(source: Source, address: int) -> Iterator[int]:
    """The addresses of the tables of symbols of an old group, in order."""
    for _, child in _leaves(source, address, _GROUP, source.length):
        yield child


def chunks(source: Source, address: int, dimensions: int) -> Iterator[tuple[int, int, int]]:
    """The chunks of a data set in order: address, size in the file, and which filters were left out.

    dimensions: those of the data set and one more, for the bytes of an item.
    """
    for key, child in _leaves(source, address, _CHUNKS, 8 + 8 * dimensions):
        yield child, key.number(4), key.number(4)


def _leaves(source: Source, address: int, kind: int, key_size: int) -> Iterator[tuple[Cursor, int]]:
    """What the nodes of the last level lead to, each with the key before it. A node is gone into once."""
    waiting = [(address, DEEPEST)]
    seen = {address}
    while waiting:
        at, level = waiting.pop()
        head = source.cursor(at, 8 + 2 * source.offset, b"TREE")
        own_kind, own_level, count = head.number(1), head.number(1), head.number(2)
        if own_kind != kind or own_level >= level:
            raise head.wrong()
        entry = key_size + source.offset
        body = source.cursor(at + 8 + 2 * source.offset, count * entry)
        below = []
        for number in range(count):
            key = Cursor(body.take(key_size), source, at + 8 + 2 * source.offset + number * entry)
            child = body.address()
            if child is None or (own_level and child in seen):
                raise body.wrong()
            if own_level:
                seen.add(child)
                below.append((child, own_level))
            else:
                yield key, child
        waiting += reversed(below)


def records(source: Source, address: int) -> Iterator[bytes]:
    """The records of a tree of the newer form, of each node those of its own after those below it."""
    head = source.cursor(address, 22 + source.offset + source.length, b"BTHD")
    head.take(2)
    node, size, depth = head.number(4), head.number(2), head.number(2)
    head.take(2)
    root, count = head.address(), head.number(2)
    if root is None:
        return
    if not size or node < 10 + size or depth > DEEPEST:
        raise head.wrong()
    widths = _widths(source, node, size, depth)
    waiting, seen = [(root, count, depth)], {root}
    while waiting:
        at, own, level = waiting.pop()
        body = source.cursor(at, node, b"BTIN" if level else b"BTLF")
        body.take(2)
        for _ in range(own):
            source.step()
            yield body.take(size)
        for _ in range(own + 1 if level else 0):
            child, below = body.address(), body.number(widths[0])
            body.take(widths[level - 1] if level > 1 else 0)
            if child is None or child in seen:
                raise body.wrong()
            seen.add(child)
            waiting.append((child, below, level - 1))


def _widths(source: Source, node: int, size: int, depth: int) -> list[int]:
    """Bytes of the number of records in a child; then, for each level above that of the leaves but one, bytes of the
    number of all records below a child.
    """
    most = (node - 10) // size
    own = (most.bit_length() - 1) // 8 + 1
    widths, total, wide = [own], most, 0
    for _ in range(1, depth):
        pointer = source.offset + own + wide
        here = max(1, (node - 10 - pointer) // (size + pointer))
        total = (here + 1) * total + here
        wide = (total.bit_length() - 1) // 8 + 1
        widths.append(wide)
    return widths
