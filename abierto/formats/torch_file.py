"""Reads what is in a file of `torch.save`, or in any other pickle: tensors, and what it would import and call.

    a ZIP archive     NAME/data.pkl, and the bytes of each storage in NAME/data/KEY; NAME/code/ where it is TorchScript
    the old format    five pickles after each other: a number, a version, the system, the objects, the keys of storages

Layouts: https://pytorch.org/docs/stable/notes/serialization.html. Nothing is unpickled.
"""

import io
import re
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from math import prod
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing
from abierto.formats import archive, joblib_file, numpy_arrays, pickle_names
from abierto.formats.contents import MAX_TENSORS, Contents, Facts, Finding, Tensor, short
from abierto.formats.pickle_machine import Call, Followed, Name, Stored, follow

READ = ("data.pkl",)  # the files in an archive that are read
MAX_NAMED = 20  # names that a finding tells
MAX_DIMENSIONS = 64
DEEPEST = 32  # containers inside of each other that are looked into
_MAGIC = 0x1950A86A20F9469CFC6C
_TYPES = {"Float": "F32", "Double": "F64", "Half": "F16", "BFloat16": "BF16", "Long": "I64", "Int": "I32"}
_TYPES |= {"Short": "I16", "Char": "I8", "Byte": "U8", "Bool": "BOOL", "ComplexFloat": "C64", "ComplexDouble": "C128"}
_TYPES |= {"QInt8": "QI8", "QUInt8": "QU8", "QInt32": "QI32", "Untyped": "U8"}
_WIDTHS = {"F32": 4, "F64": 8, "F16": 2, "BF16": 2, "I64": 8, "I32": 4, "I16": 2, "I8": 1, "U8": 1, "BOOL": 1}
_WIDTHS |= {"C64": 8, "C128": 16, "QI8": 1, "QU8": 1, "QI32": 4}
_MAKERS = (("pytorch", "torch."), ("scikit-learn", "sklearn."), ("xgboost", "xgboost."), ("lightgbm", "lightgbm."))
_OWN = ("_parameters", "_buffers", "_modules")  # of a module, between its name and that of what it holds


def of_archive(path: Path, opened: zipfile.ZipFile) -> Contents:
    """An archive in which there is a `data.pkl`. Raises CorruptFile."""
    names = opened.namelist()
    main = next(name for name in names if name.endswith("data.pkl"))
    folder = main.removesuffix("data.pkl")
    followed = follow(io.BytesIO(archive.part(opened, main, path)))
    sizes = {one.filename.removeprefix(f"{folder}data/"): one.file_size for one in opened.infolist()}
    contents = _contents("torch", [followed], sizes)
    script = any(name.startswith(f"{folder}code/") for name in names)
    findings = [*archive.findings(opened), *contents.findings]
    findings += [Finding("torchscript", "executes")] if script else []
    return Contents("torch", contents.tensors, contents.facts, tuple(findings))


def of_pickle(path: Path) -> Contents:
    """A pickle, or several after each other. Raises FileMissing."""
    try:
        with path.open("rb") as file:
            first = follow(file, joblib_file.skip_array)
            if first.value != _MAGIC:
                return _contents("pickle", [first], None)
            version, system, main, keys = (follow(file) for _ in range(4))
            end, size = file.tell(), file.seek(0, 2)
            contents = _contents("torch", [first, version, system, main, keys], None)
            missing = _cut(main, end, size) if keys.whole else ()
            return Contents("torch", contents.tensors, contents.facts, (*contents.findings, *missing))
    except OSError as error:
        raise FileMissing(str(path)) from error


def of_packed(path: Path, found: str) -> Contents:
    """A packed file, whose format is `found`: the pickle in it, if it is one. Raises FileMissing."""
    try:
        file = joblib_file.unpacked(path)
    except OSError as error:
        raise FileMissing(str(path)) from error
    if file:
        return _contents("pickle", [follow(file, joblib_file.skip_array)], None)
    return Contents(found, findings=(Finding("not_read", "note", {"found": found}),))


def is_pickle(path: Path) -> bool:
    """Whether a file is a pickle of the oldest kind, which begins like any text, and would import something."""
    with path.open("rb") as file:
        return bool(follow(file).names)


def is_archive(names: Sequence[str]) -> bool:
    """Whether the files in an archive are those of `torch.save`."""
    return any(name == "data.pkl" or name.endswith("/data.pkl") for name in names)


def _contents(format_: str, followed: Sequence[Followed], sizes: Mapping[str, int] | None) -> Contents:
    main = max(followed, key=lambda one: (len(one.names), one.calls))
    tensors: list[Tensor] = []
    lost: list[str] = []
    for name, found in _walk(main.value):
        if len(tensors) > MAX_TENSORS:
            break
        tensor, key, needed = found
        tensors.append(Tensor(short(name), *tensor))
        if sizes is not None and key and sizes.get(key, -1) < needed:
            lost.append(short(name))
    names = dict.fromkeys(name for one in followed for name in one.names)
    findings = tuple(pickle_names.findings(followed))
    if lost:
        about = {"count": len(lost), "tensors": ", ".join(lost[:MAX_NAMED])}
        findings += (Finding("storage_missing", "fault", about),)
    more = {"globals": [short(name) for name in list(names)[:1000]]} if names else {}
    maker = next((maker for maker, package in _MAKERS if any(name.startswith(package) for name in names)), "")
    kind = main.value.function if isinstance(main.value, Call) else None
    own = isinstance(kind, Name) and maker not in ("", "pytorch")
    facts = Facts(
        architecture=short(kind.text.rsplit(".", 1)[-1], 60) if own and isinstance(kind, Name) else "",
        framework=maker if tensors or own else "",
        more=more,
    )
    return Contents(format_, tensors, facts, findings)


