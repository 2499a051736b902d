"""What was done to the bytes of a chunk before they were written, and how it is undone, up to a limit."""

import zlib
from collections.abc import Sequence
from dataclasses import dataclass

from abierto.formats.hdf5.source import Cursor

MOST = 32  # filters of one data set
_DEFLATE, _SHUFFLE, _CHECKSUM, _LZF = 1, 2, 3, 32000
# https://github.com/HDFGroup/hdf5_plugins/blob/master/docs/RegisteredFilterPlugins.md
_NAMES = {1: "deflate", 2: "shuffle", 3: "fletcher32", 4: "szip", 5: "nbit", 6: "scaleoffset", 305: "lzo", 307: "bzip2"}
_NAMES |= {32000: "lzf", 32001: "blosc", 32004: "lz4", 32008: "bitshuffle", 32013: "zfp", 32015: "zstd"}


@dataclass(frozen=True, slots=True)
class Filter:
    """One of them. values: what it was told."""

    number: int
    values: tuple[int, ...]

    @property
    def name(self) -> str:
        """As the format or the list of registered filters calls it, else its number."""
        return _NAMES.get(self.number, str(self.number))


def pipeline(cursor: Cursor) -> tuple[Filter, ...]:
    """The filters that a message lists, in the order in which they were applied. Raises CorruptFile."""
    version, count = cursor.number(1), cursor.number(1)
    if version not in (1, 2) or count > MOST:
        raise cursor.wrong()
    cursor.take(6 if version == 1 else 0)
    found = []
    for _ in range(count):
        number = cursor.number(2)
        named = cursor.number(2) if version == 1 or number >= 256 else 0
        cursor.take(2)
        values = cursor.number(2)
        cursor.take(-(-named // 8) * 8 if version == 1 else named)
        found.append(Filter(number, tuple(cursor.number(4) for _ in range(values))))
        cursor.take(4 if version == 1 and values % 2 else 0)
    return tuple(found)


def undone(raw: bytes, applied: Sequence[Filter], mask: int, limit: int) -> bytes | None:
    """The bytes as they were, at most `limit`; None where that cannot be done. mask: a bit for each that was left out.

    A chunk that unpacks to more than `limit` is cut there.
    """
    for place in reversed(range(len(applied))):
        if mask >> place & 1:
            continue
        done = _one(raw, applied[place], limit + 4)  # the sum of the chunk comes after it
        if done is None:
            return None
        raw = done
    return raw[:limit]


def _one(raw: bytes, filter_: Filter, limit: int) -> bytes | None:
    match filter_.number:
        case 1:
            try:
                return zlib.decompressobj().decompress(raw, limit)
            except zlib.error:
                return None
        case 2:
            return _unshuffled(raw, filter_.values[0] if filter_.values else 1)
        case 3:
            return raw[:-4]
        case 32000:
            return _lzf(raw, limit)
    return None


def _unshuffled(raw: bytes, width: int) -> bytes:
    """All first bytes of the numbers come first, then all second ones, and so on; what is left over stays."""
    count = len(raw) // width if width else 0
    if width < 2 or not count:
        return raw
    found, end = bytearray(raw), count * width
    if width <= count:
        for place in range(width):
            found[place:end:width] = raw[place * count : (place + 1) * count]
    else:  # fewer steps for few long items
        for item in range(count):
            found[item * width : (item + 1) * width] = raw[item:end:count]
    return bytes(found)


def _lzf(raw: bytes, limit: int) -> bytes | None:
    """LibLZF: runs of bytes, and references to earlier ones; https://github.com/h5py/h5py/tree/master/lzf."""
    found, at = bytearray(), 0
    try:
        while at < len(raw) and len(found) < limit:
            control = raw[at]
            at += 1
            if control < 32:
                found += raw[at : at + control + 1]
                at += control + 1
                continue
            count = control >> 5
            if count == 7:
                count += raw[at]
                at += 1
            start = len(found) - ((control & 31) << 8 | raw[at]) - 1
            at += 1
            if start < 0:
                return None
            run = found[start : start + count + 2]
            found += (run * (count + 2))[: count + 2] if len(run) < count + 2 else run
    except IndexError:
        return None
    return bytes(found)
