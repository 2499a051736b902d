"""Where an HDF5 file begins, and the headers of its objects: lists of messages, each of a kind."""

from dataclasses import dataclass

from abierto.formats.hdf5.source import SIGNATURE, Cursor, Source

DATASPACE, LINK_INFO, DATATYPE, LINK, EXTERNAL, LAYOUT = 0x01, 0x02, 0x03, 0x06, 0x07, 0x08
FILTERS, ATTRIBUTE, CONTINUATION, SYMBOL_TABLE, ATTRIBUTE_INFO = 0x0B, 0x0C, 0x10, 0x11, 0x15
MAX_MESSAGES = 65_536  # of one object, as many as the older form of a header can count
_SHARED = 2  # a bit of a message's flags: it only tells where it is
_COMMITTED = (2, 0)  # the kinds of telling: the message is in the header of another object


@dataclass(frozen=True, slots=True)
class Message:
    """One message. at: the address of its body."""

    kind: int
    flags: int
    body: bytes
    at: int


def root(source: Source) -> int:
    """The address of the header of the root group; sets the sizes of addresses and lengths."""
    cursor = source.up_to(0, 128, SIGNATURE)
    version = cursor.number(1)
    if version > 3:
        raise cursor.wrong()
    if version < 2:
        cursor.take(4)
    sizes = cursor.number(1), cursor.number(1)
    if not {*sizes} <= {2, 4, 8}:
        raise cursor.wrong()
    source.offset, source.length = sizes
    if version >= 2:
        cursor.take(1 + 3 * source.offset)
    else:
        cursor.take((1, 1 + 4)[version] + 4 + 4 + 4 * source.offset + source.offset)
    found = cursor.address()
    if found is None:
        raise cursor.wrong()
    return found


def messages(source: Source, address: int) -> list[Message]:
    """All messages of an object, with those of its continuations."""
    start = source.up_to(address, 32)
    newer = start.take(4) == b"OHDR"
    found: list[Message] = []
    flags = 0
    if newer:
        if start.number(1) != 2:
            raise start.wrong()
        flags = start.number(1)
        start.take((16 if flags & 0x20 else 0) + (4 if flags & 0x10 else 0))
        size = start.number(1 << (flags & 3))
        blocks = [(address + start.at, size)]
    else:
        start = source.cursor(address, 16, b"\x01")
        start.take(7)
        blocks = [(address + 16, start.number(4))]
    seen = set()
    while blocks:
        at, size = blocks.pop()
        if at in seen:
            raise source.wrong(at)
        seen.add(at)
        for one in _block(source, source.cursor(at, size), at, newer, flags, len(found)):
            if one.kind == CONTINUATION:
                cursor = body(source, one)
                where, length = cursor.address() or 0, cursor.length()
                if newer:
                    source.cursor(where, 4, b"OCHK")
                blocks.append((where + 4, length - 8) if newer else (where, length))
            else:
                found.append(one)
    return found


def _block(source: Source, cursor: Cursor, at: int, newer: bool, flags: int, known: int) -> list[Message]:
    found: list[Message] = []
    head = (6 if flags & 4 else 4) if newer else 8
    while cursor.left >= head:
        source.step()
        kind, size, own = cursor.number(1 if newer else 2), cursor.number(2), cursor.number(1)
        cursor.take(head - (4 if newer else 5))
        place = at + cursor.at
        raw = cursor.take(size)
        if kind:  # 0 is a gap
            found.append(Message(kind, own, raw, place))
        if known + len(found) > MAX_MESSAGES:
            raise cursor.wrong()
    return found


def body(source: Source, message: Message) -> Cursor:
    """The body of a message, followed to where it is if it is shared. Raises CorruptFile where that is a heap."""
    return shared(source, message.kind, message.flags & _SHARED, Cursor(message.body, source, message.at))


def shared(source: Source, kind: int, is_shared: int, cursor: Cursor) -> Cursor:
    """The body of a message of a kind, which may only tell where it is."""
    if not is_shared:
        return cursor
    version, how = cursor.number(1), cursor.number(1)
    if how not in _COMMITTED:
        raise cursor.wrong()
    cursor.take(6 if version == 1 else 0)
    where = cursor.address()
    for one in messages(source, where) if where is not None else ():
        if one.kind == kind and not one.flags & _SHARED:
            return Cursor(one.body, source, one.at)
    raise cursor.wrong()
