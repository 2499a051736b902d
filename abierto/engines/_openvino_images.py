"""Images for the OpenVINO engine: decoded, put in their places in the prompt, and counted in tokens.

How many tokens an image becomes depends on the model and on the image's size, and only the engine knows: it is asked
once for each size, with a black image. It knows no request and no session.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path
from typing import Any

from abierto.engines._openvino_batch import NAME, NATIVE, words
from abierto.errors import EngineFailed

EYES = "openvino_vision_embeddings_model.xml"
LARGEST = 100_000_000  # pixels; a header of a few bytes may claim any number, and each takes eight bytes here
# What the decoder raises for an image that cannot be one.
_UNREADABLE = (OSError, SyntaxError, *NATIVE)
_FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP")
# How the engine marks the places of images. In a person's words it is taken apart, because it would be obeyed.
_MARK = "<ov_genai_image_{}>"
_LOOKALIKE = re.compile(r"<(?=ov_genai_(?:image|video)_)")


def sees(folder: Path) -> bool:
    """Whether the model of a folder takes images, and they can be decoded here."""
    return (folder / EYES).is_file() and find_spec("PIL") is not None


def decoded(image: bytes) -> Any:
    """The image as the engine takes it: [1, height, width, 3], red, green and blue in 8 bits. Raises EngineFailed."""
    import numpy
    from openvino import Tensor
    from PIL import Image, ImageOps

    Image.MAX_IMAGE_PIXELS = None  # it would only warn, on the person's screen
    try:
        with Image.open(BytesIO(image), formats=_FORMATS) as opened:
            if opened.width * opened.height > LARGEST:
                raise ValueError(f"{opened.width} x {opened.height} pixels")
            # As it was held when it was taken; what is transparent becomes white, as on a page.
            whole = ImageOps.exif_transpose(opened).convert("RGBA")
        page = Image.new("RGBA", whole.size, "white")
        return Tensor(numpy.array(Image.alpha_composite(page, whole).convert("RGB"))[None])
    except _UNREADABLE as error:
        raise EngineFailed(NAME, words(error)) from error


def marked(content: str, first: int, count: int) -> str:
    """A message's text after the marks of its images, which are counted from `first` on through the conversation."""
    return "".join(_MARK.format(first + index) for index in range(count)) + _LOOKALIKE.sub("< ", content)


def unmarked(prompt: str, count: int) -> str:
    """The prompt without the marks of its images."""
    for index in range(count):
        prompt = prompt.replace(_MARK.format(index), "", 1)
    return prompt


@dataclass(frozen=True, slots=True)
class Sizes:
    """How many tokens images become, as far as that was asked. ask: has work done on the pipeline when it is idle."""

    genai: Any
    ask: Callable[[Callable[[Any], int]], int]
    known: dict[tuple[int, ...], int]

    def tokens(self, images: Sequence[Any]) -> int:
        """The tokens of these images. Raises EngineFailed, EngineCrashed."""
        shapes = [tuple(image.shape) for image in images]
        for shape in shapes:
            if shape not in self.known:
                self.known[shape] = self._measured([_MARK.format(0)], shape)
        return sum(self.known[shape] for shape in shapes)

    def _measured(self, prompts: list[str], shape: tuple[int, ...]) -> int:
        import numpy
        from openvino import Tensor

        black = Tensor(numpy.zeros(shape, dtype=numpy.uint8))
        config = self.genai.GenerationConfig(max_new_tokens=1, apply_chat_template=False)

        def work(pipeline: Any) -> int:
            [result] = pipeline.generate(prompts, images=[[black]], generation_config=[config])
            return int(result.perf_metrics.get_num_input_tokens())

        return self.ask(work)
