"""Locks between real processes."""

from contextlib import ExitStack
from pathlib import Path

import pytest

from abierto.errors import BusyError, FolderNotWritable, ModelInUse, PullInProgress
from abierto.store import layout, locks
from tests.store.other_process import OtherProcess

NAME = "tiny:1b"
USE = "with locks.use(folder, name): say('held')"
PULL = "with locks.pulling(folder, name): say('held')"


def test_many_may_use_a_model(tmp_path: Path) -> None:
    with OtherProcess(USE, tmp_path, NAME) as one, locks.use(tmp_path, NAME), locks.use(tmp_path, NAME):
        assert one.hears() == "held"


def test_nobody_changes_what_is_in_use(tmp_path: Path) -> None:
    with OtherProcess(USE, tmp_path, NAME) as user:
        assert user.hears() == "held"
        with pytest.raises(ModelInUse) as raised, locks.change(tmp_path, NAME):
            pass
        assert raised.value.name == NAME
        with locks.change(tmp_path, "another"):
            pass


def test_a_killed_user_lets_go(tmp_path: Path) -> None:
    with OtherProcess(USE, tmp_path, NAME) as user:
        assert user.hears() == "held"
        user.kill()
        with locks.change(tmp_path, NAME):
            pass


def test_two_pulls_of_one_model(tmp_path: Path) -> None:
    with OtherProcess(PULL, tmp_path, NAME) as puller:
        assert puller.hears() == "held"
        for attempt in (locks.pulling, locks.change):
            with pytest.raises(PullInProgress), attempt(tmp_path, NAME):
                pass
        with locks.use(tmp_path, NAME):  # what is there already can be used meanwhile
            pass
        puller.kill()
        with locks.pulling(tmp_path, NAME):
            pass


@pytest.mark.parametrize("hold", [locks.pulling, locks.replacing, locks.change])
def test_two_threads_exclude_each_other_too(hold: object, tmp_path: Path) -> None:
    assert callable(hold)
    with hold(tmp_path, NAME), pytest.raises(BusyError), hold(tmp_path, NAME):
        pass


def test_a_user_waits_until_the_change_is_over(tmp_path: Path) -> None:
    with OtherProcess(
        "print('trying', flush=True)\nwith locks.use(folder, name): say((folder / 'state').read_text())",
        tmp_path,
        NAME,
    ) as user:
        with ExitStack() as change:
            change.enter_context(locks.change(tmp_path, NAME))
            (tmp_path / "state").write_text("half changed")
            assert user.hears() == "trying"
            (tmp_path / "state").write_text("changed")
        assert user.hears() == "changed"


def test_use_in_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with locks.use(tmp_path / "file" / "models", NAME):
        pass
    for attempt in (locks.pulling, locks.replacing, locks.change):
        with pytest.raises(FolderNotWritable), attempt(tmp_path / "file" / "models", NAME):
            pass


def test_whoever_may_only_read_finds_a_lock(tmp_path: Path) -> None:
    with locks.pulling(tmp_path, NAME):
        assert layout.lock_path(tmp_path, NAME, "use").exists()
