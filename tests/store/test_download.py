"""The download against a server that misbehaves in every way we know of."""

import random
import shutil
from collections.abc import Generator, Iterator
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import DownloadInterrupted, HashMismatch, NotEnoughDisk, SourceUnreachable
from abierto.store.download import download, measure
from abierto.store.link import open_link
from abierto.store.pip_settings import PipSettings
from abierto.store.progress import PullProgress
from tests.store.stand_in_index import Manner, Shelf, StandInIndex

BODY = random.Random(1).randbytes(300_000)
SETTINGS = PipSettings(timeout=5.0, retries=2)
DROP = Manner(drop_after=100_000)


@pytest.fixture
def shelf(index: StandInIndex) -> Shelf:
    return index.put("file.whl", BODY)


def fetch(
    index: StandInIndex,
    part: Path,
    *,
    expected: str = sha256(BODY).hexdigest(),
    settings: PipSettings = SETTINGS,
    limit: int = 1 << 20,
    reserve: int = 0,
    path: str = "/files/file.whl",
) -> Generator[PullProgress, None, None]:
    link = open_link(index.address + path, settings)
    try:
        yield from download(link, part, expected, reserve=reserve, limit=limit)
    finally:
        link.close()


def test_a_whole_file(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    steps = list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert steps[-1] == PullProgress("download", len(BODY), len(BODY))
    assert shelf.ranges == [None]


def test_it_goes_on_where_it_stopped(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:123_456])
    steps = list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert shelf.ranges == ["bytes=123456-"]
    assert steps[-1] == PullProgress("download", len(BODY), len(BODY), 123_456)


def test_a_whole_part_needs_no_network(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY)
    list(fetch(index, tmp_path / "part"))
    assert shelf.requests == []


def test_a_server_without_ranges_starts_again(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(ranges=False)]
    (tmp_path / "part").write_bytes(BODY[:1000])
    steps = list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert steps[-1].resumed == 0


def test_a_wrong_beginning_is_thrown_away(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(b"something else")
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert shelf.ranges == ["bytes=14-", None]


def test_a_part_that_is_too_long_is_thrown_away(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=416), Manner()]
    (tmp_path / "part").write_bytes(BODY + b"more")
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY


@pytest.mark.parametrize("answer", ["bytes 0-9/300000", "bytes 1000-299999/*", "none"])
def test_a_wrong_range_is_not_believed(answer: str, index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(content_range=answer)]
    (tmp_path / "part").write_bytes(BODY[:1000])
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert shelf.ranges == ["bytes=1000-", None]


def test_dropped_connections_are_taken_up_again(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [DROP, DROP, Manner()]
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert shelf.ranges == [None, "bytes=100000-", "bytes=200000-"]


def test_giving_up_keeps_what_arrived(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(drop_after=1000)]
    with pytest.raises(DownloadInterrupted) as raised:
        list(fetch(index, tmp_path / "part"))
    assert (raised.value.received, raised.value.total) == (3000, len(BODY))
    assert (tmp_path / "part").read_bytes() == BODY[:3000]


def test_a_body_without_length_that_breaks_off_is_not_taken(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(tells_length=False, drop_after=1000)]
    with pytest.raises(HashMismatch):
        list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").stat().st_size == 0


def test_a_body_without_length(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(tells_length=False)]
    assert {step.total for step in fetch(index, tmp_path / "part")} == {None}
    assert (tmp_path / "part").read_bytes() == BODY


@pytest.mark.parametrize("status", [401, 403, 404, 410])
def test_a_refusal_is_final(status: int, index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=status)]
    with pytest.raises(SourceUnreachable) as raised:
        list(fetch(index, tmp_path / "part"))
    assert raised.value.host == index.host
    assert raised.value.detail.startswith(str(status))
    assert len(shelf.requests) == 1


@pytest.mark.parametrize("status", [429, 500, 502, 503])
def test_a_busy_server_is_asked_again(status: int, index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=status, headers={"Retry-After": "0"}), Manner()]
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_server_that_stays_broken(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=500)]
    with pytest.raises(SourceUnreachable) as raised:
        list(fetch(index, tmp_path / "part"))
    assert raised.value.detail.startswith("500")
    assert len(shelf.requests) == 1 + SETTINGS.retries


def test_a_wish_to_wait_is_heard(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=429, headers={"Retry-After": "1"}), Manner()]
    waiting = [step for step in fetch(index, tmp_path / "part") if step.done == 0]
    # While it waits it keeps on reporting, so that whoever watches can cancel.
    assert len(waiting) > 5


def test_nobody_waits_for_an_hour(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=429, headers={"Retry-After": "3600"})]
    with pytest.raises(SourceUnreachable):
        list(fetch(index, tmp_path / "part"))
    assert len(shelf.requests) == 1


@pytest.mark.parametrize("header", ["soon", "-1", "Wed, 21 Oct 2015 07:28:00 GMT"])
def test_a_wish_that_cannot_be_read(header: str, index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(status=503, headers={"Retry-After": header}), Manner()]
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_silent_server_is_left(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(stall_after=5000)]
    with pytest.raises(DownloadInterrupted) as raised:
        list(fetch(index, tmp_path / "part", settings=replace(SETTINGS, timeout=0.2, retries=1)))
    assert raised.value.received == 10_000


