"""What is known of models that listen or draw before they are loaded, whether or not an engine reads their files."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from abierto.formats import diffusers_folder, footprint_images, footprint_whisper
from abierto.formats.footprint import Footprint

Work = Literal["images", "recordings"]
STEP = 64  # pixels by which a side is made smaller when another one is looked for


@dataclass(frozen=True, slots=True)
class Media:
    """work: what it makes or hears. size: bytes of the files; parts: of each part of a pipeline. width, height: pixels
    of an image, 0 for what draws none. needed: from another width and height to bytes; a model that listens has one
    answer. whole: whether more than the weights is known."""

    work: Work
    size: int
    needed: Callable[[int, int], Footprint]
    parts: Mapping[str, int] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    whole: bool = True

    def largest_side(self, room: int) -> int:
        """The side of the largest square image, in pixels, that fits into `room` bytes and is no larger than what was
        asked for; 0 where none fits, or none is drawn."""
        side = min(self.width, self.height) // STEP * STEP
        while side and self.needed(side, side).total > room:
            side -= STEP
        return side


def of(path: str, width: int, height: int, together: int) -> Media | None:
    """What the folder with this file, or this folder, says. width, height: 0 for what is usual. together: images or
    recordings at once.

    Raises FileMissing, CorruptFile.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    main = diffusers_folder.main_file(folder)
    pipeline = footprint_images.read(main) if main else None
    if pipeline:
        size = (width or footprint_images.USUAL_SIDE, height or footprint_images.USUAL_SIDE)
        drawn = partial(pipeline.footprint, images=together)
        return Media("images", pipeline.size, drawn, pipeline.parts, *size, whole=pipeline.known)
    whisper = footprint_whisper.read(folder)
    if whisper is None:
        return None
    return Media("recordings", whisper.size, lambda _wide, _high: whisper.footprint(together))
