"""Reads a SentencePiece vocabulary: a protobuf message, of which a few fields are enough. It cuts no text.

Layout: https://github.com/google/sentencepiece, sentencepiece_model.proto.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abierto.errors import FileMissing, NotConvertible
from abierto.formats.faults import corrupt

MAX_SIZE = 64 << 20  # bytes; the largest have some 5 MB
_BYTE_PAIR = 2  # of TrainerSpec.ModelType
_VARINT, _WIDE, _BYTES, _NARROW = 0, 1, 2, 5


@dataclass(frozen=True, slots=True)
class Piece:
    """A token. type: as GGUF numbers them, which is the same numbering."""

    text: str
    score: float
    type: int


@dataclass(frozen=True, slots=True)
class Pieces:
    """The vocabulary. space_prefix: whether a space is put before a text."""

    pieces: tuple[Piece, ...]
    space_prefix: bool


def read(path: Path) -> Pieces:
    """The vocabulary in a tokenizer.model. Raises FileMissing, CorruptFile, NotConvertible where it pairs no bytes."""
    try:
        if path.stat().st_size > MAX_SIZE:
            raise corrupt(str(path), "header_too_large", limit=MAX_SIZE)
        data = path.read_bytes()
    except OSError:
        raise FileMissing(str(path)) from None
    pieces, kind, prefix = [], 1, True
    try:
        for field, value in _fields(data):
            if field == 1 and isinstance(value, bytes):
                pieces.append(_piece(value))
            elif field == 2 and isinstance(value, bytes):
                kind = next((int(found) for inner, found in _fields(value) if inner == 3), 1)
            elif field == 3 and isinstance(value, bytes):
                prefix = next((bool(found) for inner, found in _fields(value) if inner == 3), True)
    except (ValueError, IndexError, TypeError, struct.error):
        raise corrupt(str(path), "no_json", where=path.name) from None
    if kind != _BYTE_PAIR or not pieces:
        raise NotConvertible(str(path), "tokenizer", {"found": "SentencePiece, unigram"})
    return Pieces(tuple(pieces), prefix)


def _piece(message: bytes) -> Piece:
    text, score, kind = "", 0.0, 1
    for field, value in _fields(message):
        if field == 1 and isinstance(value, bytes):
            text = value.decode()
        elif field == 2 and isinstance(value, bytes):
            score = struct.unpack("<f", value)[0]
        elif field == 3:
            kind = int(value)
    if not 1 <= kind <= 6:
        raise ValueError("a kind of piece that does not exist")
    return Piece(text, score, kind)


def _fields(message: bytes) -> Iterator[tuple[int, int | bytes]]:
    """The fields of a protobuf message: number and value, a whole number or bytes. Raises ValueError, IndexError."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        wire = tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield tag >> 3, value
            continue
        sizes = {_WIDE: 8, _NARROW: 4}
        if wire == _BYTES:
            size, at = _varint(message, at)
        else:
            size = sizes.get(wire, len(message))
        if at + size > len(message):
            raise ValueError("a field that ends beyond the message")
        yield tag >> 3, message[at : at + size]
        at += size


def _varint(message: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while shift < 70:
        byte = message[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    raise ValueError("a number that does not end")
