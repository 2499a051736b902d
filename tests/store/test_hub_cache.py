"""The hub's cache: what remove takes out of it, and what it leaves."""

from pathlib import Path

import pytest

from abierto.store import hub_cache, layout, records, sources
from abierto.store.pull import pull
from tests.store.stand_in_hub import StandInHub

REPOSITORY = "ana/Tiny"
FILES = {"a.gguf": b"weights of a", "b.gguf": b"of b"}


@pytest.fixture
def folder(tmp_path: Path, hub: StandInHub) -> Path:
    """The folder of models, and a hub with two of them in one repository."""
    hub.add(REPOSITORY, dict(FILES))
    return tmp_path / "models"


def bring(folder: Path, file: str, name: str) -> Path:
    list(pull(sources.parse(f"hf:{REPOSITORY}:{file}"), name, folder))
    record = records.get(folder, name)
    assert record
    return record.files[0].path


def test_what_a_pull_brought_goes_and_leaves_nothing_behind(folder: Path) -> None:
    place = bring(folder, "a.gguf", "a")
    assert records.frees(folder, "a") == records.remove(folder, "a") == len(FILES["a.gguf"])
    assert not place.parents[2].exists()


def test_the_other_files_of_the_revision_stay(folder: Path) -> None:
    place, other = bring(folder, "a.gguf", "a"), bring(folder, "b.gguf", "b")
    records.remove(folder, "a")
    assert not place.exists()
    assert other.read_bytes() == FILES["b.gguf"]
    assert [path.name for path in (other.parents[2] / "refs").iterdir()] == ["main"]


def test_the_last_of_two_models_of_one_file_takes_it_along(folder: Path) -> None:
    place = bring(folder, "a.gguf", "first")
    assert bring(folder, "a.gguf", "second") == place
    assert records.remove(folder, "first") == 0
    assert place.read_bytes() == FILES["a.gguf"]
    assert records.remove(folder, "second") == len(FILES["a.gguf"])
    assert not place.exists()


def test_a_file_that_another_revision_shows_stays(folder: Path, hub: StandInHub) -> None:
    place = bring(folder, "a.gguf", "a")
    # The same content at another commit, as when somebody else fetched the branch after it had moved on.
    later = place.parents[1] / ("f" * 40) / "a.gguf"
    later.parent.mkdir()
    later.symlink_to(Path("..", "..", "blobs", place.resolve().name))
    assert records.remove(folder, "a") == 0
    assert later.read_bytes() == place.read_bytes() == FILES["a.gguf"]


def test_another_source_takes_the_file_along(folder: Path) -> None:
    place = bring(folder, "a.gguf", "mine")
    other = bring(folder, "b.gguf", "mine")
    assert other.read_bytes() == FILES["b.gguf"]
    assert not place.exists()


def test_a_file_that_is_gone_is_no_hindrance(folder: Path) -> None:
    bring(folder, "a.gguf", "a").unlink()
    assert records.remove(folder, "a") == 0
    assert records.get(folder, "a") is None


def test_without_links_the_file_itself_is_shown(tmp_path: Path) -> None:
    repository = tmp_path / "models--ana--Tiny"
    place = hub_cache.shown(repository, "c" * 40, "a.gguf")
    place.parent.mkdir(parents=True)
    (repository / "blobs").mkdir()
    place.write_bytes(b"weights")
    assert hub_cache.blob_of(place) == place
    hub_cache.delete(place)
    assert not repository.exists()


@pytest.mark.parametrize("note", [b"", b"[1]", b"{}", b'["/etc/passwd"]', b"\xff"])
def test_a_note_that_cannot_be_true_names_nothing(note: bytes, tmp_path: Path) -> None:
    partial = layout.partial_folder(tmp_path, "a")
    partial.mkdir(parents=True)
    (partial / "hub.json").write_bytes(note)
    assert hub_cache.begun(partial) == []
    hub_cache.drop_begun(partial)


@pytest.mark.parametrize("place", ["elsewhere/a.gguf", "snapshots/a.gguf"])
def test_what_is_no_cache_is_left_alone(place: str, tmp_path: Path) -> None:
    path = tmp_path / place
    path.parent.mkdir()
    path.write_bytes(b"mine")
    assert hub_cache.blob_of(path) is None
    hub_cache.delete(path)
    assert path.read_bytes() == b"mine"
