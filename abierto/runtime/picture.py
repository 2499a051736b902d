"""The Python API: `abierto.draw(...)`, with the model of the last call kept loaded until another is asked for."""

import base64
import os
from pathlib import Path

from abierto.errors import AbiertoError
from abierto.runtime.kept import DRAW, worded
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image


class Picture:
    """An image that a model drew, and how it was made. A notebook shows it.

    png: the whole file, with the note of how it was made. width, height: in pixels. seed, steps, guidance: with the
    same prompt, model and size they give the same image on the same machine.
    """

    png: bytes
    prompt: str
    model: str
    width: int
    height: int
    seed: int
    steps: int
    guidance: float

    def __init__(self, image: Image, prompt: str, model: str) -> None:
        self.png = base64.b64decode(image.png)
        self.prompt, self.model = prompt, model
        self.width, self.height = image.width, image.height
        self.seed, self.steps, self.guidance = image.seed, image.num_inference_steps, image.guidance_scale

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write the file, over one that is there; where it is. Raises OSError."""
        place = Path(path)
        place.write_bytes(self.png)
        return place

    def __repr__(self) -> str:
        return f"<Picture {self.width}x{self.height} of {self.prompt!r} by {self.model}, seed {self.seed}>"

    def _repr_png_(self) -> bytes:
        return self.png


def draw(
    prompt: str,
    *,
    model: str = "",
    negative_prompt: str = "",
    width: int | None = None,
    height: int | None = None,
    steps: int | None = None,
    guidance: float | None = None,
    seed: int | None = None,
    engine: str = "",
) -> Picture:
    """Have a model on this computer draw what the words say.

    >>> import abierto
    >>> abierto.draw("a red apple", model="echo", seed=1)
    <Picture 128x128 of 'a red apple' by echo, seed 1>

    Args:
        prompt: What shall be seen.
        model: A name from `abierto models`, or the path of a model's folder. Default: the setting `image_model`.
        negative_prompt: What shall not be seen.
        width: In pixels; default: what the model was trained for.
        height: As width.
        steps: How often noise is taken away, 1 to 200; default: what the model's makers use.
        guidance: How closely the prompt is followed, 0 to 50; default: what the model's makers use.
        seed: 0 to 2**32 - 2. The same seed gives the same image on the same machine; default: another one each time.
        engine: A name from `abierto doctor`; default: the first that reads the model.

    Returns:
        The image, as a `Picture` with `png`, `seed` and `save`.

    Raises:
        abierto.AbiertoError: With what happened and what to do next in its note. Nothing of the prompt is stored.
    """
    try:
        request = DrawRequest(
            prompt,
            negative_prompt,
            width=width,
            height=height,
            num_inference_steps=steps,
            guidance_scale=guidance,
            seed=seed,
            previews=False,
        )
        loaded = DRAW.get(name=model, engine=engine, task="draw")
        [image] = [event for event in loaded.run(request) if isinstance(event, Image)]
    except AbiertoError as error:
        raise worded(error) from error.__cause__
    return Picture(image, prompt, loaded.name)
