"""What is known of models that listen, speak or draw before they are loaded, whether or not an engine reads
their files.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from abierto.formats import diffusers_folder, footprint_images, footprint_voice, footprint_whisper, voice_graph
from abierto.formats.detect import detect
from abierto.formats.footprint import Footprint
from abierto.formats.footprint_images import Pipeline
from abierto.formats.footprint_voice import Voice

Work = Literal["images", "recordings", "speech"]
PIXELS = 64  # by which a side is made smaller when another one is looked for


@dataclass(frozen=True, slots=True)
class Asked:
    """What a model is to make at once. width, height: pixels of an image; seconds: of speech; 0 for what is usual.
    together: images, recordings or texts."""

    width: int = 0
    height: int = 0
    seconds: int = 0
    together: int = 1


@dataclass(frozen=True, slots=True)
class Media:
    """work: what it makes or hears. format: of its files; size: bytes of them; parts: of each part of a pipeline.
    footprint: what it takes for what was asked. width, height: pixels of an image; seconds: of speech; 0 for what makes
    none. shorter: from the side of a square image, or from seconds, to bytes. whole: whether more than the weights is
    known."""

    work: Work
    format: str
    size: int
    footprint: Footprint
    shorter: Callable[[int], Footprint] | None = None
    parts: Mapping[str, int] = field(default_factory=dict)
    width: int = 0
    height: int = 0
    seconds: int = 0
    whole: bool = True

    def largest_side(self, room: int) -> int:
        """The side of the largest square image, in pixels, that fits into `room` bytes and is no larger than what was
        asked for; 0 where none fits, or none is drawn."""
        return self._largest(min(self.width, self.height), PIXELS, room)

    def longest(self, room: int) -> int:
        """The same for seconds of speech."""
        return self._largest(self.seconds, 1, room)

    def _largest(self, asked: int, step: int, room: int) -> int:
        if self.shorter is None:
            return 0
        fitting = (size for size in range(asked // step * step, 0, -step) if self.shorter(size).total <= room)
        return next(fitting, 0)


def of(path: str, asked: Asked) -> Media | None:
    """What the folder with this file, or this folder, says, or the file itself.

    Raises FileMissing, CorruptFile.
    """
    place = Path(path)
    folder = place if place.is_dir() else place.parent
    main = diffusers_folder.main_file(folder)
    pipeline = footprint_images.read(main) if main else None
    if pipeline:
        return _of_pipeline(pipeline, asked)
    model = _onnx(place)
    voice = voice_graph.read(model) if model else None
    if model and voice:
        return of_voice(voice, model.stat().st_size, asked)
    whisper = footprint_whisper.read(folder)
    if whisper is None:
        return None
    return Media("recordings", "ctranslate2", whisper.size, whisper.footprint(asked.together))


def _of_pipeline(pipeline: Pipeline, asked: Asked) -> Media:
    width, height = (side or footprint_images.USUAL_SIDE for side in (asked.width, asked.height))
    return Media(
        "images",
        "diffusers",
        pipeline.size,
        pipeline.footprint(width, height, asked.together),
        lambda side: pipeline.footprint(side, side, asked.together),
        pipeline.parts,
        width=width,
        height=height,
        whole=pipeline.known,
    )


def of_voice(voice: Voice, size: int, asked: Asked) -> Media:
    """What a voice takes whose file has so many bytes."""
    seconds = asked.seconds or footprint_voice.USUAL_SECONDS
    return Media(
        "speech",
        "onnx",
        size,
        voice.footprint(size, seconds, asked.together),
        lambda shorter: voice.footprint(size, shorter, asked.together),
        seconds=seconds,
    )


def _onnx(place: Path) -> Path | None:
    """The file itself, or the only one of ONNX in the folder."""
    files = [place] if place.is_file() else sorted(place.glob("*.onnx"))
    return files[0] if len(files) == 1 and detect(files[0]) == "onnx" else None
