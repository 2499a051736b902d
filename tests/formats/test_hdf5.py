"""HDF5 files, written by h5py in each of its forms: the tree of tensors, and all texts wherever they are kept."""

import json
import struct
import zlib
from collections.abc import Iterator
from contextlib import suppress
from io import BytesIO
from pathlib import Path
from typing import Any

import h5py
import numpy
import pytest

from abierto.errors import CorruptFile
from abierto.formats.hdf5 import filters
from abierto.formats.hdf5.walk import Dataset, Elsewhere, Item, Text, Unread, walk
from abierto.formats.inspection import inspect
from tests.formats.test_inspection import codes, put

LONG = json.dumps({"class_name": "Functional", "filler": "y" * 80_000, "layers": [{"class_name": "Lambda"}]})
WORDS = [b"%05d" % number for number in range(2_500)]
NETWORK = {"class_name": "Sequential", "config": {"layers": [{"class_name": "Dense"}, {"class_name": "Dense"}]}}
FORMS = [(oldest, before) for oldest in ("earliest", "v108", "latest") for before in (0, 1024)]


def walked(path: Path) -> list[Item]:
    with path.open("rb") as file:
        return list(walk(file, str(path)))


def texts(items: list[Item]) -> dict[tuple[str, str], list[bytes]]:
    found: dict[tuple[str, str], list[bytes]] = {}
    for item in items:
        if isinstance(item, Text):
            found.setdefault((item.place, item.attribute), []).append(item.raw)
    return found


def tensors(items: list[Item]) -> dict[str, tuple[Any, ...]]:
    every = (item for item in items if isinstance(item, Dataset))
    return {one.tensor.name: (one.tensor.shape, one.tensor.dtype, one.tensor.size) for one in every if not one.missing}


@pytest.fixture(params=FORMS, ids=lambda form: f"{form[0]}-{form[1]}")
def written(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, h5py.File]]:
    """A file of one of the forms, open; what is written is on the disk once it is closed."""
    oldest, before = request.param
    path = tmp_path / "a.h5"
    with h5py.File(path, "w", libver=oldest, userblock_size=before) as file:
        yield path, file


def test_tensors_with_shape_and_type(written: tuple[Path, h5py.File]) -> None:
    path, file = written
    for layer in range(40):
        file.create_dataset(f"layer_{layer}/kernel:0", data=numpy.ones((3, 4), "float32"))
    file.create_dataset("half", data=numpy.ones(3, "float16"))
    file.create_dataset("one", data=numpy.float64(1))
    file.create_dataset("flags", data=numpy.array([True, False]))
    file.create_dataset("waves", data=numpy.ones((5, 5), "complex64"))
    file.create_dataset("packed", data=numpy.ones((9, 9), "int8"), compression="gzip", shuffle=True, fletcher32=True)
    file.create_dataset("pairs", data=numpy.zeros(4, numpy.dtype(("uint16", (2,)))))
    file["kind"] = numpy.dtype("float32")
    file.create_dataset("named", shape=(2,), dtype=file["kind"], data=[1, 2])
    file.close()
    found = tensors(items := walked(path))
    assert {found.pop(f"layer_{layer}/kernel:0") for layer in range(40)} == {((3, 4), "F32", 48)}
    assert found == {
        "half": ((3,), "F16", 6),
        "one": ((), "F64", 8),
        "flags": ((2,), "BOOL", 2),
        "waves": ((5, 5), "C64", 200),
        "packed": ((9, 9), "I8", 81),
        "pairs": ((4, 2), "U16", 16),
        "named": ((2,), "F32", 8),
    }
    assert [item.filters for item in items if isinstance(item, Dataset) and item.tensor.name == "packed"] == [
        ("shuffle", "deflate", "fletcher32")
    ]
    assert not [item for item in items if isinstance(item, Unread)]


def test_attributes_wherever_they_are_kept(written: tuple[Path, h5py.File]) -> None:
    path, file = written
    file.attrs["in_a_heap"] = LONG
    file.attrs["as_bytes"] = LONG.encode()
    file.attrs["in_place"] = numpy.bytes_("short")
    file.attrs["names"] = numpy.array([b"a", b"bcd"])
    file.attrs["number"] = 7
    many = file.create_group("many")
    for number in range(300):
        many.attrs[f"a{number}"] = numpy.bytes_(f"value {number}")
    file.close()
    items = walked(path)
    found = texts(items)
    assert found["", "in_a_heap"] == found["", "as_bytes"] == [LONG.encode()]
    assert (found["", "in_place"], found["", "names"]) == ([b"short"], [b"a\0\0bcd"])
    assert all(found["many", f"a{number}"] == [f"value {number}".encode()] for number in range(300))
    assert ("", "number") not in found
    assert not [item for item in items if isinstance(item, Unread)]


