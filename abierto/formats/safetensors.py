"""Reads the header of a safetensors file, whoever made it: no number in it is believed before it is checked.

Layout: https://github.com/huggingface/safetensors. It knows no model and reads no weights.
"""

import json
import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing, NotAModel
from abierto.formats.detect import detect
from abierto.formats.faults import corrupt

MAX_HEADER = 100_000_000  # bytes, the format's own limit
MAX_TENSORS = 1 << 20
MAX_DIMENSIONS = 8
_LENGTH = 8  # bytes of the number that the file begins with
# Bytes of one number.
WIDTHS = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U64": 8, "U32": 4, "U16": 2}
WIDTHS |= {"U8": 1, "BOOL": 1, "F8_E4M3": 1, "F8_E5M2": 1, "C64": 8}


@dataclass(frozen=True, slots=True)
class SafetensorsInfo:
    """One tensor. shape: the slowest dimension first, as PyTorch has it. offset: bytes from the start of the file."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int
    size: int


def read_header(path: str | Path) -> dict[str, SafetensorsInfo]:
    """The tensors of the file at `path` by name: they lie inside of it, one after the other, without gaps.

    Raises FileMissing, NotAModel when it is no safetensors file, CorruptFile when its header cannot be true.
    """
    return read(path)[0]


def read(path: str | Path, max_header: int = MAX_HEADER) -> tuple[dict[str, SafetensorsInfo], dict[str, str]]:
    """The same, and what the file says of itself besides. max_header: bytes that the header may have."""
    found = detect(path)
    if found != "safetensors":
        raise NotAModel(str(path), found)
    try:
        with Path(path).open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            length = int.from_bytes(file.read(_LENGTH), "little")
            if length > max_header:
                raise corrupt(str(path), "header_too_large", limit=max_header)
            if _LENGTH + length > size:
                raise corrupt(str(path), "truncated", expected=_LENGTH + length, actual=size)
            header = file.read(length)
    except OSError as error:
        raise FileMissing(str(path)) from error
    body = _parsed(str(path), header)
    said = body.pop("__metadata__", None)
    tensors = [_tensor(str(path), name, facts, _LENGTH + length) for name, facts in body.items()]
    _check_layout(str(path), tensors, _LENGTH + length, size)
    texts = said.items() if isinstance(said, dict) else ()
    return {one.name: one for one in tensors}, {key: text for key, text in texts if isinstance(text, str)}


def _parsed(path: str, header: bytes) -> dict[str, Any]:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        made = dict(pairs)
        if len(made) != len(pairs):
            ((key, _),) = Counter(key for key, _ in pairs).most_common(1)
            raise corrupt(path, "duplicate_key", key=key)
        return made

    try:
        body = json.loads(header.decode(), object_pairs_hook=unique)
    except (ValueError, RecursionError):
        raise corrupt(path, "no_json", where="header") from None
    if not isinstance(body, dict) or len(body) > MAX_TENSORS:
        raise corrupt(path, "no_json", where="header")
    return body


def _tensor(path: str, name: str, facts: Any, start: int) -> SafetensorsInfo:
    facts = facts if isinstance(facts, Mapping) else {}
    dtype, shape, offsets = facts.get("dtype"), facts.get("shape"), facts.get("data_offsets")
    if not isinstance(dtype, str) or dtype not in WIDTHS:
        raise corrupt(path, "unknown_tensor_type", tensor=name, type=str(dtype))
    if not _whole(shape) or len(shape) > MAX_DIMENSIONS or not math.prod(shape) < 2**63:
        raise corrupt(path, "bad_shape", tensor=name, shape=str(shape)[:50], type=dtype)
    if not _whole(offsets) or len(offsets) != 2 or offsets[1] - offsets[0] != math.prod(shape) * WIDTHS[dtype]:
        raise corrupt(path, "bad_offsets", tensor=name)
    return SafetensorsInfo(name, tuple(shape), dtype, start + offsets[0], offsets[1] - offsets[0])


def _whole(found: Any) -> bool:
    return isinstance(found, list) and all(type(item) is int and item >= 0 for item in found)


def _check_layout(path: str, tensors: list[SafetensorsInfo], start: int, size: int) -> None:
    end = start
    for tensor in sorted(tensors, key=lambda tensor: (tensor.offset, tensor.size)):
        if tensor.offset < end:
            raise corrupt(path, "tensors_overlap", tensor=tensor.name)
        if tensor.offset > end:
            raise corrupt(path, "bad_offsets", tensor=tensor.name)
        end = tensor.offset + tensor.size
    if end > size:
        raise corrupt(path, "truncated", expected=end, actual=size)
    if end < size:
        raise corrupt(path, "bytes_left_over", count=size - end)
