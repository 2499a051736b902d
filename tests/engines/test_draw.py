"""The contract of a session that draws, over every engine that does and every place where it can run."""

import base64
import os
import signal
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import cast

import pytest

from abierto import engines
from abierto.engines.session import LoadOptions, Session
from abierto.errors import EngineCrashed, TooManyWords
from abierto.formats.images import ImageInfo, examine
from abierto.runtime import child
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Event, Finish, Image, ImagePreview, Progress, Usage
from tests.engines.kinds import Kind
from tests.tiny_diffusers import TinyDiffusers

FORMAT = "diffusers_onnx"
DRAWING = ["echo", *engines.engines_for(FORMAT)]
KINDS = [Kind(engine, place) for engine in DRAWING for place in ("here", "child")]
every_kind = pytest.mark.parametrize("kind", KINDS, ids=str)
REQUEST = DrawRequest("a red apple", seed=7, num_inference_steps=3)


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The path of a tiny model."""
    return str(TinyDiffusers().write(tmp_path_factory.mktemp("drawing")))


@pytest.fixture(scope="module")
def sessions(model: str) -> Iterator[dict[Kind, Session]]:
    """One for each kind, slow enough to be interrupted where that can be set."""
    opened = {kind: load(kind, model) for kind in KINDS}
    yield opened
    for session in opened.values():
        session.close()


def load(kind: Kind, model: str) -> Session:
    settings = {"tokens_per_second": "500"} if kind.engine == "echo" else {}
    options = LoadOptions(0, 2, 2, task="draw", settings=settings)
    return (child.load if kind.place == "child" else engines.load)(kind.engine, [model], options)


def images(events: list[Event]) -> list[Image]:
    return [event for event in events if isinstance(event, Image)]


def file_of(event: Image | ImagePreview) -> bytes:
    return base64.b64decode(event.png, validate=True)


def start(session: Session, request: DrawRequest) -> Generator[Event, None, None]:
    """A drawing of which the first step is done."""
    events = cast("Generator[Event, None, None]", session.draw(request))
    while not isinstance(next(events), Progress):
        pass
    return events


@every_kind
def test_an_image_step_by_step(sessions: dict[Kind, Session], kind: Kind) -> None:
    session = sessions[kind]
    assert "draw" in session.features
    events = list(session.draw(REQUEST))
    [image] = images(events)
    assert examine(file_of(image), "x") == ImageInfo("png", image.width, image.height)
    assert (image.seed, image.num_inference_steps) == (7, 3)
    steps = [event for event in events if isinstance(event, Progress)]
    assert [(step.stage, step.done, step.total) for step in steps] == [("steps", done, 3) for done in (1, 2, 3)]
    previews = [event for event in events if isinstance(event, ImagePreview)]
    assert len(previews) == 2
    assert examine(file_of(previews[0]), "x") == ImageInfo("png", image.width, image.height)
    assert isinstance(events[-2], Usage)
    assert events[-2].prompt_tokens == session.count_tokens(REQUEST) > 0
    assert events[-1] == Finish("stop")


@every_kind
def test_the_same_seed_gives_the_same_image(sessions: dict[Kind, Session], kind: Kind) -> None:
    requests = [REQUEST, replace(REQUEST, seed=8), REQUEST, replace(REQUEST, prompt="a blue boat")]
    made = [file_of(images(list(sessions[kind].draw(request)))[0]) for request in requests]
    assert made[0] == made[2]
    assert len(set(made)) == 3


@every_kind
def test_several_images_have_the_seeds_that_follow(sessions: dict[Kind, Session], kind: Kind) -> None:
    together = images(list(sessions[kind].draw(replace(REQUEST, num_images_per_prompt=3))))
    assert [(image.index, image.seed) for image in together] == [(0, 7), (1, 8), (2, 9)]
    alone = images(list(sessions[kind].draw(replace(REQUEST, seed=9))))
    assert file_of(alone[0]) == file_of(together[2])


@every_kind
def test_without_a_seed_another_image_each_time_which_tells_its_own(sessions: dict[Kind, Session], kind: Kind) -> None:
    free = replace(REQUEST, seed=None)
    [one], [other] = images(list(sessions[kind].draw(free))), images(list(sessions[kind].draw(free)))
    assert one.seed != other.seed
    assert images(list(sessions[kind].draw(replace(free, seed=one.seed)))) == [one]


@every_kind
def test_nobody_is_told_of_previews_that_nobody_wants(sessions: dict[Kind, Session], kind: Kind) -> None:
    events = list(sessions[kind].draw(replace(REQUEST, previews=False)))
    assert not any(isinstance(event, ImagePreview) for event in events)
    assert images(events) == images(list(sessions[kind].draw(REQUEST)))


@every_kind
def test_closing_cancels_between_steps_and_the_session_draws_again(sessions: dict[Kind, Session], kind: Kind) -> None:
    for _ in range(3):  # more than it has places
        events = start(sessions[kind], replace(REQUEST, num_inference_steps=200, num_images_per_prompt=16))
        events.close()
        events.close()
        assert list(events) == []
    assert images(list(sessions[kind].draw(REQUEST)))


@every_kind
def test_several_threads_draw_what_each_would_alone(sessions: dict[Kind, Session], kind: Kind) -> None:
    session = sessions[kind]
    requests = [replace(REQUEST, seed=seed) for seed in range(4)]
    with ThreadPoolExecutor(4) as threads:
        together = list(threads.map(lambda request: images(list(session.draw(request))), requests))
    assert together == [images(list(session.draw(request))) for request in requests]


@every_kind
def test_a_prompt_that_is_too_long_is_refused_and_not_cut(sessions: dict[Kind, Session], kind: Kind) -> None:
    for request in (replace(REQUEST, prompt="word " * 5000), replace(REQUEST, negative_prompt="word " * 5000)):
        with pytest.raises(TooManyWords):
            list(sessions[kind].draw(request))


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind.place == "child"], ids=str)
def test_a_crash_in_the_middle(kind: Kind, model: str) -> None:
    session = load(kind, model)
    events = start(session, replace(REQUEST, num_inference_steps=200, num_images_per_prompt=16))
    os.kill(session.pid, signal.SIGKILL)
    with pytest.raises(EngineCrashed):
        list(events)
    session.close()
