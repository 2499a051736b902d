"""Reads the header of a GGUF file, whoever made it: no count or length in it is believed before it is checked.

Time and memory are bounded by limits, here and in gguf_bytes, and by the size of the file, never by what the header
claims. Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. It knows no engine and reads no weights.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from abierto.errors import FileMissing, NotAModel, PartMissing
from abierto.formats.detect import detect
from abierto.formats.faults import corrupt
from abierto.formats.ggml_types import TYPES
from abierto.formats.gguf_bytes import HeaderBytes
from abierto.formats.gguf_checks import check_layout, check_model
from abierto.formats.gguf_header import ArrayInfo, GGUFHeader, Scalar, TensorInfo, Value

__all__ = ["ArrayInfo", "GGUFHeader", "Scalar", "TensorInfo", "Value", "read_header", "read_pairs", "read_parts"]

MAX_PAIRS = 65_536
MAX_TENSORS = 65_536
MAX_KEY = 65_535  # bytes, the format's own limit
MAX_NAME = 63  # bytes of a tensor's name, ggml's limit
MAX_ITEMS = 1 << 30  # items of an array of numbers; the engine has the same limit
MAX_TOKENS = 1 << 20  # the largest vocabularies have 0.3 million
KEPT_NUMBERS = 512  # an array of numbers up to this length is kept: one for each block is enough
KEPT_STRINGS = 64
DEFAULT_ALIGNMENT = 32
TOKENS = "tokenizer.ggml.tokens"

_SCALARS = {0: ("u8", "B"), 1: ("i8", "b"), 2: ("u16", "H"), 3: ("i16", "h"), 4: ("u32", "I"), 5: ("i32", "i")}
_SCALARS |= {6: ("f32", "f"), 7: ("bool", "?"), 10: ("u64", "Q"), 11: ("i64", "q"), 12: ("f64", "d")}
_WIDTHS = {"B": 1, "b": 1, "?": 1, "H": 2, "h": 2, "I": 4, "i": 4, "f": 4, "Q": 8, "q": 8, "d": 8}
_STRING, _ARRAY = 8, 9


def read_header(path: str | Path) -> GGUFHeader:
    """The header of the file at `path`, checked: the tensors lie inside of the file, and the numbers can be true.

    Raises FileMissing, NotAModel when it is no GGUF file, CorruptFile when it cannot be one that works.
    """
    found = detect(path)
    if found != "gguf":
        raise NotAModel(str(path), found)
    try:
        with Path(path).open("rb") as file:
            header = _header(HeaderBytes(file, str(path)))
    except OSError as error:
        raise FileMissing(str(path)) from error
    check_layout(header, str(path))
    check_model(header, str(path))
    return header


def read_parts(paths: Sequence[str]) -> GGUFHeader:
    """The header of a model that is split over files, in their order: the metadata of the first, the tensors of all.

    Raises what `read_header` raises, PartMissing where the first file says that there are more, and CorruptFile where
    one of them is another part than its place says.
    """
    first, *others = headers = [read_header(path) for path in paths]
    if first.split_count > len(headers):
        alone = Path(paths[0])
        raise PartMissing(str(alone.with_name(f"{alone.stem}-00002-of-{first.split_count:05}.gguf")), alone.name)
    for number, (header, path) in enumerate(zip(headers, paths, strict=True)):
        if others and (header.split_number, header.split_count) != (number, len(headers)):
            raise corrupt(path, "parts_disagree", number=header.split_number + 1, count=header.split_count)
    tensors = tuple(tensor for header in headers for tensor in header.tensors)
    return replace(first, tensors=tensors, file_size=sum(header.file_size for header in headers)) if others else first


def read_pairs(path: str | Path) -> dict[str, bytes]:
    """The metadata as it stands in the file, long arrays too: for each key its value with the number of its type.

    For who writes a file with the same metadata. Raises what `read_header` raises.
    """
    try:
        with Path(path).open("rb") as file:
            source = HeaderBytes(file, str(path))
            _counts(source)
            places: dict[str, tuple[int, int]] = {}
            _metadata(source, places)
            return {key: _between(file, *place) for key, place in places.items()}
    except OSError as error:
        raise FileMissing(str(path)) from error


def _between(file: BinaryIO, start: int, end: int) -> bytes:
    file.seek(start)
    return file.read(end - start)


def _counts(source: HeaderBytes) -> tuple[int, int]:
    """The version, and how many tensors there are."""
    source.take(4)  # the signature
    return _version(source), source.count("Q", MAX_TENSORS, "too_many_tensors")


def _header(source: HeaderBytes) -> GGUFHeader:
    version, tensor_count = _counts(source)
    metadata = _metadata(source, {})
    alignment = metadata.get("general.alignment", DEFAULT_ALIGNMENT)
    if type(alignment) is not int or alignment <= 0 or alignment & (alignment - 1):
        raise source.corrupt("bad_alignment", alignment=str(alignment))
    tensors = tuple(_tensor(source) for _ in range(tensor_count))
    data_offset = source.position + -source.position % alignment
    return GGUFHeader(version, metadata, tensors, data_offset, alignment, source.size)


def _version(source: HeaderBytes) -> int:
    version = source.number("I")
    if version and version & 0xFFFF == 0:
        raise source.corrupt("big_endian")
    if version not in (2, 3):
        raise source.corrupt("unsupported_version", version=version)
    return version


def _metadata(source: HeaderBytes, places: dict[str, tuple[int, int]]) -> dict[str, Value]:
    """The values by key; notes in `places` where each begins and ends."""
    metadata: dict[str, Value] = {}
    for _ in range(source.count("Q", MAX_PAIRS, "too_many_keys")):
        key = source.text("key")
        if not key or len(key) > MAX_KEY:
            raise source.corrupt("bad_key", key=key)
        if key in metadata:
            raise source.corrupt("duplicate_key", key=key)
        start = source.position
        metadata[key] = _value(source, key)
        places[key] = start, source.position
    return metadata


def _value(source: HeaderBytes, key: str) -> Value:
    kind = source.number("I")
    if kind == _STRING:
        return source.text(key)
    if kind == _ARRAY:
        return _array(source, key)
    if kind not in _SCALARS:
        raise source.corrupt("unknown_value_type", key=key, type=kind)
    return source.numbers(_SCALARS[kind][1], 1)[0]


def _array(source: HeaderBytes, key: str) -> Value:
    kind = source.number("I")
    length = source.count("Q", MAX_TOKENS if key == TOKENS else MAX_ITEMS, "array_too_long", key=key)
    if kind == _ARRAY:
        raise source.corrupt("nested_array", key=key)
    if kind == _STRING:
        return _strings(source, key, length)
    if kind not in _SCALARS:
        raise source.corrupt("unknown_value_type", key=key, type=kind)
    name, form = _SCALARS[kind]
    if length <= KEPT_NUMBERS:
        return source.numbers(form, length)
    source.skip(_WIDTHS[form] * length)
    return ArrayInfo(name, length)


def _strings(source: HeaderBytes, key: str, length: int) -> Value:
    source.announce_strings(length, key)
    if key == TOKENS:
        source.skip_tokens(length, key)  # the engine asserts that no token is there twice
        return ArrayInfo("string", length)
    if length > KEPT_STRINGS:
        source.skip_strings(length, key)
        return ArrayInfo("string", length)
    return tuple(source.text(key) for _ in range(length))


def _tensor(source: HeaderBytes) -> TensorInfo:
    name = source.text("tensor")
    if len(name.encode()) > MAX_NAME:
        raise source.corrupt("tensor_name_too_long", tensor=name, limit=MAX_NAME)
    dimensions = source.count("I", 4, "too_many_dimensions", tensor=name)
    shape = tuple(int(size) for size in source.numbers("Q", dimensions))
    kind = source.number("I")
    offset = source.number("Q")
    if kind not in TYPES:
        raise source.corrupt("unknown_tensor_type", tensor=name, type=kind)
    dtype = TYPES[kind]
    elements = math.prod(shape)
    if not 0 < elements < 2**63 or (shape[0] if shape else 1) % dtype.block_elements:
        raise source.corrupt("bad_shape", tensor=name, shape=list(shape), type=dtype.name)
    return TensorInfo(name, shape, dtype.name, offset, elements // dtype.block_elements * dtype.block_bytes)
