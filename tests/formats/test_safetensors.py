"""Headers of safetensors files: read if they can be true, refused with the reason if not, whatever they claim."""

import json
import struct
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as some

from abierto.errors import CorruptFile, NotAModel
from abierto.formats.safetensors import read_header
from tests.recipes.published import packed

ONE = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}


def test_the_tensors_are_read(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    two = {"dtype": "BF16", "shape": [3], "data_offsets": [16, 22]}
    path.write_bytes(packed({"__metadata__": {"format": "pt"}, "b": two, "a": ONE}, bytes(22)))
    found = read_header(path)
    assert {name: (one.dtype, one.shape, one.size) for name, one in found.items()} == {
        "a": ("F32", (2, 2), 16),
        "b": ("BF16", (3,), 6),
    }
    assert found["b"].offset == found["a"].offset + 16


def test_an_empty_tensor_and_a_number_are_tensors(tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    none = {"dtype": "F32", "shape": [0, 5], "data_offsets": [0, 0]}
    path.write_bytes(packed({"none": none, "one": {**ONE, "shape": [], "data_offsets": [0, 4]}}, bytes(4)))
    assert [one.size for one in read_header(path).values()] == [0, 4]


def changed(**facts: Any) -> bytes:
    return packed({"a": {**ONE, **facts}}, bytes(16))


BROKEN = {
    "cut": (packed({"a": ONE}, bytes(15)), "truncated"),
    "longer": (packed({"a": ONE}, bytes(17)), "bytes_left_over"),
    "header beyond the end": (struct.pack("<Q", 1000) + b'{"a"', "truncated"),
    "offsets beyond the end": (changed(data_offsets=[2**40, 2**40 + 16]), "bad_offsets"),
    "offsets backwards": (changed(data_offsets=[16, 0]), "bad_offsets"),
    "negative": (changed(data_offsets=[-16, 0]), "bad_offsets"),
    "three offsets": (changed(data_offsets=[0, 8, 16]), "bad_offsets"),
    "no offsets": (changed(data_offsets=None), "bad_offsets"),
    "size": (changed(shape=[2, 3]), "bad_offsets"),
    "shape": (changed(shape=[2, -2]), "bad_shape"),
    "huge": (changed(shape=[2**40, 2**40]), "bad_shape"),
    "true": (changed(shape=[True, 4]), "bad_shape"),
    "dimensions": (changed(shape=[1] * 9 + [4]), "bad_shape"),
    "type": (changed(dtype="F31"), "unknown_tensor_type"),
    "list for a type": (changed(dtype=["F32"]), "unknown_tensor_type"),
    "no object": (packed({"a": 5}, b""), "unknown_tensor_type"),
    "overlap": (packed({"a": ONE, "b": {**ONE, "data_offsets": [8, 24]}}, bytes(24)), "tensors_overlap"),
    "same place": (packed({"a": ONE, "b": ONE}, bytes(16)), "tensors_overlap"),
    "gap": (packed({"a": ONE, "b": {**ONE, "data_offsets": [20, 36]}}, bytes(36)), "bad_offsets"),
    "name twice": (packed(f'{{"a": {json.dumps(ONE)}, "a": {json.dumps(ONE)}}}'.encode(), bytes(16)), "duplicate_key"),
    "no JSON": (packed(b'{"a": }', b""), "no_json"),
    "deep": (packed(b'{"a":' + b"[" * 100_000, b""), "no_json"),
    "no UTF-8": (packed(b'{"\xff": 1}', b""), "no_json"),
    "long number": (packed(b'{"a": ' + b"9" * 10_000 + b"}", b""), "no_json"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_what_cannot_be_true_is_refused(tmp_path: Path, case: str) -> None:
    data, fault = BROKEN[case]
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(CorruptFile) as raised:
        read_header(path)
    assert raised.value.fault == fault


@pytest.mark.parametrize("data", [b"", b"GGUF" + bytes(20), struct.pack("<Q", 2**40) + b"{}", b"hello, how are you"])
def test_what_is_no_safetensors_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "model.safetensors"
    path.write_bytes(data)
    with pytest.raises(NotAModel):
        read_header(path)


@given(data=some.binary(max_size=200), place=some.integers(0, 200))
def test_no_noise_does_anything_else(tmp_path_factory: pytest.TempPathFactory, data: bytes, place: int) -> None:
    path = tmp_path_factory.mktemp("noise") / "model.safetensors"
    sound = packed({"a": ONE}, bytes(16))
    path.write_bytes(sound[:place] + data + sound[place + len(data) :])
    found = {}
    with suppress(CorruptFile, NotAModel):
        found = read_header(path)
    assert sum(one.size for one in found.values()) <= path.stat().st_size
