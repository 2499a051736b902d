"""Reads the network of an OpenVINO model, an XML file: its constants with their places in the `.bin` beside it.

Layout: https://docs.openvino.ai/2025/documentation/openvino-ir-format.html. Entities, by which a few lines can
stand for gigabytes, are refused. No weights are read.
"""

from collections import Counter
from math import prod
from pathlib import Path
from typing import Any
from xml.parsers import expat

from abierto.errors import FileMissing
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Finding, Tensor, short
from abierto.formats.faults import corrupt

MAX_SIZE = 200_000_000  # bytes; networks of many layers have 10 million
MAX_TOLD = 100
MAX_NAMED = 10
_BLOCK = 1 << 16
_OWN = ("opset", "experimental", "extension")


class _Refused(Exception):
    """The text declares entities."""


class _Network:
    """What was seen of the network so far."""

    def __init__(self) -> None:
        self.tensors: list[Tensor] = []
        self.kinds: Counter[str] = Counter()
        self.said: dict[str, str] = {}
        self.foreign: set[str] = set()
        self.end = 0
        self.bad: list[str] = []
        self._layer: dict[str, str] = {}
        self._names: Counter[str] = Counter()

    def start(self, tag: str, attributes: dict[str, str]) -> None:
        if tag == "net" and not self.said:
            self.said = {key: short(attributes.get(key, ""), 60) for key in ("name", "version")}
        elif tag == "layer":
            self._layer = attributes
            if len(self.kinds) < 10_000:
                self.kinds[short(attributes.get("type", ""), 60)] += 1
            version = attributes.get("version", "opset1")
            if not version.startswith(_OWN):
                self.foreign.add(short(version, 60))
        elif tag == "data" and self._layer.get("type") == "Const" and len(self.tensors) <= MAX_TENSORS:
            self._constant(attributes)

    def _constant(self, about: dict[str, str]) -> None:
        name = short(self._layer.get("name", ""))
        self._names[name] += 1
        if self._names[name] > 1:  # in the body of a loop, names begin anew
            name = f"{name}#{self._names[name]}"
        texts = [text.strip() for text in about.get("shape", "").split(",") if text.strip()]
        numbers = [about.get("offset", ""), about.get("size", ""), *texts]
        if not all(text.isdecimal() and len(text) < 19 for text in numbers) or len(texts) > 64:
            self.bad.append(name)
            return
        offset, size, *shape = map(int, numbers)
        self.end = max(self.end, offset + size)
        known = tuple(shape) if prod(shape) < 2**62 else None
        self.tensors.append(Tensor(name, known, short(about.get("element_type", "?"), 20).upper(), size))


def read(path: Path) -> Contents:
    """The network. Raises FileMissing, CorruptFile."""
    network = _Network()
    parser = expat.ParserCreate()
    parser.StartElementHandler = network.start
    parser.EntityDeclHandler = _refuse
    try:
        with path.open("rb") as file:
            if file.seek(0, 2) > MAX_SIZE:
                raise corrupt(str(path), "header_too_large", limit=MAX_SIZE)
            file.seek(0)
            while block := file.read(_BLOCK):
                parser.Parse(block, False)
            parser.Parse(b"", True)
    except OSError as error:
        raise FileMissing(str(path)) from error
    except (expat.ExpatError, _Refused):
        raise corrupt(str(path), "no_xml") from None
    return _contents(network, path)


def _refuse(*_: Any) -> None:
    raise _Refused


def _contents(network: _Network, path: Path) -> Contents:
    findings = []
    if network.foreign:
        names = ", ".join(sorted(network.foreign)[:MAX_NAMED])
        findings.append(Finding("foreign_operators", "executes", {"names": names}))
    if network.bad:
        about = {"count": len(network.bad), "tensors": ", ".join(network.bad[:MAX_NAMED])}
        findings.append(Finding("storage_missing", "fault", about))
    weights = path.with_suffix(".bin")
    if network.end and not weights.is_file():
        findings.append(Finding("external_missing", "fault", {"file": weights.name}))
    elif network.end and (size := weights.stat().st_size) < network.end:
        about = {"file": weights.name, "expected": network.end, "actual": size}
        findings.append(Finding("external_short", "fault", about))
    more = {**network.said, "operators": dict(network.kinds.most_common(MAX_TOLD))}
    return Contents("openvino", network.tensors, Facts(framework="openvino", more=more), tuple(findings))
