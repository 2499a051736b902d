"""The memory of a model that a package keeps as arrays of numpy and computes with numpy alone: the arrays as they are
stored, and what Python, numpy and the tables of words take beside them.

The constant was chosen by the one model of this kind that there is, `use-multilingual`: on 2026-11-30 its process grew
by 140 MB when it was loaded and by 147 MB at most with 64 long texts, and its arrays are 79 MB of that.
"""

from abierto.formats.footprint import Footprint

ENGINE_BYTES = 65_000_000


def estimate(arrays: int) -> Footprint:
    """arrays: bytes of all of them."""
    return Footprint(arrays, 0, 0, ENGINE_BYTES)
