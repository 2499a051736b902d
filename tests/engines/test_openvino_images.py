"""Models that see, on the OpenVINO engine: with a tiny one whose answers depend on the colours of images."""

import struct
import zlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from abierto import engines
from abierto.engines.session import LoadOptions, Session
from abierto.errors import EngineFailed, MissingFeature, PromptTooLong
from abierto.runtime import child
from abierto.runtime.schema import validate
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Finish, Text, Usage
from tests.engines.kinds import OPENVINO, Workshop
from tests.tiny_openvino import IMAGE_TOKENS, write_seeing

PLAIN = Sampling(max_tokens=30, temperature=0.0)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_seeing(tmp_path_factory.mktemp("seeing") / "tiny")


@pytest.fixture(scope="module", params=["here", "child"])
def session(folder: Path, request: pytest.FixtureRequest) -> Iterator[Session]:
    load = child.load if request.param == "child" else engines.load
    options = LoadOptions(512, threads=2, max_concurrent=2)
    loaded = load("openvino", [str(folder / "openvino_language_model.xml")], options)
    yield loaded
    loaded.close()


def picture(colour: str, form: str = "PNG", size: tuple[int, int] = (40, 50), mode: str = "RGB") -> bytes:
    file = BytesIO()
    Image.new(mode, size, colour).save(file, form)
    return file.getvalue()


RED, BLUE = picture("red"), picture("blue")


def look(*images: bytes, text: str = "what?") -> ChatRequest:
    return ChatRequest((Message("user", text, images),), PLAIN)


def said(session: Session, request: ChatRequest) -> str:
    return "".join(event.text for event in session.chat(request) if isinstance(event, Text))


def test_the_answer_depends_on_the_image(session: Session) -> None:
    assert "images" in session.features
    answers = [said(session, look(*images)) for images in ((), (RED,), (BLUE,), (RED, BLUE), (BLUE, RED))]
    assert len({*answers}) == 5
    assert said(session, look(RED)) == answers[1]


def test_images_keep_to_their_messages(session: Session) -> None:
    def told(first: bytes, second: bytes) -> str:
        turns = (Message("user", "a", (first,)), Message("assistant", "b"), Message("user", "c", (second,)))
        return said(session, ChatRequest(turns, PLAIN))

    assert told(RED, BLUE) != told(BLUE, RED)
    both = ChatRequest((Message("user", "a", (RED, BLUE)), Message("assistant", "b"), Message("user", "c")), PLAIN)
    assert told(RED, BLUE) != said(session, both)


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_shows_the_same(session: Session, form: str) -> None:
    # Black survives every compression unchanged.
    assert said(session, look(picture("black", form))) == said(session, look(picture("black")))


def test_what_is_transparent_is_white(session: Session) -> None:
    clear = picture("#ff000000", mode="RGBA")
    assert said(session, look(clear)) == said(session, look(picture("white"))) != said(session, look(RED))


def test_images_count(session: Session) -> None:
    plain = session.count_tokens(look())
    one = session.count_tokens(look(RED)) - plain
    assert one >= IMAGE_TOKENS
    assert session.count_tokens(look(RED, BLUE)) == plain + 2 * one
    [usage] = [event for event in session.chat(look(RED)) if isinstance(event, Usage)]
    assert usage.prompt_tokens == plain + one


def test_too_many_images_for_the_context(session: Session) -> None:
    with pytest.raises(PromptTooLong):
        said(session, look(*[RED] * 120))
    assert said(session, look(RED))


# An image of a few bytes that says of itself that it is 40,000 pixels wide and high.
VAST = RED[:16] + struct.pack(">II", 40_000, 40_000)
VAST += RED[24:29] + struct.pack(">I", zlib.crc32(b"IHDR" + VAST[16:24] + RED[24:29])) + RED[33:]


@pytest.mark.parametrize("body", [b"", b"no image", RED[:60], RED[:20] + bytes(500), b"\x89PNG\r\n\x1a\n", VAST])
def test_what_is_no_image(session: Session, body: bytes) -> None:
    with pytest.raises(EngineFailed):
        said(session, look(body))
    assert said(session, look(RED))


@pytest.mark.parametrize("text", ["<ov_genai_image_0>", "<ov_genai_video_0>", "<ov_genai_image_99> x"])
def test_a_text_that_looks_like_the_place_of_an_image(session: Session, text: str) -> None:
    assert said(session, look(text=text))
    assert said(session, look(RED, text=text)) != said(session, look(BLUE, text=text))


def test_the_words_of_the_model_for_an_image_are_an_error_and_not_an_image(session: Session) -> None:
    with pytest.raises(EngineFailed):
        said(session, look(text="<image>"))
    assert said(session, look(RED))


def test_several_who_look_at_once(session: Session) -> None:
    alone = [said(session, look(image)) for image in (RED, BLUE)]
    with ThreadPoolExecutor(6) as threads:
        images = [RED, BLUE, picture("green", size=(10, 90))] * 2
        answers = list(threads.map(lambda image: said(session, look(image)), images))
    assert answers[0] == answers[3] == alone[0]
    assert answers[1] == answers[4] == alone[1]


def test_a_schema_for_what_is_seen(session: Session) -> None:
    schema = {"enum": ["red", "blue"]}
    request = replace(look(RED), schema=schema)
    events = list(session.chat(request))
    assert validate("".join(event.text for event in events if isinstance(event, Text)), schema)
    assert events[-1] == Finish("stop")


def test_a_model_without_eyes_says_so(workshop: Workshop) -> None:
    blind = workshop.session(OPENVINO[0], "says")
    assert "images" not in blind.features
    with pytest.raises(MissingFeature) as told:
        said(blind, look(RED))
    assert told.value.feature == "images"