def test_an_attribute_that_is_too_long_for_its_heap(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "a.h5", "w", libver="latest") as file:
        file.attrs.create("huge", numpy.bytes_(LONG))
    assert texts(walked(tmp_path / "a.h5"))["", "huge"] == [LONG.encode()]


@pytest.mark.parametrize("growing", [False, True], ids=["fixed", "growing"])
@pytest.mark.parametrize(
    "how",
    [
        {},
        {"compression": "gzip"},
        {"compression": "lzf"},
        {"compression": "gzip", "shuffle": True},
        {"fletcher32": True},
    ],
    ids=["plain", "gzip", "lzf", "shuffle", "sum"],
)
def test_texts_in_chunks(written: tuple[Path, h5py.File], how: dict[str, Any], growing: bool) -> None:
    path, file = written
    size = (None,) if growing else None
    file.create_dataset("many", data=numpy.array(WORDS), chunks=(1,), maxshape=size, **how)
    file.create_dataset("long", data=numpy.array([LONG.encode(), b"x"]), chunks=(1,), maxshape=size, **how)
    if "fletcher32" not in how:
        kind = h5py.string_dtype()
        file.create_dataset("free", data=[LONG, "x"], dtype=kind, chunks=(1,), maxshape=size, **how)
    file.close()
    items = walked(path)
    found = texts(items)
    assert found["many", ""] == [b"".join(WORDS)]
    assert found["long", ""] == [LONG.encode() + b"x".ljust(len(LONG), b"\0")]
    assert found.get(("free", ""), [LONG.encode(), b"x"]) == [LONG.encode(), b"x"]
    assert not [item for item in items if isinstance(item, Unread)]


def test_texts_in_two_dimensions_and_in_one_piece(written: tuple[Path, h5py.File]) -> None:
    path, file = written
    table = numpy.array([[b"a", b"b"]] * 6)
    file.create_dataset("growing", data=table, maxshape=(None, None), chunks=(6, 1))
    file.create_dataset("packed", data=table, maxshape=(None, None), chunks=(6, 1), compression="gzip")
    file.create_dataset("whole", data=table, chunks=(6, 2), compression="gzip")
    file.create_dataset("plain", data=table)
    file.close()
    found = texts(walked(path))
    assert found["growing", ""] == found["packed", ""] == [b"aaaaaabbbbbb"]
    assert found["whole", ""] == found["plain", ""] == [b"ab" * 6]


def test_circles_and_other_files_are_told_and_not_followed(written: tuple[Path, h5py.File]) -> None:
    path, file = written
    file.create_dataset("inner/weight", data=[1.0, 2.0])
    file["inner/up"] = file["/"]
    file["inner/soft"] = h5py.SoftLink("/inner")
    file["twice"] = file["inner"]
    file["outside"] = h5py.ExternalLink("/etc/passwd", "/x")
    file.create_dataset("raw", shape=(3,), dtype="uint8", external=[("/etc/passwd", 0, 3)])
    layout = h5py.VirtualLayout(shape=(2,), dtype="float32")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(2,))
    file.create_virtual_dataset("views", layout)
    file.close()
    items = walked(path)
    assert list(tensors(items)) == ["inner/weight", "raw", "views"]
    found = [(item.place, item.file) for item in items if isinstance(item, Elsewhere)]
    assert sorted(found) == [("outside", "/etc/passwd"), ("raw", ""), ("views", "")]
    assert codes(inspect(path), "fault") == {("a.h5", "hdf5_elsewhere")}


def test_a_network_of_keras(written: tuple[Path, h5py.File]) -> None:
    path, file = written
    file.attrs["model_config"] = json.dumps(NETWORK)
    file.attrs["keras_version"] = "2.15.0"
    file.create_dataset("model_weights/dense/dense/kernel:0", data=numpy.ones((8, 4), "float32"), compression="gzip")
    file.create_dataset("optimizer_weights/Adam/m", data=numpy.ones((8, 4), "float32"))
    file.close()
    report = inspect(path)
    assert (report.facts.architecture, report.facts.framework, report.parameters) == ("Sequential", "keras", 32)
    more: Any = report.facts.more
    assert (more["keras_version"], more["layers"], more["filters"]) == (
        "2.15.0",
        {"Dense": 2, "Sequential": 1},
        "deflate",
    )
    assert codes(report) == {("a.h5", "training_state")}


