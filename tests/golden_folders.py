"""Golden folders: what real models' repositories hold, without their tensors, and what an honest report says of each.

tests/golden/NAME holds text files as they are, `files.yaml` for those that are made, `expected.yaml` for the report,
and SOURCE.md for where all of it is from. `expand` makes a folder as a person would have it: licence texts in full,
weights with a true header and the true size, of which nothing but the header takes room on the disk.

    LICENSE: {license: Apache-2.0, added: "a clause more"}
    model.safetensors: {metadata: {format: pt}, tensors: {"h.{0-11}.attn.weight": "F32 768x2304"}}
    model.gguf: {metadata: {general.license: apache-2.0}, tensors: {"blk.{0-29}.attn_q.weight": "Q4_1 576x576"}}
    pytorch_model.bin: {imports: [collections OrderedDict]}
    model.onnx: {producer: pytorch, operators: [Conv, ai.onnx.contrib.Tokenizer]}

A GGUF shape has its fastest dimension first, as in the file. It knows nothing of the code under test but licence texts.
"""

import json
import re
import shutil
import struct
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.license_texts import license_text
from tests.tiny_gguf import TinyGGUF, Typed

GOLDEN = Path(__file__).with_name("golden")
OURS = ("files.yaml", "expected.yaml", "SOURCE.md")
_BYTES = {"F64": 8, "F32": 4, "F16": 2, "BF16": 2, "F8_E4M3": 1, "I64": 8, "I32": 4, "U8": 1, "I8": 1, "BOOL": 1}
# GGML type -> its number, the elements of a block and the bytes of one.
_GGML = {"F32": (0, 1, 4), "F16": (1, 1, 2), "Q4_0": (2, 32, 18), "Q4_1": (3, 32, 20), "Q8_0": (8, 32, 34)}
_GGML |= {"Q4_K": (12, 256, 144), "Q6_K": (14, 256, 210)}


def names() -> list[str]:
    """The golden folders, in order."""
    return sorted(path.name for path in GOLDEN.iterdir() if (path / "expected.yaml").is_file())


def expected(name: str) -> dict[str, Any]:
    """What an honest report says of it."""
    read: dict[str, Any] = yaml.safe_load((GOLDEN / name / "expected.yaml").read_text("utf-8"))
    return read


def expand(name: str, parent: Path) -> Path:
    """The folder of this name below `parent`, with all its files."""
    root = parent / name
    shutil.copytree(GOLDEN / name, root, ignore=lambda place, _: OURS if Path(place) == GOLDEN / name else ())
    recipes = GOLDEN / name / "files.yaml"
    for file, recipe in (yaml.safe_load(recipes.read_text("utf-8")) if recipes.is_file() else {}).items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        _write(path, recipe)
    return root


def _write(path: Path, recipe: Mapping[str, Any]) -> None:
    if "license" in recipe:
        path.write_text("\n".join(filter(None, (license_text(recipe["license"]), recipe.get("added")))), "utf-8")
    elif path.suffix == ".safetensors":
        _write_safetensors(path, recipe)
    elif path.suffix == ".gguf":
        _write_gguf(path, recipe)
    elif path.suffix == ".onnx":
        path.write_bytes(_onnx(recipe))
    else:
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("archive/data.pkl", _pickle(recipe["imports"]))


def _tensors(patterns: Mapping[str, str]) -> Iterator[tuple[str, str, tuple[int, ...]]]:
    """Every tensor: its name, type and shape. `{0-11}` stands for twelve; the last group counts fastest."""
    for pattern, said in patterns.items():
        dtype, _, shape = said.partition(" ")
        sizes = tuple(int(size) for size in shape.split("x") if size)
        yield from ((name, dtype, sizes) for name in _spelled(pattern))


def _spelled(pattern: str) -> Iterator[str]:
    found = re.search(r"\{(\d+)-(\d+)\}", pattern)
    if not found:
        yield pattern
        return
    for number in range(int(found[1]), int(found[2]) + 1):
        yield from _spelled(f"{pattern[: found.start()]}{number}{pattern[found.end() :]}")


def _count(shape: tuple[int, ...]) -> int:
    total = 1
    for size in shape:
        total *= size
    return total


def _write_safetensors(path: Path, recipe: Mapping[str, Any]) -> None:
    header: dict[str, Any] = {"__metadata__": recipe["metadata"]} if "metadata" in recipe else {}
    end = 0
    for name, dtype, shape in _tensors(recipe["tensors"]):
        start, end = end, end + _count(shape) * _BYTES[dtype]
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [start, end]}
    raw = json.dumps(header, separators=(",", ":")).encode()
    raw += b" " * (-len(raw) % 8)
    _sparse(path, struct.pack("<Q", len(raw)) + raw, end)


def _write_gguf(path: Path, recipe: Mapping[str, Any]) -> None:
    form, infos, end = TinyGGUF(), bytearray(), 0
    found = list(_tensors(recipe["tensors"]))
    for name, dtype, shape in found:
        number, block, size = _GGML[dtype]
        infos += form.string(name) + struct.pack(f"<I{len(shape)}QIQ", len(shape), *shape, number, end)
        end += _count(shape) // block * size
        end += -end % 32
    pairs = b"".join(form.string(key) + form.value(_typed(value)) for key, value in recipe["metadata"].items())
    head = b"GGUF" + struct.pack("<IQQ", 3, len(found), len(recipe["metadata"])) + pairs + infos
    _sparse(path, head + bytes(-len(head) % 32), end)


def _typed(value: Any) -> Typed:
    if isinstance(value, list):
        return Typed("array", [_typed(item) for item in value])
    kinds = {bool: "bool", int: "u32", float: "f32", str: "str"}
    return Typed(kinds[type(value)], value)


def _sparse(path: Path, head: bytes, size: int) -> None:
    """A file with this head and so many bytes after it that are nowhere."""
    with path.open("wb") as file:
        file.write(head)
        file.truncate(len(head) + size)


def _pickle(imports: list[str]) -> bytes:
    """A pickle that imports these names, one after the other, and then is an empty dictionary."""
    asked = b"".join(b"c" + name.replace(" ", "\n").encode() + b"\n0" for name in imports)
    return b"\x80\x02" + asked + b"}."


def _onnx(recipe: Mapping[str, Any]) -> bytes:
    """A model of the ONNX format: its producer, one node for each operator, and the tensors with their shapes."""
    nodes = b"".join(_field(1, _node(operator)) for operator in recipe["operators"])
    tensors = b"".join(_field(11, _tensor_type(name, shape)) for name, _, shape in _tensors(recipe.get("tensors", {})))
    graph = nodes + _field(2, b"graph") + tensors
    domains = {operator.rpartition(".")[0] for operator in recipe["operators"]}
    opsets = b"".join(_field(8, _field(1, one.encode()) + b"\x10\x10") for one in sorted(domains))
    return b"\x08\x08" + _field(2, recipe["producer"].encode()) + _field(7, graph) + opsets


def _node(operator: str) -> bytes:
    domain, _, name = operator.rpartition(".")
    return _field(4, name.encode()) + (_field(7, domain.encode()) if domain else b"")


def _tensor_type(name: str, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(_field(1, b"\x08" + _varint(size)) for size in shape)
    kind = _field(1, b"\x08\x01" + _field(2, sizes))
    return _field(1, name.encode()) + _field(2, kind)


def _field(number: int, payload: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])
