"""Reads a SavedModel of TensorFlow: the operators of its graphs, and the variables that the table beside them lists.

    saved_model.pb               messages of saved_model.proto, meta_graph.proto, graph.proto, node_def.proto
    variables/variables.index    a sorted table: blocks of keys, of which each value is a BundleEntryProto

Table: https://github.com/google/leveldb/blob/main/doc/table_format.md, without compression as TensorFlow writes it. A
graph is a program: what it can do besides arithmetic is flagged. No weights are read.
"""

import struct
from collections import Counter
from collections.abc import Iterator
from math import prod
from pathlib import Path

from abierto.errors import FileMissing
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Finding, Tensor, short
from abierto.formats.faults import corrupt
from abierto.formats.protobuf import Field, Reader

MAX_TOLD = 100
MAX_OPERATORS = 10_000  # kinds
_MAGIC = bytes.fromhex("57fb808b247547db")
_FOOTER = 48  # bytes
_TYPES = {1: "F32", 2: "F64", 3: "I32", 4: "U8", 5: "I16", 6: "I8", 7: "STRING", 8: "C64", 9: "I64", 10: "BOOL"}
_TYPES |= {14: "BF16", 17: "U16", 18: "C128", 19: "F16", 22: "U32", 23: "U64"}
# Operators that run Python, or read and write files and addresses.
_BEYOND = ("PyFunc", "PyFuncStateless", "EagerPyFunc", "ReadFile", "WriteFile", "DebugIdentityV2")


def is_index(path: Path) -> bool:
    """Whether a file ends as such a table does."""
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(max(0, size - 8))
        return file.read(8) == _MAGIC


def graph(path: Path) -> Contents:
    """`saved_model.pb`. Raises FileMissing, CorruptFile."""
    operators: Counter[str] = Counter()
    version = ""
    try:
        with path.open("rb") as file:
            reader = Reader(file, str(path))
            for meta in _inner(reader, reader.whole(), 2):
                for one in reader.fields(meta):
                    if one.number == 1 and one.end:
                        version = next((reader.text(two, 100) for two in _inner(reader, one, 5)), version)
                    elif one.number == 2 and one.end:
                        _nodes(reader, one, operators)
    except OSError as error:
        raise FileMissing(str(path)) from error
    bad = [name for name in operators if name in _BEYOND]
    findings = (Finding("graph_reaches_out", "executes", {"names": ", ".join(bad)}),) if bad else ()
    more = {"tensorflow_version": short(version, 40)} if version else {}
    facts = Facts(framework="tensorflow", more={**more, "operators": dict(operators.most_common(MAX_TOLD))})
    return Contents("saved_model", facts=facts, findings=findings)


def _nodes(reader: Reader, graph_: Field, operators: Counter[str]) -> None:
    """Of the graph, and of the functions in its library."""
    for one in reader.fields(graph_):
        if one.number == 1 and one.end:
            _count(reader, one, operators)
        elif one.number == 2 and one.end:
            for function in _inner(reader, one, 1):
                for node in _inner(reader, function, 3):
                    _count(reader, node, operators)


def _count(reader: Reader, node: Field, operators: Counter[str]) -> None:
    name = next((short(reader.text(one, 100), 60) for one in _inner(reader, node, 2)), "")
    if len(operators) < MAX_OPERATORS or name in operators or name in _BEYOND:
        operators[name] += 1


def _inner(reader: Reader, message: Field, number: int) -> Iterator[Field]:
    return (one for one in reader.fields(message) if one.number == number and one.end)


def index(path: Path) -> Contents:
    """`variables.index`. Raises FileMissing, CorruptFile."""
    try:
        with path.open("rb") as file:
            reader = Reader(file, str(path))
            return Contents("tensorflow", list(_variables(reader, str(path))), Facts(framework="tensorflow"))
    except OSError as error:
        raise FileMissing(str(path)) from error


def _variables(reader: Reader, path: str) -> Iterator[Tensor]:
    footer = Field(0, 0, max(0, reader.size - _FOOTER), reader.size)
    places = reader.numbers(footer, 4)
    if len(places) < 4:
        raise corrupt(path, "message_cut", at=footer.start)
    count = 0
    for _, block in _entries(reader, path, Field(0, 0, places[2], places[2] + places[3])):
        (start, size), _ = reader.numbers_at(block.start, block.end, 2)
        for key, value in _entries(reader, path, Field(0, 0, start, start + size)):
            count += 1
            if count > MAX_TENSORS:
                raise corrupt(path, "too_many_tensors", count=count, limit=MAX_TENSORS)
            if key:  # the first entry tells of the table itself
                yield _variable(reader, key.decode("utf-8", "replace"), value)


def _variable(reader: Reader, name: str, entry: Field) -> Tensor:
    code = size = 0
    shape: list[int] = []
    for one in reader.fields(entry):
        if one.number == 1 and not one.end:
            code = one.value
        elif one.number == 5 and not one.end:
            size = one.value
        elif one.number == 2 and one.end:
            shape += (_size(reader, part) for part in _inner(reader, one, 2))
    known = tuple(shape) if len(shape) <= 64 and prod(shape) < 2**62 else None
    name = short(name.removesuffix("/.ATTRIBUTES/VARIABLE_VALUE"))
    return Tensor(name, known, _TYPES.get(code, f"type {code}"), size)


def _size(reader: Reader, part: Field) -> int:
    return next((one.value for one in reader.fields(part) if one.number == 1 and not one.end), 0)


def _entries(reader: Reader, path: str, block: Field) -> Iterator[tuple[bytes, Field]]:
    """Keys and the places of values in one block. After it comes a byte for its compression."""
    if block.end + 5 > reader.size or block.size < 4:
        raise corrupt(path, "message_cut", at=block.start)
    kind = reader.raw(Field(0, 0, block.end, block.end + 1))
    (restarts,) = struct.unpack("<I", reader.raw(Field(0, 0, block.end - 4, block.end)))
    end = block.end - 4 - 4 * restarts
    if kind != b"\0" or end < block.start:
        raise corrupt(path, "message_cut", at=block.start)
    at, key = block.start, b""
    while at < end:
        (shared, own, length), at = reader.numbers_at(at, end, 3)
        if shared > len(key) or at + own + length > end or shared + own > 10_000:
            raise corrupt(path, "message_cut", at=at)
        key = key[:shared] + reader.raw(Field(0, 0, at, at + own))
        yield key, Field(0, 0, at + own, at + own + length)
        at += own + length
