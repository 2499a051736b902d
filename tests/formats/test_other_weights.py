"""OpenVINO, CTranslate2, Flax and Keras: what their files say, and what cannot be true."""

import json
import struct
import zipfile
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest

from abierto.formats.inspection import Report, inspect
from tests.formats.test_inspection import codes, put
from tests.tiny_protobuf import message, varint

NET = """<?xml version="1.0"?>
<net name="Model0" version="11"><layers>
<layer id="0" name="x" type="Parameter" version="opset1"><data shape="?,?" element_type="i64"/></layer>
<layer id="1" name="self.layer.weight" type="Const" version="opset1">
<data element_type="f16" shape="3, 2" offset="0" size="12"/></layer>
<layer id="2" name="scale" type="Const" version="{version}"><data element_type="f32" shape="" offset="12" size="4"/>
</layer></layers></net>"""


def test_a_network_of_openvino(tmp_path: Path) -> None:
    put(tmp_path, openvino_model__xml=NET.format(version="opset1"), openvino_model__bin=b"\1" * 16)
    report = inspect(tmp_path)
    assert (report.parts[0].format, report.parts[0].dtypes) == ("openvino", {"F16": 6, "F32": 1})
    assert not codes(report)
    put(tmp_path, openvino_model__bin=b"\1" * 15)
    assert codes(inspect(tmp_path), "fault") == {("openvino_model.xml", "external_short")}
    (tmp_path / "openvino_model.bin").unlink()
    put(tmp_path, openvino_model__xml=NET.format(version="my_ops"))
    found = codes(inspect(tmp_path))
    assert found == {("openvino_model.xml", "external_missing"), ("openvino_model.xml", "foreign_operators")}


def test_entities_of_xml_are_refused(tmp_path: Path) -> None:
    head = '<?xml version="1.0"?><net name="a" version="11"><!-- -->'
    put(tmp_path, a__xml=head + "<layers>")
    bomb = '<!DOCTYPE net [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;">]><net name="&b;" version="11"/>'
    put(tmp_path, b__xml='<net name="a" version="11">' + bomb)
    assert codes(inspect(tmp_path), "fault") == {("a.xml", "unreadable"), ("b.xml", "unreadable")}


def text(value: str) -> bytes:
    return struct.pack("<H", len(value) + 1) + value.encode() + b"\0"


def variables(count: int, *named: tuple[str, tuple[int, ...], int, bytes]) -> bytes:
    made = struct.pack("<I", 6) + text("WhisperSpec") + struct.pack("<II", 3, count)
    for name, shape, code, body in named:
        made += text(name) + struct.pack(f"<B{len(shape)}I", len(shape), *shape)
        made += struct.pack("<BI", code, len(body)) + body
    return made + struct.pack("<I", 0)


def test_variables_of_ctranslate2(tmp_path: Path) -> None:
    body = variables(2, ("encoder/a/weight", (3, 2), 1, bytes(6)), ("encoder/a/weight_scale", (3,), 0, bytes(12)))
    report = inspect(put(tmp_path, model__bin=body))
    assert (report.facts.architecture, report.parts[0].dtypes) == ("WhisperSpec", {"I8": 6, "F32": 3})
    for wrong in (body[:-6], variables(2_000_000_000), variables(1, ("w", (2**31,) * 3, 0, b""))[:-5]):
        assert codes(inspect(put(tmp_path, model__bin=wrong)), "fault") == {("model.bin", "unreadable")}


def array(shape: bytes, size: int) -> bytes:
    inner = b"\x93" + shape + b"\xa7float32" + b"\xc6" + struct.pack(">I", size) + bytes(size)
    return b"\xc9" + struct.pack(">I", len(inner)) + b"\x01" + inner


def test_arrays_of_flax(tmp_path: Path) -> None:
    body = b"\x81\xa5layer\x82\xa6kernel" + array(b"\x92\x03\x02", 24) + b"\xa4bias" + array(b"\x91\x03", 12)
    report = inspect(put(tmp_path, flax_model__msgpack=body))
    assert (report.parts[0].format, report.parameters, report.size) == ("flax", 9, 36 + 10)
    assert [child.shape for child in report.parts[0].tree[0].children] == [(3,), (3, 2)]


@pytest.mark.parametrize(
    "body",
    [b"\x81\xa1a\xc6\xff\xff\xff\xff", b"\xdf\xff\xff\xff\xff" + b"\xa1a\x01" * 10, b"\x91" * 100_000, b"\xc1"],
    ids=["long", "many", "deep", "unknown"],
)
def test_messages_that_lie_are_told(tmp_path: Path, body: bytes) -> None:
    report = inspect(put(tmp_path, flax_model__msgpack=b"\x82\xa1x\xc4\x01\xff\xa1y" + body))
    assert codes(report, "fault") == {("flax_model.msgpack", "unreadable")}


