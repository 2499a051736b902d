"""The drawing task: words go in, and images come out that show what the words say.

A session tells the steps as Progress, what can be seen so far as ImagePreview, each image as Image, and at last Usage
and Finish. The pipeline tag of model cards is `text-to-image`; the names are those of Diffusers.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from abierto.errors import EmptyPrompt, OptionOutOfRange

# What each number may be: lowest, highest. An engine may take less, and then says so.
RANGES: dict[str, tuple[float, float]] = {
    "width": (16, 4096),
    "height": (16, 4096),
    "num_inference_steps": (1, 200),
    "guidance_scale": (0.0, 50.0),
    "num_images_per_prompt": (1, 16),
    "seed": (0, 2**32 - 2),
}
SEEDS = 2**32 - 1
# No text encoder reads as much.
MOST_CHARACTERS = 32_000


@dataclass(frozen=True, slots=True)
class DrawRequest:
    """What to draw, and how. None leaves the choice to the model's card, and else to the engine.

    prompt: what shall be seen; negative_prompt: what shall not. width, height: in pixels. num_inference_steps: how
    often noise is taken away, 1 to 200. guidance_scale: how closely the prompt is followed, 0 to 50; with 1 and less
    the model does not look a second time, without the prompt. num_images_per_prompt: 1 to 16. seed: 0 to 2**32 - 2, of
    the first image; the others have the numbers that follow it. previews: whether what can be seen so far is told with
    each step.
    """

    task: ClassVar[str] = "draw"
    needs: ClassVar[frozenset[str]] = frozenset()

    prompt: str
    negative_prompt: str = ""
    width: int | None = None
    height: int | None = None
    num_inference_steps: int | None = None
    guidance_scale: float | None = None
    num_images_per_prompt: int = 1
    seed: int | None = None
    previews: bool = True

    def __post_init__(self) -> None:
        """Raise EmptyPrompt, and OptionOutOfRange for a number that has no meaning."""
        if not self.prompt.strip():
            raise EmptyPrompt()
        for option, (low, high) in RANGES.items():
            value = getattr(self, option)
            # Written so that NaN, which compares false with everything, is out of range too.
            if value is not None and not low <= value <= high:
                raise OptionOutOfRange(option, value, low, high)
        for option, words in (("prompt", self.prompt), ("negative_prompt", self.negative_prompt)):
            if len(words) > MOST_CHARACTERS:
                raise OptionOutOfRange(option, len(words), 0, MOST_CHARACTERS)

    def seeds(self, first: int) -> list[int]:
        """The seed of each image, where `first` is that of the first one."""
        return [(first + index) % SEEDS for index in range(self.num_images_per_prompt)]

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return asdict(self)

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "DrawRequest":
        """The request that `to_wire` wrote."""
        return cls(**body)
