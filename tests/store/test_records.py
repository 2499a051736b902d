"""Records: written whole, read with suspicion, removed with care."""

import json
import shutil
from pathlib import Path

import pytest

from abierto.errors import FolderNotWritable, ModelInUse, ModelNotPulled, PullInProgress
from abierto.store import layout, records
from abierto.store.records import ModelFile, Record
from tests.store.other_process import OtherProcess

NAME = "tiny:1b"


def record_of(path: Path, name: str = NAME) -> Record:
    state = path.stat()
    file = ModelFile(path, state.st_size, state.st_mtime_ns, "ab" * 32)
    return Record(name, "pypi:a==1#x", (file,), "2026-01-02T03:04:05+00:00")


@pytest.fixture
def record(tmp_path: Path) -> Record:
    """A pulled model in the folder `models`."""
    return put(tmp_path / "models", NAME)


def put(folder: Path, name: str) -> Record:
    place = layout.model_folder(folder, name)
    place.mkdir(parents=True)
    (place / "a.gguf").write_bytes(b"weights")
    written = record_of(place / "a.gguf", name)
    records.write(folder, written)
    return written


def test_a_record_comes_back(record: Record, tmp_path: Path) -> None:
    assert records.get(tmp_path / "models", NAME) == record
    assert record.intact
    assert record.size == 7


def test_records_are_listed_by_name(record: Record, tmp_path: Path) -> None:
    other = put(tmp_path / "models", "another")
    assert records.all_records(tmp_path / "models") == [other, record]


@pytest.mark.parametrize("name", ["nothing", "..", "x" * 500, "a\x00b", ""])
def test_no_record(name: str, record: Record, tmp_path: Path) -> None:
    assert records.get(tmp_path / "models", name) is None
    assert records.get(tmp_path / "nowhere", name) is None


def test_no_folder(tmp_path: Path) -> None:
    nowhere = tmp_path / "nowhere"
    assert (records.all_records(nowhere), records.damaged(nowhere), records.partials(nowhere)) == ([], [], [])


def test_a_folder_can_be_moved(record: Record, tmp_path: Path) -> None:
    shutil.move(tmp_path / "models", tmp_path / "elsewhere")
    moved = records.get(tmp_path / "elsewhere", NAME)
    assert moved
    assert moved.intact
    assert moved.files[0].path == layout.model_folder(tmp_path / "elsewhere", NAME) / "a.gguf"


def test_a_file_outside_keeps_its_path(tmp_path: Path) -> None:
    (tmp_path / "own.gguf").write_bytes(b"own")
    layout.model_folder(tmp_path / "models", NAME).mkdir(parents=True)
    records.write(tmp_path / "models", record_of(tmp_path / "own.gguf"))
    found = records.get(tmp_path / "models", NAME)
    assert found
    assert found.files[0].path == tmp_path / "own.gguf"


def test_a_changed_file_is_noticed(record: Record) -> None:
    record.files[0].path.write_bytes(b"WEIGHTS")
    assert not record.intact
    record.files[0].path.unlink()
    assert not record.intact


GOOD = {"path": "a", "size": 1, "mtime_ns": 1, "sha256": "00"}


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\x00" * 400,
        b"\xff\xfe{}",
        b'{"name": "tiny:1b", "files": [',
        b"[]",
        b"null",
        b"[" * 100_000,
        json.dumps({"name": NAME}).encode(),
        json.dumps({"name": NAME, "source": "s", "files": [], "pulled_at": "x", "verified": True}).encode(),
        json.dumps({"name": NAME, "source": "s", "files": [{}], "pulled_at": "x", "verified": True}).encode(),
        json.dumps({"name": NAME, "source": "s", "files": [{**GOOD, "size": "much"}], "pulled_at": ""}).encode(),
        json.dumps({"name": "b", "source": "", "files": [GOOD], "pulled_at": "", "verified": True}).encode(),
    ],
)
def test_a_damaged_record_is_told_and_not_followed(content: bytes, record: Record, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    other = put(folder, "another")
    layout.record_path(folder, NAME).write_bytes(content)
    assert records.get(folder, NAME) is None
    assert records.all_records(folder) == [other]
    assert [(leftover.name, leftover.size) for leftover in records.damaged(folder)] == [(NAME, 7)]
    assert records.remove(folder, NAME) == 7


def test_partial_pulls_are_listed(record: Record, tmp_path: Path) -> None:
    partial = layout.partial_folder(tmp_path / "models", "another")
    partial.mkdir(parents=True)
    (partial / "x.whl").write_bytes(b"12345")
    found = records.partials(tmp_path / "models")
    assert [(leftover.name, leftover.size) for leftover in found] == [("another", 5)]
    assert records.remove(tmp_path / "models", "another") == 5
    assert records.all_records(tmp_path / "models") == [record]


def test_remove_says_what_it_freed(record: Record, tmp_path: Path) -> None:
    partial = layout.partial_folder(tmp_path / "models", NAME)
    partial.mkdir()
    (partial / "x.whl").write_bytes(b"12345")
    assert records.remove(tmp_path / "models", NAME) == 12
    assert records.get(tmp_path / "models", NAME) is None
    assert not layout.model_folder(tmp_path / "models", NAME).exists()


def test_remove_what_is_not_there(record: Record, tmp_path: Path) -> None:
    for name in ("nothing", "..", "", "x" * 500):
        with pytest.raises(ModelNotPulled):
            records.remove(tmp_path / "models", name)
    assert record.intact


@pytest.mark.parametrize(("lock", "error"), [("use", ModelInUse), ("pulling", PullInProgress)])
def test_remove_waits_for_nobody(lock: str, error: type[Exception], record: Record, tmp_path: Path) -> None:
    with OtherProcess(f"with locks.{lock}(folder, name): say('held')", tmp_path / "models", NAME) as user:
        assert user.hears() == "held"
        with pytest.raises(error):
            records.remove(tmp_path / "models", NAME)
        assert record.intact
        assert records.get(tmp_path / "models", NAME) == record
        user.kill()
        assert records.remove(tmp_path / "models", NAME) == 7


def test_remove_never_follows_a_link(record: Record, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "thesis.txt").write_text("years")
    layout.model_folder(tmp_path / "models", "linked").symlink_to(tmp_path / "precious")
    with pytest.raises(FolderNotWritable):
        records.remove(tmp_path / "models", "linked")
    assert (tmp_path / "precious" / "thesis.txt").exists()
