"""A model that sees, over every way to run it: a tiny one of random weights, and a projector of random weights."""

import dataclasses
import itertools
import os
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from abierto.engines._llama_start import BATCH, WHOLE_IMAGE_BATCH, batch_size
from abierto.engines.session import LoadOptions, Session
from abierto.errors import BadImage, ImageFormatUnread, LoadFailed, NotAnImage, PromptTooLong
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Finish, Text, Usage
from tests.engines.kinds import LLAMA, Kind, Workshop
from tests.tiny_projector import TOKENS, TinyProjector, bmp, gif, png, webp

every_seeing = pytest.mark.parametrize("kind", LLAMA, ids=str)

# Sound as far as lengths and headers go, and nothing in it that could be decoded.
SPOILT = png(8, 8).replace(zlib.compress((b"\x00" + bytes((200, 40, 40)) * 8) * 8)[2:8], b"spoilt")


def seeing(workshop: Workshop, kind: Kind) -> Session:
    return workshop.session(kind, "random", "mmproj")


def look(*images: bytes, text: str = "What is this?") -> ChatRequest:
    return ChatRequest((Message("user", text, images),), Sampling(max_tokens=12, seed=1, temperature=1.0))


def read_tokens(events: list[Event]) -> int:
    return next(event.prompt_tokens for event in events if isinstance(event, Usage))


def said(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


@every_seeing
def test_an_image_costs_tokens_that_are_counted_before(workshop: Workshop, kind: Kind) -> None:
    session = seeing(workshop, kind)
    assert "images" in session.features
    costs = []
    for images in ((), (png(),), (png(), png(9, 4, (0, 0, 255)))):
        events = list(session.chat(look(*images)))
        assert isinstance(events[-1], Finish)
        assert session.count_tokens(look(*images)) == read_tokens(events)
        costs.append(read_tokens(events))
    assert [more - less for less, more in itertools.pairwise(costs)] == [TOKENS, TOKENS]


@every_seeing
def test_what_is_seen_makes_a_difference(workshop: Workshop, kind: Kind) -> None:
    session = seeing(workshop, kind)
    red, blue, again = [said(list(session.chat(look(png(8, 8, c))))) for c in ((255, 0, 0), (0, 0, 255), (255, 0, 0))]
    assert red == again
    assert red != blue


@every_seeing
@pytest.mark.parametrize("image", [png(1, 1), png(200, 1), png(1, 200), gif(), bmp(), bmp(1, 1)], ids=len)
def test_every_format_and_shape_that_is_let_through_is_read(workshop: Workshop, kind: Kind, image: bytes) -> None:
    events = list(seeing(workshop, kind).chat(look(image)))
    assert read_tokens(events) == seeing(workshop, kind).count_tokens(look()) + TOKENS


@every_seeing
def test_images_of_earlier_turns_are_told_again(workshop: Workshop, kind: Kind) -> None:
    session = seeing(workshop, kind)
    turns = (Message("user", "And this?", (png(),)), Message("assistant", "Red."), Message("user", "Why?", (gif(),)))
    request = dataclasses.replace(look(), messages=turns)
    blind = dataclasses.replace(look(), messages=tuple(dataclasses.replace(turn, images=()) for turn in turns))
    assert read_tokens(list(session.chat(request))) == session.count_tokens(blind) + 2 * TOKENS


@every_seeing
def test_images_beyond_the_context(workshop: Workshop, kind: Kind) -> None:
    session = seeing(workshop, kind)
    with pytest.raises(PromptTooLong) as told:
        list(session.chat(look(*[png()] * 40)))
    assert told.value.tokens > 40 * TOKENS > session.context == told.value.context
    assert isinstance(list(session.chat(look(png())))[-1], Finish)


@every_seeing
def test_what_cannot_be_read_is_not_sent(workshop: Workshop, kind: Kind) -> None:
    session = seeing(workshop, kind)
    with pytest.raises(ImageFormatUnread) as unread:
        list(session.chat(look(png(), webp())))
    assert (unread.value.image, unread.value.format, unread.value.engine) == ("2", "webp", "llamacpp")
    with pytest.raises(NotAnImage):
        session.count_tokens(look(b"#!/bin/sh"))
    with pytest.raises(BadImage) as cut:
        list(session.chat(look(png()[:-4])))
    assert cut.value.fault == "image_cut"
    for ask in (session.count_tokens, lambda request: list(session.chat(request))):
        with pytest.raises(BadImage) as damaged:
            ask(look(png(), SPOILT))
        assert damaged.value.facts == {"image": "1-2", "fault": "image_undecodable", "about": None}
    assert isinstance(list(session.chat(look(png())))[-1], Finish)


@every_seeing
def test_what_cannot_be_decoded_is_handed_to_no_other_program(
    workshop: Workshop, kind: Kind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    called = tmp_path / "called"
    for name in ("ffmpeg", "ffprobe"):
        (tmp_path / name).write_text(f"#!/bin/sh\ntouch '{called}'\nexit 1\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    with closing(workshop.load(kind, "random", projector="mmproj")) as session, pytest.raises(BadImage):
        list(session.chat(look(SPOILT)))
    assert not called.exists()


# Not in the process of the tests: it may die of such a file.
@pytest.mark.parametrize("kind", [kind for kind in LLAMA if kind.program or kind.place == "child"], ids=str)
def test_a_projector_that_the_engine_refuses(workshop: Workshop, kind: Kind) -> None:
    broken = TinyProjector(tensors={"mm.2.weight": None, "v.patch_embd.weight": None})
    broken.write(workshop.folder / "broken.gguf")
    with pytest.raises(LoadFailed):
        workshop.load(kind, "random", projector="broken").close()


def test_an_image_whose_tokens_see_each_other_is_read_in_one_go(tmp_path: Path) -> None:
    plain = TinyProjector().write(tmp_path / "plain.gguf")
    whole = TinyProjector(metadata={"clip.projector_type": "gemma3"}).write(tmp_path / "whole.gguf")
    assert batch_size("", LoadOptions(), BATCH) == BATCH
    assert batch_size("", LoadOptions(projector=str(plain)), BATCH) == BATCH
    assert batch_size("", LoadOptions(projector=str(whole)), BATCH) == WHOLE_IMAGE_BATCH
