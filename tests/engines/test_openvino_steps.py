"""What happens between two steps of the OpenVINO engine, seen by a pipeline that tells of each of its own."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from abierto.engines import openvino
from abierto.engines._openvino_batch import Piece, Ticket
from abierto.engines._openvino_load import Opened, open_model
from abierto.engines.session import LoadOptions
from abierto.tasks.chat import ChatRequest
from abierto.tasks.events import Finish
from tests.engines.kinds import Workshop, ask


class Watched:
    """A pipeline of the engine's own. after: called at the end of each step, inside of it."""

    def __init__(self, pipeline: Any) -> None:
        self._pipeline = pipeline
        self.steps = 0
        self.after: Callable[[], None] | None = None

    def __getattr__(self, name: str) -> Any:
        return getattr(self._pipeline, name)

    def step(self) -> None:
        self._pipeline.step()
        self.steps += 1
        if self.after:
            self.after()


@pytest.fixture
def watched(workshop: Workshop) -> Iterator[tuple[openvino.OpenVINOSession, Watched]]:
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino_genai

    options = LoadOptions(4096, threads=2, max_concurrent=2)
    opened = open_model(openvino_genai, Path(workshop.model("endless")), options, options.context)
    pipeline = Watched(opened.pipeline)
    session = openvino.OpenVINOSession(openvino_genai, Opened(pipeline, opened.tokenizer), options.context, 2)
    yield session, pipeline
    session.close()


def test_what_is_loaded_has_computed_once(watched: tuple[openvino.OpenVINOSession, Watched]) -> None:
    assert watched[1].get_metrics().max_cache_usage > 0


def steps_of(session: openvino.OpenVINOSession, pipeline: Watched, request: ChatRequest) -> int:
    """How many steps a request takes."""
    before = pipeline.steps
    assert isinstance(list(session.chat(request))[-1], Finish)
    return pipeline.steps - before


def test_a_beginning_that_was_read_before_is_not_read_again(watched: tuple[openvino.OpenVINOSession, Watched]) -> None:
    session, pipeline = watched
    long = "one word after another, " * 100  # more tokens than it reads in some steps
    first = steps_of(session, pipeline, ask(long + "end", max_tokens=1))
    assert first > 4
    assert steps_of(session, pipeline, ask(long + "other end", max_tokens=1)) <= 2
    assert steps_of(session, pipeline, ask("x" + long, max_tokens=1)) == first


def test_a_cancel_in_the_middle_of_a_step(watched: tuple[openvino.OpenVINOSession, Watched]) -> None:
    session, pipeline = watched
    cancelled = session.chat(ask(max_tokens=3000))
    others: list[Ticket] = []
    cancelled_at: list[int] = []

    def during() -> None:
        # All of this is in the thread that computes, and inside of a step, so that nothing depends on time.
        if not others:
            others.append(session.ticket(ask(max_tokens=40))[0])
        elif pipeline.get_metrics().requests == 2:
            pipeline.after = None
            cancelled_at.append(pipeline.steps)
            cancelled.close()  # type: ignore[attr-defined]

    pipeline.after = during
    assert not any(isinstance(event, Finish) for event in cancelled)
    assert cancelled_at
    pieces = iter(others[0].pieces.get, None)
    reason = next(piece.reason for piece in pieces if isinstance(piece, Piece) and piece.reason)
    assert reason == "length"
    # It has left the pipeline: the next request is computed alone.
    assert steps_of(session, pipeline, ask(max_tokens=5)) <= 8
    assert pipeline.get_metrics().requests == 1
