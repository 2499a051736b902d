# SPDX-License-Identifier: Apache-2.0
"""Keeps the checkpoint before the last segment in little space: as what its bits differ from the published ones.

Every pair of bytes is taken as a number, the published one subtracted (modulo 65536), high and low bytes put apart, and
the whole compressed (LZMA). Weights that a segment did not train take no room. What comes back is checked by whoever
asked, against the hashes in the segment's record.
"""

import lzma
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from abierto.errors import CorruptFile
from abierto.formats.faults import corrupt

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FILTERS = [{"id": lzma.FILTER_LZMA2, "preset": 6}]


def pack(before: dict[str, Path], after: dict[str, Path], target: Path) -> None:
    """Write what the files of `before` differ from those of `after`, by the same names, into a file."""
    with lzma.open(target, "wb", format=lzma.FORMAT_XZ, filters=_FILTERS) as file:
        for name in sorted(before):
            file.write(_apart(_numbers(before[name]) - _numbers(after[name])))


def unpack(packed: Path, after: dict[str, Path], before: dict[str, Path]) -> None:
    """Write the files of `before` again. Raises CorruptFile."""
    try:
        with lzma.open(packed, "rb") as file:
            for name in sorted(after):
                published = _numbers(after[name])
                found = _together(file.read(2 * len(published)))
                size = after[name].stat().st_size
                before[name].parent.mkdir(parents=True, exist_ok=True)
                before[name].write_bytes((found + published).tobytes()[:size])
    except (lzma.LZMAError, EOFError, ValueError):
        raise _damaged(packed) from None


def _damaged(packed: Path) -> CorruptFile:
    return corrupt(str(packed), "archive")


def _numbers(path: Path) -> "NDArray[np.uint16]":
    content = path.read_bytes()
    return np.frombuffer(content + b"\0" * (len(content) % 2), "<u2")


def _apart(numbers: "NDArray[np.uint16]") -> bytes:
    return (numbers >> 8).astype(np.uint8).tobytes() + (numbers & 255).astype(np.uint8).tobytes()


def _together(content: bytes) -> "NDArray[np.uint16]":
    high, low = np.frombuffer(content, np.uint8).reshape(2, -1).astype(np.uint16)
    return np.asarray(high << 8 | low, np.uint16)
