"""Models of ONNX: what is in the graph, and weights that are said to lie in other files."""

from pathlib import Path
from typing import Any

import pytest

from abierto.formats.inspection import Report, inspect
from tests.formats.test_inspection import codes
from tests.tiny_protobuf import message, onnx

WEIGHT = message((1, 3), (1, 2), (2, 1), (8, "layer.weight"), (9, bytes(24)))
PACKED = message((1, bytes([3])), (2, 10), (8, "layer.bias"), (9, bytes(6)))
SIZE = message((1, message((2, "batch"))), (1, message((1, 2))))
INPUT = message((1, "x"), (2, message((1, message((1, 1), (2, SIZE))))))
CONSTANT = message((1, 17), (2, 1), (9, bytes(68)))
NODE = message((1, "x"), (2, "y"), (4, "MatMul"))


def one(tmp_path: Path, body: bytes) -> Report:
    (tmp_path / "model.onnx").write_bytes(body)
    return inspect(tmp_path)


def test_a_graph_is_read(tmp_path: Path) -> None:
    inner = message((2, "c"), (4, "Constant"), (5, message((1, "value"), (5, CONSTANT))))
    body = onnx([(1, NODE), (1, inner), (5, WEIGHT), (5, PACKED), (11, INPUT)], (14, message((1, "who"), (2, "me"))))
    report = one(tmp_path, body)
    assert (report.parts[0].format, report.parts[0].dtypes) == ("onnx", {"F32": 23, "F16": 3})
    more: Any = report.facts.more
    assert (more["producer"], more["opsets"], more["who"]) == ("pytorch 2.5", {"ai.onnx": 17}, "me")
    assert more["inputs"] == {"x": "F32 batch x 2"}
    assert more["operators"] == {"MatMul": 1, "Constant": 1}
    assert not report.findings


def external(file: str, **places: str) -> bytes:
    pairs = {"location": file, **places}
    said = [(13, message((1, key), (2, value))) for key, value in pairs.items()]
    return message((1, 3), (1, 2), (2, 1), (8, "w"), *said, (14, 1))


def test_weights_in_other_files_are_looked_for_inside_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "here.data").write_bytes(bytes(24))
    fitting = onnx([(5, external("here.data"))])
    assert not codes(one(tmp_path, fitting), "fault")
    for file, offset, code in (
        ("here.data", "1", "external_short"),
        ("none.data", "0", "external_missing"),
        ("../secret", "0", "external_outside"),
        ("/etc/passwd", "0", "external_outside"),
    ):
        report = one(tmp_path, onnx([(5, external(file, offset=offset))]))
        assert codes(report, "fault") == {("model.onnx", code)}


def test_operators_of_others_are_flagged(tmp_path: Path) -> None:
    body = onnx([(1, message((4, "Own"), (7, "my.ops")))])
    assert codes(one(tmp_path, body), "executes") == {("model.onnx", "foreign_operators")}


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (onnx([(5, WEIGHT)])[:-30], "unreadable"),
        (b"\x08\x08\x12\x07pytorch\x3a\xff\xff\xff\xff\xff\xff\xff\xff\x7f", "unreadable"),
        (b"\x08\x08\x12\x07pytorch", "unreadable"),
        (b"\x08\x08\x12\x07pytorch" + b"\xff" * 50, "unreadable"),
        (onnx([(5, message((1, 2**40), (1, 2**40), (2, 1), (8, "w")))]), "storage_missing"),
        (onnx([(5, message((1, bytes(100_000)), (2, 1), (8, "w")))]), "storage_missing"),
        (onnx([(5, message((1, 3), (2, 1), (8, "w")))]), "storage_missing"),
    ],
    ids=["cut", "long", "no graph", "endless number", "huge shape", "many sizes", "no bytes"],
)
def test_a_model_that_lies_is_told(tmp_path: Path, body: bytes, code: str) -> None:
    assert codes(one(tmp_path, body), "fault") == {("model.onnx", code)}
