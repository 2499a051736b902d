"""What the items of a data set or attribute are, and how many: the messages for its type and its shape."""

from dataclasses import dataclass
from typing import Literal

from abierto.formats.hdf5.source import Cursor

MAX_DIMENSIONS = 32  # as the format has it
DEEPEST = 8  # types inside of each other
# Bytes, and bits of the exponent
_FLOATS = {(2, 5): "F16", (2, 8): "BF16", (4, 8): "F32", (8, 11): "F64", (16, 15): "F128"}
_FLOATS |= {(1, 4): "F8_E4M3", (1, 5): "F8_E5M2"}

Kind = Literal["number", "text", "variable", "other"]


@dataclass(frozen=True, slots=True)
class Type:
    """name: as other readers call it. width: bytes of one. kind: `text` has its characters in place, `variable` is as
    long as it likes and lies in a heap. shape: of an item that is an array itself."""

    name: str
    width: int
    kind: Kind
    shape: tuple[int, ...] = ()


def of(cursor: Cursor, depth: int = 0) -> Type:
    """The type that a message tells. Raises CorruptFile."""
    head, bits, width = cursor.number(1), cursor.number(3), cursor.number(4)
    version, kind = head >> 4, head & 15
    if depth > DEEPEST or not 1 <= version <= 5:
        raise cursor.wrong()
    match kind:
        case 0:
            return Type(f"{'I' if bits & 8 else 'U'}{8 * width}", width, "number")
        case 1:
            cursor.take(5)
            return Type(_FLOATS.get((width, cursor.number(1)), f"F{8 * width}"), width, "number")
        case 3:
            return Type("text", width, "text")
        case 8:
            inner = of(cursor, depth + 1)
            return Type("BOOL" if (width, bits & 0xFFFF) == (1, 2) else inner.name, width, "number")
        case 9:
            return Type("text" if bits & 15 == 1 else "list", width, "variable")
        case 10:
            return _array(cursor, version, depth)
    if kind == 6 and bits & 0xFFFF == 2 and cursor.text() == "r":  # as h5py writes complex numbers: r and i
        return Type(f"C{8 * width}", width, "number")
    return Type({5: "opaque", 6: "compound", 7: "reference"}.get(kind, f"type {kind}"), width, "other")


def _array(cursor: Cursor, version: int, depth: int) -> Type:
    count = cursor.number(1)
    if count > MAX_DIMENSIONS:
        raise cursor.wrong()
    cursor.take(3 if version < 3 else 0)
    shape = tuple(cursor.number(4) for _ in range(count))
    cursor.take(4 * count if version < 3 else 0)
    inner = of(cursor, depth + 1)
    return Type(inner.name, inner.width, inner.kind, (*shape, *inner.shape))


def shape(cursor: Cursor) -> tuple[int, ...] | None:
    """How many items there are in each direction; () for a single one, None for none at all. Raises CorruptFile."""
    version, count, _ = cursor.number(1), cursor.number(1), cursor.number(1)
    if version not in (1, 2) or count > MAX_DIMENSIONS:
        raise cursor.wrong()
    empty = version == 2 and cursor.number(1) == 2
    cursor.take(5 if version == 1 else 0)
    found = tuple(cursor.length() for _ in range(count))
    return None if empty else found
