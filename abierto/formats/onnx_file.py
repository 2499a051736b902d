"""Reads what is in an ONNX model: inputs, outputs, initializers, operators, metadata. No weights are read.

Messages: https://github.com/onnx/onnx/blob/main/onnx/onnx.proto. What lies in other files is looked for beside the
model only.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from math import prod
from pathlib import Path
from typing import IO

from abierto.errors import FileMissing
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Finding, Tensor, short
from abierto.formats.faults import corrupt
from abierto.formats.protobuf import Field, Reader

MAX_DIMENSIONS = 64
MAX_NAMED = 10
MAX_TOLD = 100  # inputs, operators, entries of the metadata
FEW = 16  # numbers; a constant in a graph that has no more is no weight
DEEPEST = 8  # graphs inside of each other
_NAMES = "? F32 U8 I8 U16 I16 I32 I64 STRING BOOL F16 F64 U32 U64 C64 C128 BF16 F8_E4M3 F8_E4M3FNUZ"
_NAMES += " F8_E5M2 F8_E5M2FNUZ U4 I4 F4"
_TYPES = dict(enumerate(_NAMES.split(" ")))
_BITS = {"F32": 32, "U8": 8, "I8": 8, "U16": 16, "I16": 16, "I32": 32, "I64": 64, "BOOL": 8, "F16": 16, "F64": 64}
_BITS |= {"U32": 32, "U64": 64, "C64": 64, "C128": 128, "BF16": 16, "U4": 4, "I4": 4, "F4": 4}
_BITS |= {"F8_E4M3": 8, "F8_E4M3FNUZ": 8, "F8_E5M2": 8, "F8_E5M2FNUZ": 8}
_KNOWN: tuple[str, ...] = ("", "ai.onnx", "ai.onnx.ml", "ai.onnx.training", "ai.onnx.preview.training", "com.microsoft")
_KNOWN += ("com.microsoft.experimental", "com.microsoft.nchwc", "com.microsoft.extensions", "ai.onnx.contrib")

Inside = Callable[[str], Path | None]


@dataclass(slots=True)
class _Found:
    """What was seen of the graphs so far. external: where bytes of tensors are said to lie: file, offset, length."""

    tensors: list[Tensor] = field(default_factory=list)
    operators: Counter[str] = field(default_factory=Counter)
    domains: set[str] = field(default_factory=set)
    inputs: dict[str, str] = field(default_factory=dict)
    outputs: dict[str, str] = field(default_factory=dict)
    external: list[tuple[str, int, int]] = field(default_factory=list)
    short: list[str] = field(default_factory=list)


def read(path: Path, inside: Inside) -> Contents:
    """What the file says. inside: the file of a name in it, or None where that leads out of the folder.

    Raises FileMissing, CorruptFile.
    """
    try:
        with path.open("rb") as file:
            return read_open(file, str(path), inside)
    except OSError as error:
        raise FileMissing(str(path)) from error


def read_open(file: IO[bytes], path: str, inside: Inside) -> Contents:
    """The same for a file that is open. Raises CorruptFile, OSError."""
    reader = Reader(file, path)
    found = _Found()
    said: dict[str, str] = {}
    opsets: dict[str, int] = {}
    graphs = 0
    for one in reader.fields(reader.whole()):
        if one.number in (2, 3) and one.end:
            said["producer"] = f"{said.get('producer', '')} {short(reader.text(one))}".strip()
        elif one.number == 1 and not one.end:
            said["ir_version"] = str(one.value)
        elif one.number == 7 and one.end:
            graphs += 1
            _graph(reader, one, found, 0)
        elif one.number == 8 and one.end:
            domain, version = _pair(reader, one)
            opsets[domain or "ai.onnx"] = version
        elif one.number == 14 and len(said) < MAX_TOLD:
            said.update(_entry(reader, one))
    if graphs != 1:
        raise corrupt(path, "no_graph", count=graphs)
    operators = dict(found.operators.most_common(MAX_TOLD))
    more = {**said, "opsets": opsets, "inputs": found.inputs, "outputs": found.outputs, "operators": operators}
    findings = (*_strange(found), *_external(found, inside))
    return Contents("onnx", found.tensors, Facts(framework="onnx", more=more), findings)


def _graph(reader: Reader, graph: Field, found: _Found, depth: int, within: str = "") -> None:
    """within: the name of the operator that holds the graph, and a point."""
    for one in reader.fields(graph):
        if not one.end:
            continue
        if one.number == 1:
            _node(reader, one, found, depth, within)
        elif one.number == 5:
            _tensor(reader, one, found, within)
        elif one.number in (11, 12) and depth == 0:
            place = found.inputs if one.number == 11 else found.outputs
            if len(place) < MAX_TOLD:
                name, kind = _value(reader, one)
                place[name] = kind


def _node(reader: Reader, node: Field, found: _Found, depth: int, within: str) -> None:
    operator = domain = output = ""
    for one in reader.fields(node):
        if one.number == 4 and one.end:
            operator = short(reader.text(one), 60)
        elif one.number == 7 and one.end:
            domain = short(reader.text(one), 60)
        elif one.number == 2 and one.end:
            output = output or reader.text(one)
        elif one.number == 5 and one.end:
            for inner in reader.fields(one):
                if inner.number == 5 and inner.end:
                    _tensor(reader, inner, found, f"{within}{output}", named=False)
                elif inner.number in (6, 11) and inner.end and depth < DEEPEST:
                    _graph(reader, inner, found, depth + 1, f"{within}{output}.")
    if len(found.operators) < 10_000:
        found.operators[operator] += 1
        found.domains.add(domain)


def _tensor(reader: Reader, tensor: Field, found: _Found, within: str, *, named: bool = True) -> None:
    """within: the name of the operator that holds it; what it is called where it needs no name of its own."""
    name = within
    shape: list[int] = []
    code, size = 0, 0
    elsewhere: dict[str, str] = {}
    for one in reader.fields(tensor):
        if one.number == 1:
            shape += reader.numbers(one, MAX_DIMENSIONS + 1)
        elif one.number == 2 and not one.end:
            code = one.value
        elif one.number == 8 and one.end and named:
            name = within + reader.text(one, 1000)
        elif one.number in (4, 5, 6, 7, 9, 10, 11):
            size += one.size
        elif one.number == 13 and one.end and len(elsewhere) < MAX_TOLD:
            elsewhere |= _entry(reader, one)
        if len(shape) > MAX_DIMENSIONS:
            break
    dtype = _TYPES.get(code, f"type {code}")
    if len(found.tensors) > MAX_TENSORS:
        return
    if len(shape) > MAX_DIMENSIONS or prod(shape) >= 2**62:
        found.short.append(short(name))
        found.tensors.append(Tensor(short(name), None, dtype, size))
        return
    if not named and prod(shape) <= FEW:
        return
    needed = -(-prod(shape) * _BITS.get(dtype, 0) // 8)
    if "location" in elsewhere:
        found.external.append((elsewhere["location"], *_place(elsewhere, needed)))
    elif size == 0 and needed:
        found.short.append(short(name))
    found.tensors.append(Tensor(short(name), tuple(shape), dtype, needed or size))


def _place(elsewhere: dict[str, str], needed: int) -> tuple[int, int]:
    """Offset and length in another file."""
    offset, length = (elsewhere.get(key, "") for key in ("offset", "length"))
    known = [int(text) if text.isdecimal() and len(text) < 19 else 0 for text in (offset, length)]
    return known[0], max(known[1], needed)


def _value(reader: Reader, value: Field) -> tuple[str, str]:
    """Name, type and shape of an input or output."""
    name, dtype, shape = "", "", []
    for one in reader.fields(value):
        if one.number == 1 and one.end:
            name = short(reader.text(one))
        elif one.number == 2 and one.end:
            for kind in _inner(reader, one, 1):
                dtype = next((_TYPES.get(two.value, "?") for two in reader.fields(kind) if two.number == 1), "")
                shape = [_size(reader, size) for part in _inner(reader, kind, 2) for size in _inner(reader, part, 1)]
    return name, f"{dtype} {' x '.join(shape[:MAX_DIMENSIONS])}".strip()


def _inner(reader: Reader, message: Field, number: int) -> Iterator[Field]:
    return (one for one in reader.fields(message) if one.number == number and one.end)


def _size(reader: Reader, size: Field) -> str:
    for one in reader.fields(size):
        return short(reader.text(one), 40) if one.end else str(one.value)
    return "?"


def _pair(reader: Reader, message: Field) -> tuple[str, int]:
    text, number = "", 0
    for one in reader.fields(message):
        if one.end:
            text = short(reader.text(one), 60)
        else:
            number = one.value
    return text, number


def _entry(reader: Reader, message: Field) -> dict[str, str]:
    """A key and its value."""
    found = {one.number: reader.text(one, 1000) for one in reader.fields(message) if one.end}
    return {short(found.get(1, ""), 60): short(found.get(2, ""), 200)}


def _strange(found: _Found) -> Iterator[Finding]:
    foreign = sorted(found.domains - set(_KNOWN))
    if foreign:
        yield Finding("foreign_operators", "executes", {"names": ", ".join(foreign[:MAX_NAMED])})
    if found.short:
        about = {"count": len(found.short), "tensors": ", ".join(found.short[:MAX_NAMED])}
        yield Finding("storage_missing", "fault", about)


def _external(found: _Found, inside: Inside) -> Iterator[Finding]:
    """What is wrong with the files that it says hold its weights. Those outside of its folder are not looked for."""
    ends: dict[str, int] = {}
    for name, offset, length in found.external:
        ends[name] = max(ends.get(name, 0), offset + length)
    for name, end in list(ends.items())[:MAX_TOLD]:
        place = inside(name)
        if place is None:
            yield Finding("external_outside", "fault", {"file": short(name)})
            continue
        try:
            size = place.stat().st_size if place.is_file() else -1
        except OSError:
            size = -1
        if size < 0:
            yield Finding("external_missing", "fault", {"file": short(name)})
        elif size < end:
            yield Finding("external_short", "fault", {"file": short(name), "expected": end, "actual": size})