@pytest.mark.parametrize("place", ["heap", "dense", "chunk", "many_groups", "escaped"])
def test_a_layer_with_a_program_is_seen_wherever_it_is_kept(tmp_path: Path, place: str) -> None:
    with h5py.File(tmp_path / "m.h5", "w", libver="latest" if place == "dense" else "earliest") as file:
        match place:
            case "heap":
                file.attrs["model_config"] = LONG
            case "dense":
                for number in range(20):
                    file.attrs[f"model_config{number}"] = numpy.bytes_(LONG[:100] if number else LONG)
            case "chunk":
                file.create_dataset("model_config", data=numpy.array([LONG.encode()]), chunks=(1,), compression="gzip")
            case "many_groups":
                file.create_group("/".join("abcdefgh")).attrs["config"] = LONG
            case _:
                file.attrs["model_config"] = '{"class_name": "Model", "config": {"class_name": "\\u004cambda"}}'
    assert ("m.h5", "lambda_layer") in codes(inspect(tmp_path / "m.h5"), "executes")


def test_a_shard_of_keras_belongs_to_a_set(tmp_path: Path) -> None:
    for number in range(2):
        with h5py.File(tmp_path / f"model_{number:05}.weights.h5", "w") as file:
            file.create_dataset(f"layers/dense_{number}/vars/0", data=numpy.ones((2, 2), "float32"))
    report = inspect(tmp_path)
    assert [(part.name, part.parameters) for part in report.parts] == [("model.weights.h5", 8)]
    assert report.facts.framework == "keras"


def test_bytes_that_are_not_there_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("never", shape=(4,), dtype="float32")
        file.create_dataset("bomb", shape=(2**40,), dtype="float32", chunks=(1024,), compression="gzip")[:4] = 1
        file.create_dataset("w", data=numpy.ones(4, "float32"))
    (found,) = inspect(path).findings
    assert (found[1].code, found[1].about["tensors"]) == ("storage_missing", "bomb, never")


def test_a_file_that_was_cut_is_told_as_far_as_it_goes(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.attrs["model_config"] = LONG
        file.create_dataset("w", data=numpy.ones(100_000, "float32"))
    path.write_bytes(path.read_bytes()[:200_000])
    report = inspect(path)
    assert {("m.h5", "storage_missing"), ("m.h5", "lambda_layer")} <= codes(report)


def test_texts_in_an_unknown_packing_are_told(tmp_path: Path) -> None:
    path = tmp_path / "m.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("t", data=numpy.array([b"abc"] * 4), chunks=(2,), compression="gzip")
    raw = path.read_bytes()
    # The list of filters: version 1, one filter, six unused bytes, its number, and the length of its name
    path.write_bytes(
        raw.replace(b"\x01\x01" + bytes(6) + b"\x01\x00\x08\x00", b"\x01\x01" + bytes(6) + b"\xff\x7f\x08\x00")
    )
    assert raw != path.read_bytes()
    assert codes(inspect(path)) == {("m.h5", "hdf5_unread")}


def test_what_is_no_hdf5_in_truth_is_told(tmp_path: Path) -> None:
    path = put(tmp_path, m__h5=b"\x89HDF\r\n\x1a\n" + b"\x07" * 200) / "m.h5"
    assert codes(inspect(path)) == {("m.h5", "unreadable")}
    with pytest.raises(CorruptFile):
        walked(path)


def tiny(oldest: str) -> bytes:
    """A small file with most structures in it."""
    made = BytesIO()
    with h5py.File(made, "w", libver=oldest) as file:
        file.attrs["model_config"] = LONG[:500]
        for number in range(12):
            file.create_dataset(f"g{number}/w", data=numpy.ones((2, 2), "float32"))
            file.attrs[f"a{number}"] = "v"
        file.create_dataset("t", data=numpy.array(WORDS[:40]), chunks=(2,), maxshape=(None,), compression="gzip")
    return made.getvalue()


@pytest.mark.parametrize("oldest", ["earliest", "latest"])
def test_no_damage_does_more_than_be_told(oldest: str) -> None:
    """Every seventh number of eight bytes becomes one that cannot be, or one that leads in a circle."""
    whole = tiny(oldest)
    used = [at for at in range(0, len(whole) - 8, 8) if any(whole[at : at + 8])][::7]
    for turn, at in enumerate(used):
        for value in (2**64 - 1, 2**63, 0, used[(turn * 7) % len(used)])[turn % 2 :: 2]:
            raw = whole[:at] + struct.pack("<Q", value) + whole[at + 8 :]
            with suppress(CorruptFile):
                list(walk(BytesIO(raw), ""))


def test_what_unpacks_to_more_than_it_may_is_cut() -> None:
    packed = zlib.compress(bytes(50_000_000))
    deflate = filters.Filter(1, ())
    assert filters.undone(packed, (deflate,), 0, 1_000) == bytes(1_000)
    assert filters.undone(zlib.compress(packed), (deflate, deflate), 0, 60_000) == bytes(60_000)
    assert filters.undone(b"no", (deflate,), 0, 1_000) is None
    assert filters.undone(b"kept", (deflate,), 1, 1_000) == b"kept"
    assert filters.undone(b"\xe0\xff", (filters.Filter(32000, ()),), 0, 1_000) is None
