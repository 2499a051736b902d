"""Goes through all groups of an HDF5 file: its data sets, the texts in it, and what it takes from other files.

An object is told once, by the first of its names in the alphabet. What cannot be followed is told too, and the rest
goes on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import IO

from abierto.errors import CorruptFile
from abierto.formats.contents import MAX_TENSORS, Tensor, short
from abierto.formats.hdf5 import attributes, data, filters, links, objects, types
from abierto.formats.hdf5.attributes import MAX_TEXT
from abierto.formats.hdf5.objects import Message
from abierto.formats.hdf5.source import Cursor, Source

DEEPEST = 64  # groups inside of each other
BOMB = 200  # times the size of the file
_SMALL = 5_000  # bytes; what so small a file claims is no danger


@dataclass(frozen=True, slots=True)
class Dataset:
    """missing: whether its bytes are not all there. filters: by name."""

    tensor: Tensor
    missing: bool
    filters: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Something that is no number. place: the object. attribute: which of its attributes; empty for a data set."""

    place: str
    attribute: str
    raw: bytes


@dataclass(frozen=True, slots=True)
class Unread:
    """An object, an attribute or a text that cannot be true, or is kept in a way that is not read here."""

    place: str


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What lies in another file."""

    place: str
    file: str


Item = Dataset | Text | Unread | Elsewhere


def walk(file: IO[bytes], path: str) -> Iterator[Item]:
    """All of a file. Raises CorruptFile where not even its beginning can be true, or more is claimed than is read."""
    source = Source(file, path)
    top = objects.root(source)
    objects.messages(source, top)
    waiting, seen = [("", top, 0)], {top}
    while waiting:
        name, address, depth = waiting.pop()
        try:
            header = objects.messages(source, address)
            yield from _attributes(source, header, name)
            if any(message.kind == objects.LAYOUT for message in header):
                yield from _dataset(source, header, name)
                continue
            below = []
            for link in sorted(links.of(source, header), key=lambda link: link.name):
                where = short(f"{name}/{link.name}".strip("/"))
                if link.kind == "external":
                    yield Elsewhere(where, short(link.target))
                elif link.address is not None and link.address not in seen:
                    seen.add(link.address)
                    below.append((where, link.address, depth + 1))
            if below and (depth == DEEPEST or len(seen) > 2 * MAX_TENSORS):
                yield Unread(name)
            else:
                waiting += reversed(below)
        except CorruptFile:
            if source.spent:
                raise
            yield Unread(name or "/")


def _attributes(source: Source, header: Sequence[Message], place: str) -> Iterator[Item]:
    for one in attributes.of(source, header):
        if one is None:
            yield Unread(place or "/")
        else:
            yield from (Text(place, one.name, raw) for raw in one.texts)


def _dataset(source: Source, header: Sequence[Message], name: str) -> Iterator[Item]:
    bodies = {message.kind: message for message in header}
    if not {objects.DATATYPE, objects.DATASPACE} <= bodies.keys():
        raise source.wrong(header[0].at)
    kind = types.of(objects.body(source, bodies[objects.DATATYPE]))
    space = types.shape(objects.body(source, bodies[objects.DATASPACE]))
    found = data.layout(objects.body(source, bodies[objects.LAYOUT]))
    listed = bodies.get(objects.FILTERS)
    applied = filters.pipeline(objects.body(source, listed)) if listed else ()
    elsewhere = objects.EXTERNAL in bodies or found.kind == "virtual"
    if elsewhere:
        yield Elsewhere(name, "")
    shape = (0,) if space is None else (*space, *kind.shape)
    size = prod(shape) * kind.width
    if kind.kind in ("number", "other"):
        known = shape if prod(shape) < 2**62 else None
        missing = not elsewhere and _missing(source, found, size)
        yield Dataset(
            Tensor(name or "data", known, kind.name, size if known is not None else 0),
            missing,
            tuple(one.name for one in applied),
        )
    elif not elsewhere:
        raw = data.raw(source, found, applied, size, MAX_TEXT)
        if raw is None:
            raise source.wrong(header[0].at)
        cursor = Cursor(raw, source, 0)
        yield from (Text(name, "", one) for one in attributes.texts(source, kind, prod(space or (0,)), cursor))


def _missing(source: Source, found: data.Layout, size: int) -> bool:
    """Whether the bytes cannot all be there. Chunks are not counted: their filters make them smaller."""
    if found.kind == "compact":
        return len(found.raw) < size
    if found.address is None:
        return size > 0
    if found.kind == "contiguous":
        return found.address + size > source.size or (found.size < size and found.size > 0)
    return size > BOMB * max(source.size, _SMALL)
