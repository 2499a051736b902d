"""What an ONNX model that makes speech of text is like, read from its graph: how its sound grows out of its frames.

The last part of such a network is a chain of transposed convolutions over time (HiFi-GAN, Kong et al. 2020,
https://arxiv.org/abs/2010.05646; iSTFTNet, Kaneko et al. 2022, https://arxiv.org/abs/2203.02395). Each makes more
places with fewer numbers; the stage that has the most numbers for a sample decides over the memory. No weights are
read, and nothing is run.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from abierto.errors import CorruptFile, FileMissing
from abierto.formats import json_file
from abierto.formats.footprint_voice import Voice
from abierto.formats.protobuf import Field, Reader

MAX_TEXT = 200
MAX_SIZES = 8
FLOAT, WHOLE = 1, (6, 7)  # codes of types: 32-bit floats; whole numbers of 32 and 64 bits
UPSAMPLING, CONVOLUTION = KEPT = "ConvTranspose", "Conv"
REDUCED = ("ConvInteger", "MatMulInteger", "QLinearConv", "QuantizeLinear", "DequantizeLinear", "DynamicQuantizeLinear")
USUAL_RATE = 24_000  # samples of a second, where nothing says it: the most of the voices that are known
MOST_RATE = 192_000
ONCE = (
    6  # convolutions of a stage whose blocks have one for each dilation, three blocks of two (HiFi-GAN's second kind)
)


@dataclass(slots=True)
class _Node:
    operator: str = ""
    inputs: list[str] = field(default_factory=list)
    group: int = 1
    stride: int = 1


@dataclass(slots=True)
class _Graph:
    """shapes: of the tensors of 32-bit floats. text: whether rows of whole numbers go in. reduced: whether it computes
    with numbers of 8 bits too."""

    nodes: list[_Node] = field(default_factory=list)
    shapes: dict[str, tuple[int, ...]] = field(default_factory=dict)
    text: bool = False
    reduced: bool = False
    rate: int = 0

    def of(self, operator: str) -> Iterator[tuple[_Node, tuple[int, ...]]]:
        """The operators of this kind over time, each with the shape of its weights."""
        for node in self.nodes:
            shape = self.shapes.get(node.inputs[1], ()) if len(node.inputs) > 1 else ()
            if node.operator == operator and len(shape) == 3:
                yield node, shape


def read(path: Path) -> Voice | None:
    """What the file says; None for a model that makes no speech of text, or not with 32-bit floats alone.

    Raises FileMissing, CorruptFile.
    """
    try:
        with path.open("rb") as file:
            graph = _read(Reader(file, str(path)))
    except OSError as error:
        raise FileMissing(str(path)) from error
    chain = [(node.stride, shape[1]) for node, shape in graph.of(UPSAMPLING) if node.group == 1]
    wide = [(stride, width) for stride, width in chain if width > 1]
    if not graph.text or graph.reduced or len(wide) < 2:  # one alone is no chain
        return None
    every = next((stride for stride, width in chain if width == 1), 1)
    stages = []
    for stride, width in reversed(wide):
        stages.append((width, every))
        every *= max(stride, 1)
    width, every = max(stages, key=lambda stage: stage[0] / stage[1])
    twice = _convolutions(graph, stages[0][0]) > ONCE
    return Voice(width, graph.rate or _told_beside(path), every, twice)


def _convolutions(graph: _Graph, width: int) -> int:
    """How many convolutions keep the width of the last stage."""
    return sum(shape[:2] == (width, width) for _, shape in graph.of(CONVOLUTION))


def _told_beside(path: Path) -> int:
    """Samples of a second, as Piper's file beside the model says."""
    beside = path.with_name(f"{path.name}.json")
    try:
        told = json_file.read_object(beside).get("audio") if beside.is_file() else None
    except CorruptFile:
        told = None
    rate = told.get("sample_rate") if isinstance(told, dict) else 0
    return rate if type(rate) is int and 0 < rate <= MOST_RATE else USUAL_RATE


def _read(reader: Reader) -> _Graph:
    found = _Graph()
    for one in reader.fields(reader.whole()):
        if one.number == 7 and one.end:
            _read_graph(reader, one, found)
        elif one.number == 14 and one.end:
            key, value = (_text(reader, one, number) for number in (1, 2))
            if key == "sample_rate" and re.fullmatch(r"\d{4,6}", value, re.ASCII):
                found.rate = min(int(value), MOST_RATE)
    return found


def _read_graph(reader: Reader, graph: Field, found: _Graph) -> None:
    for one in reader.fields(graph):
        if one.number == 1 and one.end:
            node = _node(reader, one)
            if node.operator in KEPT:
                found.nodes.append(node)
            found.reduced = found.reduced or node.operator in REDUCED
        elif one.number == 5 and one.end:
            _shape(reader, one, found)
        elif one.number == 11 and one.end:
            found.text = found.text or _is_text(reader, one)


def _node(reader: Reader, message: Field) -> _Node:
    found = _Node()
    for one in reader.fields(message):
        if one.number == 1 and one.end and len(found.inputs) < MAX_SIZES:
            found.inputs.append(reader.text(one, MAX_TEXT))
        elif one.number == 4 and one.end:
            found.operator = reader.text(one, MAX_TEXT)
            if found.operator not in KEPT:  # attributes follow, and most operators are others
                break
        elif one.number == 5 and one.end:
            name, numbers = _attribute(reader, one)
            if name == "strides" and len(numbers) == 1:
                found.stride = numbers[0]
            elif name == "group" and numbers:
                found.group = numbers[0]
    return found


def _attribute(reader: Reader, message: Field) -> tuple[str, list[int]]:
    name, numbers = "", list[int]()
    for one in reader.fields(message):
        if one.number == 1 and one.end:
            name = reader.text(one, MAX_TEXT)
        elif one.number in (3, 8):
            numbers += reader.numbers(one, MAX_SIZES)
    return name, numbers


def _shape(reader: Reader, message: Field, found: _Graph) -> None:
    name, sizes, code = "", list[int](), 0
    for one in reader.fields(message):
        if one.number == 1:
            sizes += reader.numbers(one, MAX_SIZES)
        elif one.number == 2 and not one.end:
            code = one.value
        elif one.number == 8 and one.end:
            name = reader.text(one, MAX_TEXT)
    if code == FLOAT:
        found.shapes[name] = tuple(sizes)


def _is_text(reader: Reader, message: Field) -> bool:
    """Whether an input is a row of whole numbers for each text."""
    for kind in _inner(reader, message, 2):
        for tensor in _inner(reader, kind, 1):
            code = next((one.value for one in reader.fields(tensor) if one.number == 1), 0)
            sizes = sum(1 for shape in _inner(reader, tensor, 2) for _ in _inner(reader, shape, 1))
            if code in WHOLE and sizes == 2:  # texts, and what is in each
                return True
    return False


def _inner(reader: Reader, message: Field, number: int) -> Iterator[Field]:
    return (one for one in reader.fields(message) if one.number == number and one.end)


def _text(reader: Reader, message: Field, number: int) -> str:
    return next((reader.text(one, MAX_TEXT) for one in _inner(reader, message, number)), "")
