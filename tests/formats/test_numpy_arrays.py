"""Arrays of numpy in files, archives and pickles, as numpy and joblib themselves write them."""

import gzip
import io
import pickle
import zipfile
import zlib
from pathlib import Path
from typing import Any

import joblib
import numpy
import pytest

from abierto.formats.inspection import Report, inspect
from tests.formats.test_inspection import codes, put


class Evil:
    """What would run a command when it is unpickled."""

    def __reduce__(self) -> tuple[Any, ...]:
        import os

        return os.system, ("false",)


NUMBERS: dict[str, Any] = {
    "weights": numpy.ones((300, 20), "float32"),
    "turned": numpy.asfortranarray(numpy.ones((3, 4), "float64")),
    "counts": numpy.arange(5, dtype="int16"),
    "flags": numpy.array([True, False]),
}
SHAPES = {"weights": (300, 20), "turned": (3, 4), "counts": (5,), "flags": (2,)}
OTHERS: dict[str, Any] = {
    "names": numpy.array(["a", "bcd"]),
    "records": numpy.zeros(3, dtype=[("a", "f4"), ("b", "i8")]),
    "objects": numpy.array([{"x": 1}, None], dtype=object),
}


def shapes(report: Report) -> dict[str, tuple[int, ...] | None]:
    return {block.name: block.shape for part in report.parts for block in part.tree}


@pytest.mark.parametrize("save", [numpy.savez, numpy.savez_compressed], ids=lambda save: save.__name__)
def test_an_archive_of_arrays(tmp_path: Path, save: Any) -> None:
    save(tmp_path / "a.npz", **NUMBERS, **OTHERS)
    report = inspect(tmp_path / "a.npz")
    assert (report.parts[0].format, shapes(report)) == ("numpy", SHAPES)
    assert report.parts[0].dtypes == {"F32": 6000, "F64": 12, "I16": 5, "BOOL": 2}
    found = {one.code: one.about for _, one in report.findings}
    assert set(found) == {"object_arrays", "other_arrays", "pickle_globals"}
    assert (found["object_arrays"]["tensors"], found["other_arrays"]["tensors"]) == ("objects", "names, records")


def test_an_array_in_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a.npy"
    numpy.save(path, NUMBERS["weights"])
    assert shapes(inspect(path)) == {"a": (300, 20)}
    path.write_bytes(path.read_bytes()[:-1])
    assert codes(inspect(path)) == {("a.npy", "storage_missing")}


def test_what_an_array_of_objects_would_run_is_flagged(tmp_path: Path) -> None:
    evil = numpy.array([Evil()], dtype=object)
    numpy.save(tmp_path / "a.npy", evil)
    numpy.savez(tmp_path / "b.npz", fine=NUMBERS["counts"], evil=evil)
    joblib.dump({"evil": evil, "after": NUMBERS["counts"]}, tmp_path / "c.joblib")
    for name in ("a.npy", "b.npz", "c.joblib"):
        assert codes(inspect(tmp_path / name), "executes") == {(name, "pickle_executes")}
    assert shapes(inspect(tmp_path / "c.joblib")) == {"after": (5,)}


@pytest.mark.parametrize("packing", ["", "zlib", "gzip", "bz2", "lzma", "xz"])
def test_files_of_joblib(tmp_path: Path, packing: str) -> None:
    joblib.dump({**NUMBERS, **OTHERS, "evil": Evil()}, tmp_path / "m.joblib", compress=(packing, 3) if packing else 0)
    report = inspect(tmp_path)
    assert (report.parts[0].format, shapes(report)) == ("pickle", SHAPES)
    assert codes(report) == {("m.joblib", "pickle_globals"), ("m.joblib", "pickle_executes")}


@pytest.mark.parametrize("protocol", [2, 4, 5])
def test_arrays_in_a_pickle(tmp_path: Path, protocol: int) -> None:
    put(tmp_path, m__pkl=pickle.dumps({**NUMBERS, **OTHERS}, protocol))
    report = inspect(tmp_path)
    assert shapes(report) == SHAPES
    assert not codes(report, "executes")


@pytest.mark.parametrize("name", ["m.pkl", "pytorch_model.bin", "m.ckpt", "m.joblib"])
def test_a_pickle_of_the_oldest_kind_is_no_harmless_text(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(pickle.dumps(Evil(), 0))
    assert (name, "pickle_executes") in codes(inspect(tmp_path), "executes")
    (tmp_path / name).write_text("a text that nobody can load\n")
    assert not codes(inspect(tmp_path), "executes")


def test_a_packed_pickle_is_found_under_any_name(tmp_path: Path) -> None:
    put(tmp_path, data__gz=gzip.compress(pickle.dumps(Evil())), words__gz=gzip.compress(b"words"))
    report = inspect(tmp_path)
    assert codes(report, "executes") == {("data.gz", "pickle_executes")}
    assert ("words.gz", "not_read") in codes(report)


def test_the_estimator_names_itself(tmp_path: Path) -> None:
    body = b"\x80\x02csklearn.linear_model._base\nLinearRegression\n)\x81}X\x05\x00\x00\x00coef_K\x01sb."
    report = inspect(put(tmp_path, m__pkl=body))
    assert (report.facts.framework, report.facts.architecture) == ("scikit-learn", "LinearRegression")


def headed(said: str, version: int = 1) -> bytes:
    wide = 2 if version == 1 else 4
    return b"\x93NUMPY" + bytes([version, 0]) + len(said).to_bytes(wide, "little") + said.encode()


@pytest.mark.parametrize(
    "body",
    [
        headed("{'descr': '<f4', 'shape': (-1,), 'fortran_order': False}"),
        headed("{'descr': '<f4', 'shape': (" + "2**9," * 3 + "), 'fortran_order': False}"),
        headed("{'descr': '<f4', 'shape': (4611686018427387904, 4), 'fortran_order': False}"),
        headed("(" * 5_000),
        headed("__import__('os').system('false')"),
        headed("{'shape': ()}"),
        headed("x" * 20_000, 2),
        b"\x93NUMPY\x09\x00",
        b"\x93NUMPY",
    ],
    ids=["negative", "sum", "huge", "deep", "program", "lacking", "long", "version", "cut"],
)
def test_headers_that_lie_are_told(tmp_path: Path, body: bytes) -> None:
    assert codes(inspect(put(tmp_path, a__npy=body)), "fault") == {("a.npy", "unreadable")}
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as made:
        made.writestr("a.npy", body)
    assert codes(inspect(tmp_path / "a.npz"), "fault") == {("a.npz", "unreadable")}


def test_what_claims_more_than_it_is_takes_no_memory(tmp_path: Path) -> None:
    claim = headed("{'descr': '<f8', 'shape': (1000000000000,), 'fortran_order': False}")
    objects = headed("{'descr': '|O', 'shape': (1,), 'fortran_order': False}")
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as made:
        made.writestr("claim.npy", claim)
        made.writestr("bomb.npy", objects + b"\x80\x02" + bytes(40_000_000))
    found = codes(inspect(tmp_path / "a.npz"), "fault")
    assert found == {("a.npz", code) for code in ("archive_bomb", "storage_missing", "pickle_cut")}
    packed = io.BytesIO(zlib.compress(b"\x80\x02" + b"N0" * 50_000_000))
    assert codes(inspect(put(tmp_path / "m", m__joblib=packed.getvalue()))) == {("m.joblib", "pickle_cut")}
