"""Writes a GGUF file, tensor by tensor, with no more than a few million numbers in memory at once.

Layout: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md. It knows no architecture, and judges no values.
"""

import struct
from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from hashlib import sha256
from math import prod
from pathlib import Path

from abierto.formats.faults import corrupt
from abierto.formats.ggml_types import TYPES
from abierto.recipes.codec import Codec, NotFinite

ALIGNMENT = 32
CHUNK = 1 << 20  # numbers
_VERSION = 3
_U32, _I32, _F32, _BOOL, _STRING, _ARRAY = 4, 5, 6, 7, 8, 9
Rows = Callable[[int, int], bytes]
_KINDS = {kind.name: (number, kind) for number, kind in TYPES.items()}


@dataclass(frozen=True, slots=True)
class Made:
    """A tensor to be written. shape: the fastest dimension first. dtype: of the file; given: of what `read` returns.

    read: so many rows of the fastest dimension, from a row on. origin: the file that is to blame for its numbers.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    given: str
    read: Rows
    origin: str

    @property
    def size(self) -> int:
        """Bytes in the file, without padding."""
        return byte_size(self.dtype, prod(self.shape))


def byte_size(dtype: str, numbers: int) -> int:
    """The bytes of so many numbers of a type."""
    kind = _KINDS[dtype][1]
    return numbers // kind.block_elements * kind.block_bytes


def string(value: str) -> bytes:
    """A metadata value: a text."""
    return _packed("I", _STRING) + _text(value)


def u32(value: int) -> bytes:
    """A metadata value: a whole number from 0 to 2**32 - 1."""
    return _packed("I", _U32) + _packed("I", value)


def f32(value: float) -> bytes:
    """A metadata value: a number."""
    return _packed("I", _F32) + _packed("f", value)


def boolean(value: bool) -> bytes:
    """A metadata value: yes or no."""
    return _packed("I", _BOOL) + _packed("?", value)


def strings(values: Sequence[str | bytes]) -> bytes:
    """A metadata value: a list of texts."""
    return _packed("IIQ", _ARRAY, _STRING, len(values)) + b"".join(map(_text, values))


def i32s(values: Sequence[int]) -> bytes:
    """A metadata value: a list of whole numbers."""
    return _packed("IIQ", _ARRAY, _I32, len(values)) + struct.pack(f"<{len(values)}i", *values)


def f32s(values: Sequence[float]) -> bytes:
    """A metadata value: a list of numbers."""
    return _packed("IIQ", _ARRAY, _F32, len(values)) + struct.pack(f"<{len(values)}f", *values)


def file_size(pairs: Mapping[str, bytes], tensors: Sequence[Made]) -> int:
    """The bytes that `write` will write."""
    return len(_header(pairs, tensors)) + sum(_padded(tensor.size) for tensor in tensors)


def write(
    path: Path, pairs: Mapping[str, bytes], tensors: Sequence[Made], codec: Codec | None, threads: int
) -> Generator[int, None, str]:
    """Write the file; yields the bytes written so far, and returns its SHA-256.

    pairs: metadata by key, each value as the functions above or `formats.gguf.read_pairs` give it. codec: needed where
    a tensor changes its type. Raises CorruptFile for numbers that are none, and OSError.
    """
    digest, done = sha256(), 0
    with ExitStack() as held:
        file = held.enter_context(path.open("wb"))
        pool = held.enter_context(ThreadPoolExecutor(threads))
        for piece in _pieces(pairs, tensors, codec, pool, threads):
            file.write(piece)
            digest.update(piece)
            done += len(piece)
            yield done
    return digest.hexdigest()


def _pieces(
    pairs: Mapping[str, bytes], tensors: Sequence[Made], codec: Codec | None, pool: ThreadPoolExecutor, threads: int
) -> Iterator[bytes]:
    yield _header(pairs, tensors)
    for tensor in tensors:
        yield from _in_order(_jobs(tensor, codec, pool), threads)
        yield bytes(_padded(tensor.size) - tensor.size)


def _jobs(tensor: Made, codec: Codec | None, pool: ThreadPoolExecutor) -> Iterator[Future[bytes]]:
    row, rows = tensor.shape[0], prod(tensor.shape[1:])
    step = max(1, CHUNK // row)
    for start in range(0, rows, step):
        data = tensor.read(start, min(step, rows - start))
        yield pool.submit(_converted, tensor, data, codec)


def _in_order(jobs: Iterator[Future[bytes]], threads: int) -> Iterator[bytes]:
    """The results, with a few jobs more under way than there are threads."""
    waiting: deque[Future[bytes]] = deque()
    for job in jobs:
        waiting.append(job)
        if len(waiting) > threads + 1:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


def _converted(tensor: Made, data: bytes, codec: Codec | None) -> bytes:
    if tensor.dtype == tensor.given:
        return data
    assert codec is not None, "a tensor that changes its type needs a codec"
    try:
        return codec.encode(tensor.dtype, codec.decode(tensor.given, data), tensor.shape[0])
    except NotFinite:
        raise corrupt(tensor.origin, "not_finite", tensor=tensor.name, type=tensor.dtype) from None


def _header(pairs: Mapping[str, bytes], tensors: Sequence[Made]) -> bytes:
    out = bytearray(b"GGUF" + _packed("IQQ", _VERSION, len(tensors), len(pairs)))
    for key, value in pairs.items():
        out += _text(key) + value
    offset = 0
    for tensor in tensors:
        out += _text(tensor.name) + _packed("I", len(tensor.shape))
        out += b"".join(_packed("Q", size) for size in tensor.shape)
        out += _packed("IQ", _KINDS[tensor.dtype][0], offset)
        offset += _padded(tensor.size)
    return bytes(out) + bytes(-len(out) % ALIGNMENT)


def _padded(size: int) -> int:
    return size + -size % ALIGNMENT


def _text(value: str | bytes) -> bytes:
    raw = value.encode() if isinstance(value, str) else value
    return _packed("Q", len(raw)) + raw


def _packed(form: str, *values: float) -> bytes:
    return struct.pack(f"<{form}", *values)
