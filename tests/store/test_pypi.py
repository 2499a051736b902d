"""Finding wheels through the real pip."""

from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import HashMismatch, PackageNotFound, SourceUnreachable
from abierto.store import pypi
from abierto.store.progress import PullProgress
from abierto.store.pypi import Wheel
from tests.store.stand_in_index import Manner, StandInIndex, wheel


def resolve(name: str, version: str) -> Wheel:
    found: list[Wheel] = []

    def search() -> Iterator[PullProgress]:
        found.append((yield from pypi.resolve(name, version)))

    assert {step.stage for step in search()} == {"resolve"}
    return found[0]


def test_a_wheel_is_found_without_fetching_it(index: StandInIndex) -> None:
    shelf = index.add("tiny", "1.0", {"tiny/a.gguf": b"weights"})
    assert resolve("tiny", "1.0") == Wheel(index.address + shelf.path, shelf.promised_sha256)
    assert shelf.requests == []


def test_an_index_without_metadata(index: StandInIndex) -> None:
    shelf = index.add("tiny", "1.0", {"tiny/a.gguf": b"weights"}, with_metadata=False)
    assert resolve("tiny", "1.0").sha256 == shelf.promised_sha256


def test_a_folder_as_index(index: StandInIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    body, _ = wheel("tiny", "1.0", {"tiny/a.gguf": b"weights"})
    path = tmp_path / "tiny-1.0-py3-none-any.whl"
    path.write_bytes(body)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    found = resolve("tiny", "1.0")
    assert (found.local, found.sha256) == (path, sha256(body).hexdigest())


def test_no_such_package(index: StandInIndex) -> None:
    with pytest.raises(PackageNotFound) as raised:
        resolve("nothing", "1.0")
    assert (raised.value.name, raised.value.version) == ("nothing", "1.0")
    assert "nothing==1.0" in raised.value.detail


def test_no_such_version(index: StandInIndex) -> None:
    index.add("tiny", "1.0", {})
    with pytest.raises(PackageNotFound) as raised:
        resolve("tiny", "2.0")
    assert "from versions: 1.0" in raised.value.detail


def test_only_for_another_system(index: StandInIndex) -> None:
    index.add("tiny", "1.0", {}, tag="cp27-cp27m-macosx_10_6_intel")
    with pytest.raises(PackageNotFound):
        resolve("tiny", "1.0")


def test_only_as_source(index: StandInIndex) -> None:
    index.put("tiny-1.0.tar.gz", b"not to be built")
    with pytest.raises(PackageNotFound):
        resolve("tiny", "1.0")
    assert index.shelves["tiny-1.0.tar.gz"].requests == []


@pytest.mark.parametrize("status", [401, 403, 500, 503])
def test_an_index_that_refuses(status: int, index: StandInIndex) -> None:
    index.page_manner = Manner(status=status)
    with pytest.raises(SourceUnreachable) as raised:
        resolve("tiny", "1.0")
    assert raised.value.host == index.host
    assert str(status) in raised.value.detail


def test_nobody_there_and_no_secret_told(index: StandInIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    with StandInIndex() as gone:
        pass
    monkeypatch.setenv("PIP_INDEX_URL", f"http://ana:secret@{gone.host}/simple")
    with pytest.raises(SourceUnreachable) as raised:
        resolve("tiny", "1.0")
    assert raised.value.host == gone.host
    assert "secret" not in str(raised.value)


def test_the_second_index_alone_is_enough(index: StandInIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    shelf = index.add("tiny", "1.0", {})
    with StandInIndex() as gone:
        pass
    monkeypatch.setenv("PIP_INDEX_URL", gone.simple)
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", index.simple)
    assert resolve("tiny", "1.0").sha256 == shelf.promised_sha256


def test_a_file_that_pip_itself_finds_wrong(index: StandInIndex) -> None:
    shelf = index.add("tiny", "1.0", {}, with_metadata=False)
    shelf.promised_sha256 = "0" * 64
    with pytest.raises(HashMismatch) as raised:
        resolve("tiny", "1.0")
    assert raised.value.expected == "0" * 64
    assert raised.value.actual == sha256(shelf.body).hexdigest()


def test_a_wheel_that_pip_is_refused(index: StandInIndex) -> None:
    shelf = index.add("tiny", "1.0", {}, with_metadata=False)
    shelf.manners = [Manner(status=403)]
    with pytest.raises(SourceUnreachable) as raised:
        resolve("tiny", "1.0")
    assert raised.value.host == index.host


def test_noise_and_a_hostile_folder_change_nothing(
    index: StandInIndex, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shelf = index.add("tiny", "1.0", {})
    (tmp_path / "pip.py").write_text("raise SystemExit('taken over')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path / "nowhere"))  # pip warns about it
    monkeypatch.setenv("PIP_VERBOSE", "3")
    assert resolve("tiny", "1.0").sha256 == shelf.promised_sha256


def test_closing_the_search_ends_pip(index: StandInIndex, monkeypatch: pytest.MonkeyPatch) -> None:
    index.page_manner = Manner(stall_after=0)
    monkeypatch.setenv("PIP_RETRIES", "1")
    monkeypatch.setenv("PIP_TIMEOUT", "1")
    search = pypi.resolve("tiny", "1.0")
    while not index.pages:
        next(search)
    search.close()
    # A pip that went on would have asked a second time before it gave up.
    assert index.pages == ["tiny"]
