"""Pickles as joblib writes them, for scikit-learn and others: packed as a whole, and arrays behind their descriptions.

Layout: https://github.com/joblib/joblib/blob/main/joblib/numpy_pickle.py. Nothing is unpickled.
"""

import bz2
import io
import lzma
import re
import zlib
from math import prod
from pathlib import Path
from typing import IO, Any

from abierto.formats import numpy_arrays, pickle_names
from abierto.formats.pickle_machine import Call, Followed, Name, Stopped, follow

MAX_UNPACKED = 64_000_000  # bytes that are unpacked of one file; what would follow is not looked at
MAX_MEMORY = 64_000_000  # bytes that unpacking xz may take
_BLOCK = 65_536
_ITEM = re.compile(r"[<>|=]?([a-zA-Z])(\d{1,9})")


def skip_array(call: Call, file: IO[bytes], found: Followed) -> None:
    """Skip the array whose description was just read; one of objects is a pickle again. Raises Stopped."""
    if not isinstance(call.function, Name) or call.function.text != pickle_names.JOBLIB:
        return
    array = numpy_arrays.of_call(call)
    if not array:
        raise Stopped
    if array.objects:
        inner = follow(file, skip_array)
        found.names |= inner.names
        found.calls += inner.calls
        if not inner.whole:
            raise Stopped
        return
    if isinstance(call.state.get("numpy_array_alignment_bytes"), int):
        file.seek(int.from_bytes(file.read(1), "little"), 1)
    here, end = file.tell(), file.seek(0, 2)
    after = here + prod(array.shape) * (array.width or _width(call.state["dtype"]))
    if after > end:
        raise Stopped
    file.seek(after)


def _width(kind: Any) -> int:
    """Bytes of an item that is no number: of a text four for each letter, of others as its name says."""
    arguments = kind.arguments if isinstance(kind, Call) and isinstance(kind.arguments, tuple) else ()
    found = _ITEM.fullmatch(arguments[0]) if arguments and isinstance(arguments[0], str) else None
    if not found:
        raise Stopped
    return int(found[2]) * (4 if found[1] == "U" else 1)


def unpacked(path: Path) -> IO[bytes] | None:
    """What is packed in a file, as far as it may be unpacked, if that begins like a pickle; None otherwise."""
    with path.open("rb") as file:
        machine = _machine(file.read(6))
        file.seek(0)
        made = bytearray()
        try:
            while machine and len(made) < MAX_UNPACKED and (raw := file.read(_BLOCK)):
                made += machine.decompress(raw, MAX_UNPACKED - len(made))
                if len(made) > 1 and not (made[0] == 0x80 and 2 <= made[1] <= 5):
                    return None
                if machine.eof:
                    break
        except (zlib.error, OSError, lzma.LZMAError, EOFError):
            pass  # what came before is looked at
    return io.BytesIO(made) if len(made) > 1 else None


def _machine(start: bytes) -> Any:
    if start[:2] == b"\x1f\x8b" or (len(start) > 1 and start[0] == 0x78 and int.from_bytes(start[:2]) % 31 == 0):
        return zlib.decompressobj(zlib.MAX_WBITS | 32)
    if start[:3] == b"BZh":
        return bz2.BZ2Decompressor()
    if start[:6] == b"\xfd7zXZ\x00" or start[:3] == b"\x5d\x00\x00":
        return lzma.LZMADecompressor(memlimit=MAX_MEMORY)
    return None
