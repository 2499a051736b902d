"""ggml's own quantisers, as they lie in the shared library of the engine's package: fast, and for every type.

The package offers them to C only, and its wheels for Windows not even that; so what is found is compared with what is
known of ggml before it is used, and nothing here is an error: without it there is `numpy_codec`. The functions are
`ggml_quantize_chunk` of ggml.h and `dequantize_row_*` of ggml-quants.h in llama.cpp. It knows no files.
"""

import ctypes
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from abierto.formats.ggml_types import TYPES, GGMLType
from abierto.recipes.codec import NotFinite

PACKAGE = "xllamacpp"
_NUMBERS = {kind.name: number for number, kind in TYPES.items()}
_FLOAT = 4  # bytes
# What can be made without knowing which numbers matter most.
_MAKES: tuple[str, ...] = (
    *("F32", "F16", "BF16", "Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0", "IQ4_NL", "IQ4_XS"),
    *("Q3_K", "Q2_K"),
)
_TO_FLOATS = {"F16": "ggml_fp16_to_fp32_row", "BF16": "ggml_bf16_to_fp32_row"}


def load(library: str = "") -> "GgmlCodec | None":
    """The library of the engine's package, or the one of that path; None where there is none that can be used."""
    path = library or _library()
    if not path:
        return None
    try:
        return GgmlCodec(ctypes.CDLL(path))
    except (OSError, AttributeError):  # cannot be loaded; exports no such function
        return None


def _library() -> str:
    spec = find_spec(PACKAGE)
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        for path in sorted(Path(folder).glob(f"{PACKAGE}*")):
            if path.suffix in (".so", ".dylib", ".pyd"):
                return str(path)
    return ""


class GgmlCodec:
    """See `Codec`."""

    def __init__(self, library: ctypes.CDLL) -> None:
        self.tool = f"ggml of {PACKAGE} {metadata.version(PACKAGE)}"
        self._library = library
        self._quantize = library.ggml_quantize_chunk
        self._quantize.restype = ctypes.c_size_t
        self._quantize.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p, *[ctypes.c_int64] * 3]
        self._quantize.argtypes += [ctypes.c_void_p]
        self._valid = library.ggml_validate_row_data
        self._valid.restype = ctypes.c_bool
        self._valid.argtypes = [ctypes.c_int, ctypes.c_char_p, ctypes.c_size_t]
        library.ggml_type_name.restype = ctypes.c_char_p
        library.ggml_type_size.restype = ctypes.c_size_t
        library.ggml_blck_size.restype = ctypes.c_int64
        self._known = {kind.name: kind for number, kind in TYPES.items() if self._agrees(number, kind)}

    def reads(self, dtype: str) -> bool:
        """See `Codec`."""
        return dtype == "F32" or (dtype in self._known and hasattr(self._library, _reader(dtype)))

    def writes(self, dtype: str) -> bool:
        """See `Codec`."""
        return dtype in _MAKES and dtype in self._known

    def decode(self, dtype: str, data: bytes) -> bytes:
        """See `Codec`."""
        if dtype == "F32":
            return data
        kind = self._known[dtype]
        numbers = len(data) // kind.block_bytes * kind.block_elements
        out = ctypes.create_string_buffer(numbers * _FLOAT)
        function = self._library[_reader(dtype)]
        function.restype, function.argtypes = None, [ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int64]
        function(data, out, numbers)
        return out.raw

    def encode(self, dtype: str, floats: bytes, row: int) -> bytes:
        """See `Codec`."""
        kind, rows = self._known[dtype], len(floats) // _FLOAT // row
        out = ctypes.create_string_buffer(rows * (row // kind.block_elements) * kind.block_bytes)
        if not self._valid(_NUMBERS["F32"], floats, len(floats)):
            raise NotFinite
        written = self._quantize(_NUMBERS[dtype], floats, out, 0, rows, row, None)
        made = out.raw
        if written != len(made) or not self._valid(_NUMBERS[dtype], made, len(made)):
            raise NotFinite
        return made

    def _agrees(self, number: int, kind: GGMLType) -> bool:
        library = self._library
        name = library.ggml_type_name(number) or b""
        sizes = library.ggml_blck_size(number), library.ggml_type_size(number)
        return name.decode().upper() == kind.name and sizes == (kind.block_elements, kind.block_bytes)


def _reader(dtype: str) -> str:
    if dtype in _TO_FLOATS:
        return _TO_FLOATS[dtype]
    name = dtype.lower()
    return f"dequantize_row_{name[:-1]}K" if name.endswith("_k") else f"dequantize_row_{name}"