def test_an_endless_body_is_cut(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(endless=True)]
    with pytest.raises(HashMismatch):
        list(fetch(index, tmp_path / "part", limit=1_000_000))
    assert max(step.done for step in _until_error(fetch(index, tmp_path / "part", limit=1_000_000))) == 1_000_000


def _until_error(steps: Iterator[PullProgress]) -> Iterator[PullProgress]:
    try:
        yield from steps
    except HashMismatch:
        return


def test_an_endless_rest_is_cut(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    (tmp_path / "part").write_bytes(BODY[:100_000])
    # The rest repeats itself, and the first round of it is right.
    shelf.manners = [Manner(endless=True)]
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_wrong_file(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(body=b"x" * 5000)]
    with pytest.raises(HashMismatch) as raised:
        list(fetch(index, tmp_path / "part"))
    assert raised.value.actual == sha256(b"x" * 5000).hexdigest()
    assert len(shelf.requests) == 1


def test_a_file_that_changes_under_way(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    changed = Manner(body=BODY[:-1])
    shelf.manners = [DROP, changed, Manner()]
    list(fetch(index, tmp_path / "part"))
    assert (tmp_path / "part").read_bytes() == BODY
    assert shelf.ranges == [None, "bytes=100000-", None]


def test_a_promise_larger_than_the_disk(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    more = 2 * shutil.disk_usage(tmp_path).total
    with pytest.raises(NotEnoughDisk) as raised:
        list(fetch(index, tmp_path / "part", reserve=more))
    assert raised.value.needed == len(BODY) + more
    assert (tmp_path / "part").stat().st_size == 0


def test_closing_it_keeps_what_arrived(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(stall_after=100_000), Manner()]
    steps = fetch(index, tmp_path / "part")
    next(step for step in steps if step.done == 100_000)
    steps.close()
    assert (tmp_path / "part").read_bytes() == BODY[:100_000]
    list(fetch(index, tmp_path / "part"))
    assert shelf.ranges == [None, "bytes=100000-"]


def test_nobody_there(tmp_path: Path) -> None:
    with StandInIndex() as gone:
        pass
    with pytest.raises(SourceUnreachable) as raised:
        list(fetch(gone, tmp_path / "part", settings=replace(SETTINGS, retries=0)))
    assert raised.value.host == gone.host


def test_the_length_alone(index: StandInIndex, shelf: Shelf) -> None:
    assert measure(open_link(index.address + shelf.path, SETTINGS)) == len(BODY)
    assert measure(open_link(index.address + "/files/none", SETTINGS)) is None


def test_credentials_stay_on_their_host(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    settings = replace(SETTINGS, indexes=(f"http://ana:se%20cret@{index.host}/simple",))
    with StandInIndex() as elsewhere:
        other = elsewhere.put("file.whl", BODY)
        shelf.manners = [Manner(status=302, headers={"Location": elsewhere.address + other.path})]
        list(fetch(index, tmp_path / "part", settings=settings))
        assert shelf.requests[0]["Authorization"] == "Basic YW5hOnNlIGNyZXQ="
        assert "Authorization" not in other.requests[0]
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_proxy_is_used(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    settings = replace(SETTINGS, proxy=f"http://ana:secret@{index.host}")
    link = open_link("http://files.invalid/files/file.whl", settings)
    list(download(link, tmp_path / "part", sha256(BODY).hexdigest(), reserve=0, limit=1 << 20))
    link.close()
    assert shelf.requests[0]["target"] == "http://files.invalid/files/file.whl"
    assert shelf.requests[0]["Proxy-Authorization"] == "Basic YW5hOnNlY3JldA=="


@pytest.mark.parametrize("bad", [{"proxy": "gopher://nowhere"}, {"certificates": "/nowhere/ca.pem"}])
def test_settings_that_cannot_be_used(bad: dict[str, str], index: StandInIndex, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable):
        list(fetch(index, tmp_path / "part", settings=replace(SETTINGS, **bad)))  # type: ignore[arg-type]


def test_an_unknown_certificate(index: StandInIndex, shelf: Shelf, secure: Path, tmp_path: Path) -> None:
    with pytest.raises(SourceUnreachable) as raised:
        list(fetch(index, tmp_path / "part"))
    assert "CERTIFICATE_VERIFY_FAILED" in raised.value.detail
    assert shelf.requests == []


def test_a_certificate_that_pip_is_told_to_trust(
    index: StandInIndex, shelf: Shelf, secure: Path, tmp_path: Path
) -> None:
    list(fetch(index, tmp_path / "part", settings=replace(SETTINGS, certificates=str(secure))))
    assert (tmp_path / "part").read_bytes() == BODY


def test_a_host_that_pip_is_told_to_trust(index: StandInIndex, shelf: Shelf, secure: Path, tmp_path: Path) -> None:
    list(fetch(index, tmp_path / "part", settings=replace(SETTINGS, trusted_hosts=frozenset({index.host}))))
    assert (tmp_path / "part").read_bytes() == BODY
