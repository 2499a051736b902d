"""The models that a server holds, with engines in processes of their own, as there."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import psutil
import pytest

from abierto import config
from abierto.errors import (
    Cancelled,
    EngineCrashed,
    EngineRestarting,
    MemoryTaken,
    MissingFeature,
    NotEnoughMemory,
    NotLoaded,
    QueueFull,
    ServerStopping,
    UnknownModel,
)
from abierto.runtime.resident import Resident
from abierto.runtime.residents import Residents
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Finish, Text
from tests.tiny_gguf import TinyGGUF

HELLO = ChatRequest((Message("user", "hello there"),))
PATIENCE = 60.0


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("models")
    for name in ("one", "two", "three"):
        TinyGGUF(says="abc", context=2048, dtype="f16").write(place / f"{name}.gguf")
    TinyGGUF(says="abc", ends=False, context=8192, dtype="f16").write(place / "endless.gguf")
    return place


Make = Callable[..., Residents]


@pytest.fixture
def make(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Make]:
    """`make(**settings)`: residents with these settings; all are closed."""
    monkeypatch.setenv("ABIERTO_FOLDERS", str(folder))
    made: list[Residents] = []

    def build(**settings: object) -> Residents:
        made.append(Residents(replace(config.settings(), model="echo", **settings)))  # type: ignore[arg-type]
        return made[-1]

    yield build
    for residents in made:
        residents.close()


def answer(residents: Residents, name: str = "echo", request: ChatRequest = HELLO) -> list[Event]:
    turn = residents.turn(name, request.task, request.needs)
    with turn as model:
        events = model.run(request)
        told = list(events)
        turn.leave(events.stats)
    return told


def named(residents: Residents, name: str) -> Resident:
    return next(resident for resident in residents.all() if resident.name == name)


def until(residents: Residents, condition: Callable[[], bool]) -> None:
    """Wait for a change that makes it so; each change wakes us."""
    with residents.changed:
        assert residents.changed.wait_for(condition, PATIENCE)


def test_requests_at_once_share_one_load(make: Make) -> None:
    before = set(psutil.Process().children())
    residents = make(users=4)
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: answer(residents, "one"), range(8)))
    assert all(told[-1] == Finish("stop") for told in answers)
    assert [resident.name for resident in residents.all()] == ["one"]
    assert len(set(psutil.Process().children()) - before) == 1


def test_a_model_is_not_loaded_twice_for_its_other_names(make: Make, starter_home: Path) -> None:
    residents = make()
    for name in ("smollm2", "smollm2:135m", "smollm2-135m-instruct"):
        with residents.turn(name):
            pass
    assert [resident.name for resident in residents.all()] == ["smollm2:135m"]
    residents.unload("smollm2")
    until(residents, lambda: not residents.all())


def test_a_model_that_is_not_there_is_told_to_all_who_wait(make: Make) -> None:
    residents = make()
    with ThreadPoolExecutor(2) as threads:
        for failed in [threads.submit(answer, residents, "nobody") for _ in range(2)]:
            with pytest.raises(UnknownModel):
                failed.result()
    assert residents.all() == []
    [refused] = residents.refused()
    assert (refused.name, refused.reason) == ("nobody", "failed")


@pytest.mark.parametrize("name", ["{folder}/one.gguf", "file:{folder}/one.gguf", "./one.gguf"])
def test_a_request_cannot_name_a_place(make: Make, folder: Path, name: str) -> None:
    with pytest.raises(UnknownModel):
        answer(make(), name.format(folder=folder))


def test_a_place_is_waited_for_in_turn_and_the_line_has_an_end(make: Make) -> None:
    residents = make(users=1, queue=2)
    first = residents.turn("echo")
    first.take()
    order: list[int] = []

    def wait(number: int) -> None:
        with residents.turn("echo"):
            order.append(number)

    with ThreadPoolExecutor(2) as threads:
        for number in (1, 2):
            threads.submit(wait, number)
            until(residents, lambda number=number: named(residents, "echo").waiting == number)  # type: ignore[misc]
        with pytest.raises(QueueFull) as full:
            residents.turn("echo").take()
        first.leave()
    assert order == [1, 2]
    assert full.value.waiting == 2
    assert full.value.seconds >= 1


def test_one_that_waits_can_be_called_off(make: Make) -> None:
    residents = make(users=1)
    first, second = residents.turn("echo"), residents.turn("echo")
    first.take()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(second.take)
        until(residents, lambda: named(residents, "echo").waiting == 1)
        second.cancel()
        with pytest.raises(Cancelled):
            waiting.result(PATIENCE)
    first.leave()
    assert answer(residents)[-1] == Finish("stop")


def test_an_answer_is_broken_off_from_another_thread(make: Make) -> None:
    residents = make()
    turn = residents.turn("endless")
    model = turn.take()
    events = model.run(ChatRequest((Message("user", "go"),), Sampling(max_tokens=8000)))
    said = threading.Event()

    def read() -> list[Event]:
        told: list[Event] = []
        for event in events:
            told.append(event)
            if isinstance(event, Text):
                said.set()
        return told

    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(read)
        assert said.wait(PATIENCE)
        events.close()
        assert not any(isinstance(event, Finish) for event in reading.result(PATIENCE))
    turn.leave()
    # The engine is free again, and whole.
    assert answer(residents, "endless", ChatRequest((Message("user", "x"),), Sampling(max_tokens=3)))[-1] == Finish(
        "length"
    )


def test_an_engine_that_dies_fails_its_requests_and_is_started_again(make: Make) -> None:
    residents = make(users=2)
    turn = residents.turn("endless")
    model = turn.take()
    events = model.run(ChatRequest((Message("user", "go"),), Sampling(max_tokens=8000)))
    next(event for event in events if isinstance(event, Text))
    os.kill(model.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        list(events)
    turn.leave()
    assert answer(residents)[-1] == Finish("stop")  # nobody else notices
    again = ChatRequest((Message("user", "x"),), Sampling(max_tokens=3))
    assert answer(residents, "endless", again)[-1] == Finish("length")
    assert named(residents, "endless").model is not model


def test_an_engine_that_dies_again_and_again_is_left_alone_for_a_while(make: Make) -> None:
    residents = make()
    for _ in range(2):
        with residents.turn("echo") as model:
            os.kill(model.pid, signal.SIGKILL)
            psutil.Process(model.pid).wait(PATIENCE)
            with suppress(EngineCrashed):
                list(model.run(HELLO))
    with pytest.raises(EngineRestarting) as resting:
        residents.turn("echo").take()
    assert resting.value.seconds >= 1


def test_one_that_died_in_silence_is_replaced(make: Make) -> None:
    residents = make()
    answer(residents)
    dead = named(residents, "echo").model
    assert dead
    process = psutil.Process(dead.pid)
    process.kill()
    process.wait(PATIENCE)
    with suppress(EngineCrashed):  # its end may not have been noticed yet
        answer(residents)
    assert answer(residents)[-1] == Finish("stop")


def test_who_is_not_asked_leaves(make: Make) -> None:
    residents = make(keep_alive=0)
    answer(residents)
    until(residents, lambda: not residents.all())
    assert [(refused.name, refused.reason) for refused in residents.refused()] == [("echo", "expired")]


def test_a_request_says_how_long_the_model_stays(make: Make) -> None:
    residents = make(keep_alive=0)
    with residents.turn("echo", keep_alive=-1):
        pass
    assert named(residents, "echo").expires == float("inf")
    with residents.turn("echo", keep_alive=0):
        pass
    until(residents, lambda: not residents.all())


def test_who_is_pinned_stays_until_it_is_stopped(make: Make) -> None:
    residents = make()
    with residents.turn("echo", keep_alive=0):
        residents.pin("echo")
    assert named(residents, "echo").pinned
    with pytest.raises(NotLoaded):
        residents.pin("one")
    residents.unload("echo")
    until(residents, lambda: not residents.all())
    assert [refused.reason for refused in residents.refused()] == ["stopped"]


def test_a_busy_model_ends_its_answers_before_it_leaves(make: Make) -> None:
    residents = make()
    turn = residents.turn("echo")
    model = turn.take()
    residents.unload("echo")
    assert list(model.run(HELLO))[-1] == Finish("stop")
    turn.leave()
    until(residents, lambda: not residents.all())


def test_what_no_engine_can_do_is_refused_and_harms_nobody(make: Make) -> None:
    residents = make()
    with pytest.raises(MissingFeature) as missing:
        residents.turn("echo", needs=frozenset({"images"})).take()
    assert missing.value.feature == "images"
    assert answer(residents)[-1] == Finish("stop")


@pytest.fixture
def no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """All memory of the computer is to be left free."""
    monkeypatch.setenv("ABIERTO_MEMORY_MARGIN", str(psutil.virtual_memory().total // 1_000_000 + 1))


@pytest.mark.usefixtures("no_memory")
def test_what_no_computer_can_hold_is_refused_with_numbers(make: Make) -> None:
    residents = make()
    with pytest.raises(NotEnoughMemory):
        answer(residents, "one")
    [refused] = residents.refused()
    assert isinstance(refused.error, NotEnoughMemory)


@pytest.mark.usefixtures("no_memory")
def test_who_holds_the_memory_is_named(make: Make) -> None:
    residents = make()
    turn = residents.turn("echo")
    turn.take()
    with pytest.raises(MemoryTaken) as taken:
        answer(residents, "one")
    assert taken.value.busy == ["echo"]
    turn.leave()
    residents.pin("echo")
    with pytest.raises(MemoryTaken) as taken:
        answer(residents, "one")
    assert (taken.value.busy, taken.value.pinned) == ([], ["echo"])
    residents.pin("echo", pinned=False)
    with pytest.raises(NotEnoughMemory):
        answer(residents, "one")
    assert [(refused.name, refused.reason) for refused in residents.refused()] == [
        ("one", "failed"),
        ("echo", "evicted"),
    ]


def test_nothing_is_left_when_it_closes(make: Make) -> None:
    before = set(psutil.Process().children())
    residents = make()
    answer(residents)
    answer(residents, "one")
    assert set(psutil.Process().children()) - before
    waiting = residents.turn("one")
    residents.close()
    assert not set(psutil.Process().children()) - before
    with pytest.raises(ServerStopping):
        waiting.take()
