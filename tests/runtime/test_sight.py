"""Images on their way to a model: read, limited, refused with what to do; and the projector that a model is given."""

import os
import socket
from pathlib import Path

import pytest

from abierto import locale
from abierto.catalog import Card, Weights
from abierto.errors import (
    BadImage,
    FileMissing,
    ModelCannotSee,
    NotAnImage,
    ProjectorIsNoModel,
    ProjectorMismatch,
    PromptTooLong,
    TooManyImages,
    UsageFault,
)
from abierto.formats import images
from abierto.runtime import sight
from abierto.runtime.model import load
from abierto.runtime.resolve import Target
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Finish
from tests.tiny_gguf import TinyGGUF
from tests.tiny_projector import TOKENS, TinyProjector, gif, png


def look(*given: bytes) -> ChatRequest:
    return ChatRequest((Message("user", "What is this?", given),), Sampling(max_tokens=4, seed=1))


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return TinyGGUF(dtype="f16", context=2048).write(tmp_path / "tiny.gguf")


def test_a_file_is_read_and_checked(tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    photo.write_bytes(png())
    assert sight.gather([photo, str(photo), png(3, 3), bytearray(gif())]) == (png(), png(), png(3, 3), gif())


@pytest.mark.parametrize(
    ("content", "found"),
    [(b"", "empty"), (b"Dear Sir", "text"), (b"<svg></svg>", "svg"), (TinyGGUF().build(), "gguf")],
    ids=["empty", "text", "svg", "gguf"],
)
def test_a_file_that_is_no_image(tmp_path: Path, content: bytes, found: str) -> None:
    path = tmp_path / "photo.png"
    path.write_bytes(content)
    with pytest.raises(NotAnImage) as told:
        sight.read(path)
    assert told.value.facts == {"image": str(path), "found": found}


def test_a_path_that_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        sight.read(tmp_path / "gone.png")
    with pytest.raises(NotAnImage) as told:
        sight.read(tmp_path)
    assert told.value.found == "folder"
    if hasattr(os, "mkfifo"):
        os.mkfifo(tmp_path / "pipe")  # reading it would wait for ever
        with pytest.raises(NotAnImage):
            sight.read(tmp_path / "pipe")
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(tmp_path / "s"))
            with pytest.raises(NotAnImage):
                sight.read(tmp_path / "s")


def test_a_file_of_any_size_is_not_read_to_its_end(tmp_path: Path) -> None:
    path = tmp_path / "huge.png"
    path.write_bytes(png())
    os.truncate(path, 1 << 36)  # 64 GiB that take no room on the disk
    with pytest.raises(BadImage) as told:
        sight.read(path)
    assert told.value.about == {"bytes": images.MAX_BYTES + 1, "limit": images.MAX_BYTES}


def test_a_model_beside_its_projector_sees(model: Path) -> None:
    TinyProjector().write(model.with_name("mmproj-tiny.gguf"))
    with load(str(model)) as loaded:
        assert "images" in loaded.features
        assert loaded.count_tokens(look(png(), png())) == loaded.count_tokens(look()) + 2 * TOKENS
        assert isinstance(list(loaded.run(look(png())))[-1], Finish)
        assert loaded.last is not None
        assert loaded.last.prompt_tokens == loaded.count_tokens(look(png()))


def test_limits_of_a_request(model: Path) -> None:
    projector = TinyProjector().write(model.with_name("eyes.gguf"))
    with load(str(model), projector=str(projector), context=512) as loaded:
        with pytest.raises(TooManyImages) as many:
            loaded.run(look(*[png()] * 100))
        assert (many.value.images, many.value.limit) == (100, sight.MAX_IMAGES)
        large = png() + bytes(images.MAX_BYTES - len(png()))
        with pytest.raises(TooManyImages) as heavy:
            loaded.run(look(large, large, png()))
        assert heavy.value.total > sight.MAX_TOTAL_BYTES
        with pytest.raises(PromptTooLong):
            next(loaded.run(look(*[png()] * sight.MAX_IMAGES)))
        with pytest.raises(NotAnImage) as none:
            loaded.run(look(png(), b"no image"))
        assert none.value.image == "2"


def test_a_model_without_sight_says_so_before_it_looks(model: Path) -> None:
    with load(str(model)) as loaded, pytest.raises(ModelCannotSee) as told:
        loaded.run(look(b"whatever"))
    assert (told.value.model, told.value.reason) == ("tiny", "blind")
    assert "--projector" in locale.tell(told.value)[1]
    with load("echo") as loaded, pytest.raises(ModelCannotSee):
        loaded.count_tokens(look(png()))


def test_projectors_that_cannot_be_used(model: Path) -> None:
    wide = TinyProjector(embedding=96).write(model.with_name("wide.gguf"))
    with pytest.raises(ProjectorMismatch):
        load(str(model), projector=str(wide))
    with pytest.raises(ProjectorIsNoModel):
        load(str(wide))
    with pytest.raises(FileMissing):
        load(str(model), projector=str(model.with_name("gone.gguf")))
    with pytest.raises(UsageFault):
        load("echo", projector=str(wide))


def test_what_to_do_is_told_for_each_reason() -> None:
    eyes = {"f16": Weights("hf:ana/Tiny:mmproj.gguf", "gguf")}
    card = Card("tiny", "Tiny", "image-text-to-text", projectors=eyes)
    hints = {}
    for target in (Target("tiny"), Target("tiny", card=card), Target("tiny", card=card, projector="/eyes.gguf")):
        with pytest.raises(ModelCannotSee) as told:
            sight.require(target, "openvino", frozenset({"chat"}))
        hints[told.value.reason] = locale.tell(told.value)[1]
    assert list(hints) == ["blind", "projector_missing", "engine"]
    assert "abierto pull tiny" in hints["projector_missing"]
    assert "--engine llamacpp" in hints["engine"]
