"""What may be asked of a model that draws."""

import json
from typing import Any

import pytest

from abierto.errors import EmptyPrompt, OptionOutOfRange
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image, ImagePreview, from_wire, to_wire


@pytest.mark.parametrize(
    "options",
    [
        {"width": 0},
        {"height": 1 << 20},
        {"num_inference_steps": 0},
        {"guidance_scale": -0.1},
        {"guidance_scale": float("nan")},
        {"num_images_per_prompt": 17},
        {"seed": 2**32},
        {"negative_prompt": "a" * 40_000},
    ],
    ids=str,
)
def test_a_number_without_meaning_is_refused_and_named(options: dict[str, Any]) -> None:
    with pytest.raises(OptionOutOfRange) as caught:
        DrawRequest("a cat", **options)
    assert caught.value.option == next(iter(options))


def test_nothing_cannot_be_drawn() -> None:
    with pytest.raises(EmptyPrompt):
        DrawRequest(" \n")


def test_each_image_has_the_next_seed() -> None:
    assert DrawRequest("a", num_images_per_prompt=3, seed=2**32 - 3).seeds(2**32 - 3) == [2**32 - 3, 2**32 - 2, 0]


def test_a_request_and_images_come_through_a_pipe_unchanged() -> None:
    request = DrawRequest("ñ🙂", "no", 64, 32, 4, 2.5, 3, 7, previews=False)
    assert DrawRequest.from_wire(json.loads(json.dumps(request.to_wire()))) == request
    for event in (ImagePreview(1, "AA=="), Image(0, "AA==", 8, 8, 1, 4, 2.5, "DDIM")):
        assert from_wire(json.loads(json.dumps(to_wire(event)))) == event