def keras(tmp_path: Path, *layers: dict[str, Any], packing: int = zipfile.ZIP_STORED) -> Report:
    body = {"module": "keras", "class_name": "Sequential", "config": {"layers": layers}, "registered_name": None}
    with zipfile.ZipFile(tmp_path / "m.keras", "w") as made:
        made.writestr("config.json", json.dumps(body))
        made.writestr("metadata.json", json.dumps({"keras_version": "3.5.0"}))
        weights = BytesIO()
        with h5py.File(weights, "w") as file:
            file.create_dataset("layers/dense/vars/0", data=numpy.ones((3, 2), "float32"))
        made.writestr("model.weights.h5", weights.getvalue(), packing)
    return inspect(tmp_path)


def test_layers_of_keras(tmp_path: Path) -> None:
    dense = {"module": "keras.layers", "class_name": "Dense", "registered_name": None}
    report = keras(tmp_path, dense)
    assert (report.facts.architecture, report.facts.more["keras_version"]) == ("Sequential", "3.5.0")
    assert not codes(report)
    own = {"module": "mine", "class_name": "Odd", "registered_name": "mine>Odd"}
    lambda_ = {"module": "keras.layers", "class_name": "Lambda", "registered_name": None}
    found = codes(keras(tmp_path, dense, own, lambda_), "executes")
    assert found == {("m.keras", "lambda_layer"), ("m.keras", "own_code")}


@pytest.mark.parametrize("packing", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED], ids=["stored", "packed"])
def test_variables_of_keras(tmp_path: Path, packing: int) -> None:
    report = keras(tmp_path, packing=packing)
    assert (report.parts[0].format, report.parameters, report.parts[0].dtypes) == ("keras", 6, {"F32": 6})
    assert not codes(report)


def test_a_class_that_keras_wrote_of_itself_is_not_foreign(tmp_path: Path) -> None:
    own = {"module": "keras.src.models.functional", "class_name": "Functional", "registered_name": "Functional"}
    assert not codes(keras(tmp_path, own))


def test_a_program_in_a_damaged_file_of_keras_is_seen(tmp_path: Path) -> None:
    config = b'{"class_name": "Functional", "layers": [{"class_name": "Lambda"}]}'
    report = inspect(put(tmp_path, model__h5=b"\x89HDF\r\n\x1a\n" + bytes(500) + config))
    assert codes(report) == {("model.h5", "lambda_layer"), ("model.h5", "unreadable")}


def block(*pairs: tuple[bytes, bytes]) -> bytes:
    """A block of a sorted table whose keys share nothing with each other."""
    made = b"".join(varint(0) + varint(len(key)) + varint(len(value)) + key + value for key, value in pairs)
    return made + struct.pack("<II", 0, 1)


def table(*pairs: tuple[bytes, bytes]) -> bytes:
    """A sorted table of one block."""
    inner = block(*pairs)
    body = inner + bytes(5)
    index = block((b"z", varint(0) + varint(len(inner))))
    places = varint(0) + varint(0) + varint(len(body)) + varint(len(index))
    return body + index + bytes(5) + places.ljust(40, b"\0") + bytes.fromhex("57fb808b247547db")


def saved(tmp_path: Path, operator: str, index: bytes) -> Report:
    node = message((1, "a"), (2, operator))
    function = message((1, message((1, "f"))), (3, node))
    graph = message((1, message((1, "b"), (2, "MatMul"))), (2, message((1, function))))
    put(tmp_path, saved_model__pb=message((1, 1), (2, message((1, message((5, "2.18.0"))), (2, graph)))))
    put(tmp_path / "variables", variables__index=index)
    (tmp_path / "variables" / "variables.data-00000-of-00001").write_bytes(b"\xff" * 24)
    return inspect(tmp_path)


def test_a_saved_model_of_tensorflow(tmp_path: Path) -> None:
    shape = message((2, message((1, 3))), (2, message((1, 2))))
    name = b"layer/kernel/.ATTRIBUTES/VARIABLE_VALUE"
    index = table((b"", message((1, 1))), (name, message((1, 1), (2, shape), (5, 24))))
    report = saved(tmp_path, "Relu", index)
    (part,) = report.parts
    assert (part.format, part.tree[0].name, part.tree[0].shape) == ("tensorflow", "layer.kernel", (3, 2))
    more: Any = report.facts.more
    assert (more["tensorflow_version"], more["operators"]) == ("2.18.0", {"MatMul": 1, "Relu": 1})
    assert not report.findings
    assert codes(saved(tmp_path, "PyFunc", index), "executes") == {("saved_model.pb", "graph_reaches_out")}
    wrong = saved(tmp_path, "Relu", index[30:])
    assert codes(wrong, "fault") == {("variables/variables.index", "unreadable")}
