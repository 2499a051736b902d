"""A model at an address: verified by the SHA-256 that the person names, resumed, kept in the models' folder."""

import random
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import DownloadInterrupted, HashMismatch, HashMissing, InvalidSource, SourceUnreachable
from abierto.store import records, sources
from abierto.store.pull import pull
from abierto.store.sources import HttpsSource
from tests.store.stand_in_index import Manner, Shelf, StandInIndex

BODY = random.Random(3).randbytes(400_000)
SHA256 = sha256(BODY).hexdigest()


@pytest.fixture
def shelf(index: StandInIndex, secure: Path, monkeypatch: pytest.MonkeyPatch) -> Shelf:
    """A file on a server whose certificate pip is told to trust."""
    monkeypatch.setenv("PIP_CERT", str(secure))
    return index.put("tiny.gguf", BODY)


def _source(index: StandInIndex, promise: str = SHA256) -> HttpsSource:
    source = sources.parse(f"{index.address}/files/tiny.gguf#sha256={promise.upper()}")
    assert isinstance(source, HttpsSource)
    return source


def test_a_file_is_fetched_verified_and_kept(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    steps = list(pull(_source(index), "tiny", tmp_path))
    record = records.get(tmp_path, "tiny")
    assert record is not None
    assert record.source == f"{index.address}/files/tiny.gguf#sha256={SHA256}"
    assert record.files[0].path == tmp_path / "tiny" / "tiny.gguf"
    assert record.files[0].path.read_bytes() == BODY
    assert (steps[-1].done, steps[-1].total) == (len(BODY), len(BODY))
    assert list(pull(_source(index), "tiny", tmp_path)) == []
    assert records.remove(tmp_path, "tiny") == len(BODY)


def test_what_was_interrupted_goes_on(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners.insert(0, Manner(drop_after=100_000))
    with pytest.raises(DownloadInterrupted):
        list(pull(_source(index), "tiny", tmp_path))
    assert records.get(tmp_path, "tiny") is None
    list(pull(_source(index), "tiny", tmp_path))
    assert shelf.ranges[-1] is not None
    assert records.get(tmp_path, "tiny") is not None


def test_another_file_than_promised_is_not_kept(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    with pytest.raises(HashMismatch):
        list(pull(_source(index, "0" * 64), "tiny", tmp_path))
    assert records.get(tmp_path, "tiny") is None
    assert not [path for path in (tmp_path / "tiny").rglob("*") if path.is_file() and path.stat().st_size]


def test_a_refusal_is_told(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners.insert(0, Manner(status=403))
    with pytest.raises(SourceUnreachable) as caught:
        list(pull(_source(index), "tiny", tmp_path))
    assert caught.value.detail.startswith("403")


@pytest.mark.parametrize(
    "address", ["https://host/x.gguf", "https://host/x.gguf#sha256=abc", "https://host/x.gguf#md5=1"]
)
def test_an_address_alone_vouches_for_nothing(address: str) -> None:
    with pytest.raises(HashMissing):
        sources.parse(address)


@pytest.mark.parametrize(
    "address",
    ["https:", "https://", "https://host/", "https://user:secret@host/x.gguf", "https://[/x.gguf", "http://host/x"],
)
def test_what_is_no_address_of_a_file(address: str) -> None:
    with pytest.raises(InvalidSource):
        sources.parse(f"{address}#sha256={SHA256}")
