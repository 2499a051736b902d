"""Images on the command line and in a conversation: shown, kept by path and hash, and refused with what to do."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.cli.conftest import Abierto
from tests.cli.terminal import Program, messages
from tests.tiny_gguf import TinyGGUF
from tests.tiny_openvino import write_seeing
from tests.tiny_projector import TOKENS, TinyProjector, bmp, gif, png, webp

SAYS = "Hé 你🙂."


@pytest.fixture
def seeing(tmp_path: Path) -> Path:
    """A model that always says the same, beside the projector that it sees with."""
    TinyProjector().write(tmp_path / "mmproj-tiny.gguf")
    return TinyGGUF(says=SAYS, dtype="f16", context=1024).write(tmp_path / "tiny.gguf")


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "my photo.png"
    path.write_bytes(png())
    return path


def test_images_cost_tokens_and_the_answer_is_an_answer(abierto: Abierto, seeing: Path, photo: Path) -> None:
    bodies = []
    other = photo.with_name("b.gif")
    other.write_bytes(gif())
    for images in ((), (photo,), (photo, other)):
        options = [part for image in images for part in ("--image", str(image))]
        done = abierto("chat", "-m", str(seeing), "--json", "--seed", "1", "What is this?", *options)
        assert done.status == 0, done.err
        bodies.append(json.loads(done.out))
        assert bodies[-1]["text"] == SAYS
        assert bodies[-1]["images"] == [str(image) for image in images]
    read = [body["stats"]["prompt_tokens"] for body in bodies]
    assert read == [read[0], read[0] + TOKENS, read[0] + 2 * TOKENS]


def test_a_projector_from_elsewhere(abierto: Abierto, seeing: Path, photo: Path, tmp_path: Path) -> None:
    place = tmp_path / "elsewhere"
    place.mkdir()
    moved = seeing.rename(place / "tiny.gguf")
    asked = ("chat", "-m", str(moved), "What is this?", "--image", str(photo))
    blind = abierto(*asked)
    assert blind.status == 8
    assert "--projector" in blind.err
    done = abierto(*asked, "--projector", str(tmp_path / "mmproj-tiny.gguf"))
    assert (done.status, done.out) == (0, SAYS)


def case(content: bytes | None, status: int, words: str) -> tuple[bytes | None, int, str]:
    return content, status, words


BAD = {
    "missing": case(None, 3, "is not there"),
    "empty": case(b"", 2, "an empty file"),
    "text": case(b"Dear Sir", 2, "a text"),
    "svg": case(b"<svg xmlns='x'/>", 2, "SVG"),
    "cut": case(png()[:-9], 2, "ends before the image does"),
    "webp": case(webp(), 2, "webp"),
    "30000 x 30000": case(png()[:16] + b"\x00\x00\x75\x30\x00\x00\x75\x30" + png()[24:], 2, "30,000"),
}


@pytest.mark.parametrize(("content", "status", "words"), BAD.values(), ids=BAD.keys())
def test_bad_images(
    abierto: Abierto, seeing: Path, tmp_path: Path, content: bytes | None, status: int, words: str
) -> None:
    path = tmp_path / "bad.png"
    if content is not None:
        path.write_bytes(content)
    done = abierto("chat", "-m", str(seeing), "What is this?", "--image", str(path))
    assert (done.status, done.out) == (status, "")
    assert words in done.err.replace("\n", " ")
    assert "Traceback" not in done.err


def test_a_folder_and_100_images_in_spanish(abierto: Abierto, seeing: Path, photo: Path) -> None:
    done = abierto("chat", "-m", "echo", "x", "--image", str(photo.parent), ABIERTO_LANGUAGE="es")
    assert (done.status, done.out) == (2, "")
    assert "una carpeta" in done.err
    many = ["--image", str(photo)] * 100
    done = abierto("chat", "-m", str(seeing), "¿Qué es esto?", *many, ABIERTO_LANGUAGE="es")
    assert (done.status, done.out) == (2, "")
    assert re.search(r"100 imágenes .* son demasiadas", done.err.replace("\n", " "))


def test_a_model_that_cannot_see(abierto: Abierto, photo: Path) -> None:
    done = abierto("chat", "-m", "echo", "x", "--image", str(photo))
    assert (done.status, done.out) == (8, "")
    assert "cannot see" in done.err


def test_a_one_pixel_image_is_an_image(abierto: Abierto, seeing: Path, tmp_path: Path) -> None:
    path = tmp_path / "dot.bmp"
    path.write_bytes(bmp(1, 1))
    assert abierto("chat", "-m", str(seeing), "What is this?", "--image", str(path)).out == SAYS


def read_tokens(answer: str) -> int:
    """How many tokens the model read, from the line of `--stats`."""
    found = re.search(r"(\d+) tokens?", answer)
    assert found
    return int(found[1])


def test_a_conversation_keeps_images_by_path_and_hash(home: Path, seeing: Path, photo: Path) -> None:
    with Program("chat", "-m", str(seeing), "--stats", home=home) as chat:
        chat.ready()
        assert "my photo.png" in chat.say(f"/image {photo}")
        with_image = read_tokens(chat.say("What is this?"))
        assert "No image" in chat.say("/image")
        chat.say("/save seen")
    kept = messages(home)[0]
    assert str(photo) in kept
    assert "sha256" in kept
    assert len(kept) < 2000  # no copy of the image
    arguments = ("chat", "-m", str(seeing), "--load", "seen", "--stats")
    with Program(*arguments, home=home) as chat:
        chat.wait_for("[my photo.png] What is this?")
        chat.ready()
        again = read_tokens(chat.say("And why?"))
        assert again > with_image + TOKENS // 2
        chat.say("/retry")
    photo.write_bytes(png(9, 9, (0, 255, 0)))
    with Program(*arguments, home=home) as chat:
        chat.wait_for("has changed")


def test_images_in_a_conversation_are_put_away_retried_and_refused(home: Path, seeing: Path, photo: Path) -> None:
    with Program("chat", "-m", str(seeing), "--stats", "--image", str(photo), home=home) as chat:
        chat.ready()
        assert "my photo.png" in chat.say("/image")
        assert "No image" in chat.say("/image -")
        plain = read_tokens(chat.say("What is this?"))
        chat.say("/undo")
        chat.say(f"/image '{photo}' {str(photo).replace(' ', chr(92) + ' ')}")
        assert read_tokens(chat.say("What is this?")) == plain + 2 * TOKENS
        assert read_tokens(chat.say("/retry")) == plain + 2 * TOKENS
        missing = chat.say(f"/image {photo.parent / 'gone.png'}")
        assert "is not there" in " ".join(missing.split())  # the terminal breaks the line where the path ends
        assert "only told that there were some" in chat.say("/model echo")
        assert "cannot see" in chat.say(f"/image {photo}")
        assert "go on" in chat.say("go **on**")
        assert os.fspath(photo) in messages(home)[0]


def test_a_model_of_openvino_is_shown_images(abierto: Abierto, tmp_path: Path) -> None:
    folder = write_seeing(tmp_path / "seeing")
    answers = set()
    for colour in ((255, 0, 0), (0, 0, 255)):
        photo = tmp_path / "photo.png"
        photo.write_bytes(png(40, 40, colour))
        options = ("--image", str(photo), "--temperature", "0", "--max-tokens", "30")
        done = abierto("chat", "-m", str(folder), *options, "What is this?")
        assert done.status == 0, done.err
        answers.add(done.out)
    assert len(answers) == 2