def _walk(root: Any) -> Iterator[tuple[str, tuple[tuple[tuple[int, ...] | None, str, int], str, int]]]:
    """The tensors in what a pickle would make, by the way to them. Each container is looked into once."""
    seen: set[int] = set()
    open_ = [("", root, 0)]
    while open_:
        name, value, depth = open_.pop()
        if isinstance(value, Call) and (tensor := _tensor(value) or _array(value)):
            yield name or "tensor", tensor
            continue
        if depth >= DEEPEST or id(value) in seen:
            continue
        seen.add(id(value))
        inner = [(_way(name, key), one) for key, one in _items(value)]
        open_ += ((way, one, depth + 1) for way, one in reversed(inner) if isinstance(one, Call | dict | list | tuple))


def _way(name: str, key: str | int) -> str:
    return name if key in _OWN else f"{name}.{key}" if name else str(key)


def _items(value: Any) -> Iterator[tuple[str | int, Any]]:
    if isinstance(value, dict):
        yield from value.items()
    elif isinstance(value, list | tuple):
        yield from enumerate(value)
    elif isinstance(value, Call):
        yield from value.items.items()
        yield from enumerate(value.rest)
        if isinstance(value.state, dict):
            yield from value.state.items()
        if isinstance(value.arguments, list | tuple):
            yield from ((key, one) for key, one in enumerate(value.arguments) if isinstance(one, Call | dict | list))


def _tensor(call: Call) -> tuple[tuple[tuple[int, ...] | None, str, int], str, int] | None:
    """Shape, type and bytes of what a call makes; the key of its storage, and the bytes that must be there.

    None when it makes no tensor. What a parameter or a class of tensors wraps is looked into.
    """
    function = call.function.text if isinstance(call.function, Name) else ""
    arguments = call.arguments if isinstance(call.arguments, tuple) else ()
    if function.startswith("torch._utils._rebuild_parameter") and arguments and isinstance(arguments[0], Call):
        wrapped = arguments[0].function
        twice = isinstance(wrapped, Name) and "_rebuild_parameter" in wrapped.text
        return None if twice else _tensor(arguments[0])
    if function == "torch._tensor._rebuild_from_type_v2" and len(arguments) > 2:
        inner = arguments[0].text if isinstance(arguments[0], Name) else ""
        return None if inner == function else _tensor(Call(arguments[0], arguments[2]))
    if not re.fullmatch(r"torch\._utils\._rebuild_(?:q?tensor|tensor_v[23])", function) or len(arguments) < 3:
        return None
    stored, offset, shape = arguments[:3]
    if isinstance(shape, Call) and isinstance(shape.arguments, tuple):  # torch.Size
        shape = shape.arguments[0] if shape.arguments else ()
    if not isinstance(stored, Stored) or not isinstance(stored.key, tuple) or len(stored.key) < 5:
        return None
    kind, key, count = stored.key[1], stored.key[2], stored.key[4]
    key = short(str(key)) if isinstance(key, str | int) else ""
    whole = isinstance(shape, tuple | list) and len(shape) <= MAX_DIMENSIONS
    right = whole and all(type(one) is int and 0 <= one < 2**63 for one in shape)
    text = kind.text.rsplit(".", 1)[-1].removesuffix("Storage") if isinstance(kind, Name) else ""
    dtype = _TYPES.get(text, short(text, 20) or "?")
    if not right or prod(shape) >= 2**63:
        return (None, dtype, 0), key, 0
    width = _WIDTHS.get(dtype, 0)
    needed = (offset + prod(shape)) if type(offset) is int and 0 <= offset < 2**63 and _dense(arguments) else 0
    stored_size = count if type(count) is int and 0 <= count < 2**63 else 0
    return (tuple(shape), dtype, prod(shape) * width), key, max(needed, stored_size) * width


def _array(call: Call) -> tuple[tuple[tuple[int, ...], str, int], str, int] | None:
    """The same of an array of numpy, whose bytes are in the pickle itself."""
    found = numpy_arrays.of_call(call)
    return ((found.shape, found.dtype, found.size), "", 0) if found and found.width else None


def _dense(arguments: Sequence[Any]) -> bool:
    """Whether the tensor lies without gaps and repetitions."""
    shape, stride = arguments[2], arguments[3] if len(arguments) > 3 else ()
    expected = 1
    for size, step in zip(
        reversed(list(shape)), reversed(list(stride if isinstance(stride, tuple) else ())), strict=False
    ):
        if size != 1 and step != expected:
            return False
        expected *= size
    return True


def _cut(main: Followed, start: int, size: int) -> Iterator[Finding]:
    """The old format ends with all storages, each after its length in 8 bytes."""
    storages: dict[str, int] = {}
    for _, (_, key, needed) in _walk(main.value):
        storages[key] = max(needed, storages.get(key, 0))
    expected = start + sum(8 + needed for needed in storages.values())
    if expected > size:
        yield Finding("ends_early", "fault", {"expected": expected, "actual": size})
