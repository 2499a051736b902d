"""Writes messages of Protocol Buffers: pairs of a field's number and a number, some bytes or a text."""

from collections.abc import Sequence

Value = int | bytes | str


def varint(value: int) -> bytes:
    low = value & 0x7F
    return bytes([low]) if value < 0x80 else bytes([low | 0x80]) + varint(value >> 7)


def message(*fields: tuple[int, Value]) -> bytes:
    """The message with these fields, in this order."""
    made = b""
    for number, value in fields:
        if isinstance(value, int):
            made += varint(number << 3) + varint(value)
        else:
            body = value.encode() if isinstance(value, str) else value
            made += varint(number << 3 | 2) + varint(len(body)) + body
    return made


def onnx(graph: Sequence[tuple[int, Value]], *more: tuple[int, Value]) -> bytes:
    """A model of ONNX."""
    return message((1, 8), (2, "pytorch"), (3, "2.5"), (7, message(*graph)), (8, message((1, ""), (2, 17))), *more)
