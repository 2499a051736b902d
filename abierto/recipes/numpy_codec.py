"""ggml's types in numpy, by llama.cpp's own Python package: works on every system; the simple types only, and slower.

What it makes is bit for bit what ggml makes. It knows no files.
"""

import sys
from importlib import metadata
from importlib.util import find_spec
from typing import Any

from abierto.recipes.codec import NotFinite

PACKAGE = "gguf"
_LARGEST = 65504.0  # of a 16-bit float, which the scale of a block is
_LARGEST_WIDE = 3.3e38  # of a 32-bit float that still has a neighbour among the 16-bit ones of the same range
_MAKES = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")


def load() -> "NumpyCodec | None":
    """The codec, or None where its package is not installed, or the computer stores numbers the other way round."""
    return NumpyCodec() if find_spec(PACKAGE) and sys.byteorder == "little" else None


class NumpyCodec:
    """See `Codec`."""

    def __init__(self) -> None:
        import numpy
        from gguf import quants
        from gguf.constants import GGMLQuantizationType

        self.tool = f"{PACKAGE} {metadata.version(PACKAGE)}"
        self._numpy: Any = numpy
        self._quants: Any = quants
        self._types: Any = GGMLQuantizationType

    def reads(self, dtype: str) -> bool:
        """See `Codec`."""
        return dtype in ("F32", "F16") or (
            dtype in self._types.__members__ and self._types[dtype] in self._quants._type_traits
        )

    def writes(self, dtype: str) -> bool:
        """See `Codec`."""
        return dtype in _MAKES

    def decode(self, dtype: str, data: bytes) -> bytes:
        """See `Codec`."""
        if dtype == "F32":
            return data
        found: bytes = self._quants.dequantize(self._numpy.frombuffer(data, "uint8"), self._types[dtype]).tobytes()
        return found

    def encode(self, dtype: str, floats: bytes, row: int) -> bytes:
        """See `Codec`."""
        numbers = self._numpy.frombuffer(floats, "<f4").reshape(-1, row)
        # Written so that NaN, which compares false with everything, is refused too.
        if not (self._numpy.abs(numbers) <= (_LARGEST if dtype not in ("F32", "BF16") else _LARGEST_WIDE)).all():
            raise NotFinite
        encoded: bytes = self._quants.quantize(numbers, self._types[dtype]).tobytes()
        return encoded
