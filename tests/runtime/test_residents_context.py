"""Models in a server that are loaded again because somebody needs a longer context, or let go for their files' sake."""

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest

from abierto.config import Settings
from abierto.errors import NotLoaded, OptionOutOfRange
from abierto.runtime.residents import Residents
from tests.tiny_gguf import TinyGGUF


@pytest.fixture
def residents(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Residents]:
    TinyGGUF(says="abc", context=1024, dtype="f16").write(tmp_path / "says.gguf")
    monkeypatch.setenv("ABIERTO_FOLDERS", str(tmp_path))
    monkeypatch.setenv("ABIERTO_CONTEXT", "512")
    house = Residents(Settings(model="echo", keep_alive=-1, users=2, context=512))
    yield house
    house.close()


def contexts(residents: Residents) -> list[int]:
    return [resident.model.context for resident in residents.all() if resident.model]


def test_one_that_holds_more_takes_the_place(residents: Residents) -> None:
    with residents.turn("says") as model:
        assert model.context == 512
    with residents.turn("says", context=700) as model:
        assert model.context >= 700
        assert len(residents.all()) == 1 or min(contexts(residents)) == 512  # the smaller one goes when it can
    with residents.turn("says") as model:
        assert model.context >= 700


def test_one_that_is_used_goes_when_it_is_not(residents: Residents) -> None:
    turn = residents.turn("echo")
    first = turn.take()
    with residents.turn("echo", context=2000) as second:
        assert second.context == 2000
        assert sorted(contexts(residents)) == [512, 2000]
        assert first.alive
    turn.leave()
    assert residents.turn("echo").take().context == 2000


def test_what_is_there_stays_where_more_cannot_be_had(residents: Residents) -> None:
    with residents.turn("says"):
        pass
    for _ in range(2):
        with pytest.raises(OptionOutOfRange, match="1025"):
            residents.turn("says", context=1025).take()
    with residents.turn("says") as model:
        assert model.context == 512
    assert contexts(residents) == [512]


def test_several_who_come_together_share_what_they_can(residents: Residents) -> None:
    taken: list[int] = []

    def ask(context: int) -> None:
        with residents.turn("echo", context=context) as model:
            taken.append(model.context - context)

    threads = [Thread(target=ask, args=(context,)) for context in (0, 600, 0, 900, 900, 600)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(taken) == 6
    assert min(taken) >= 0


def test_an_idle_model_is_let_go_at_once(residents: Residents) -> None:
    with residents.turn("echo"):
        residents.let_go("echo")
        assert contexts(residents) == [512]
    residents.pin("echo")
    residents.let_go("echo")
    assert contexts(residents) == [512]
    residents.pin("echo", pinned=False)
    residents.let_go("echo")
    assert residents.all() == []
    assert [(refused.name, refused.reason) for refused in residents.refused()] == [("echo", "stopped")]
    with pytest.raises(NotLoaded):
        residents.unload("echo")
