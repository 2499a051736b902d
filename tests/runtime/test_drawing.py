"""`abierto.draw(...)` in Python, and what stands in the file."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import abierto
from abierto import errors
from abierto.formats import png
from abierto.formats.images import examine
from abierto.runtime.drawing import parameters
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image


@pytest.fixture(autouse=True)
def _unloaded() -> Iterator[None]:
    yield
    abierto.unload()


def test_a_picture_is_shown_by_notebooks_and_saved(tmp_path: Path) -> None:
    made = abierto.draw("a red apple", model="echo", seed=3, width=64, height=32, steps=2)
    assert (made.width, made.height, made.seed, made.steps, made.model) == (64, 32, 3, 2, "echo")
    assert examine(made._repr_png_(), "x").width == 64
    saved = made.save(tmp_path / "apple.png")
    assert saved.read_bytes() == made.png
    assert png.texts(made.png)["parameters"].startswith("a red apple\nSteps: 2")


def test_chat_and_draw_keep_a_model_each() -> None:
    assert abierto.chat("one", model="echo") == "one"
    abierto.draw("a", model="echo")
    assert abierto.chat("two", model="echo") == "two"


@pytest.mark.parametrize(
    ("call", "error"),
    [
        ({"prompt": " "}, errors.EmptyPrompt),
        ({"prompt": "a", "steps": 0}, errors.OptionOutOfRange),
        ({"prompt": "a", "model": "smollm2:135m"}, errors.NoImageModel),
        ({"prompt": "a", "model": "sdxl-turbo"}, errors.NoEngineForFile),
    ],
    ids=str,
)
def test_errors_have_their_sentences_in_a_note(call: dict[str, object], error: type[errors.AbiertoError]) -> None:
    with pytest.raises(error) as caught:
        abierto.draw(**call)  # type: ignore[arg-type]
    assert caught.value.__notes__[0].strip()


def test_a_value_that_could_be_misread_stands_in_quotes() -> None:
    image = Image(0, "", 8, 8, 1, 4, 2.0, "DPM++ 2M")
    told = parameters(image, DrawRequest("a\nb"), 'my, "own": model')
    assert told.startswith('a\nb\nSteps: 4, Sampler: DPM++ 2M, CFG scale: 2, Seed: 1, Size: 8x8, Model: "my, \\"own')
