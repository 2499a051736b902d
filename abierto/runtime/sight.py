"""Images for a model: read from files of the person's own, and checked before an engine sees them.

It knows what a request may hold. What an engine makes of an image is the engine's.
"""

import os
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from abierto import catalog
from abierto.errors import FileMissing, ModelCannotSee, NotAnImage, TooManyImages, UsageFault
from abierto.formats import images, projector
from abierto.formats.detect import detect
from abierto.formats.gguf import read_header
from abierto.runtime.resolve import Target
from abierto.store import records
from abierto.tasks.chat import ChatRequest

FEATURE = "images"
# Most models make at least 256 tokens of an image, so that these fill the usual context of 8,192 tokens.
MAX_IMAGES = 32
# llama-server takes in 100 MiB at most, and an image in base64 is a third larger than its file.
MAX_TOTAL_BYTES = 64 << 20
Image = bytes | bytearray | str | os.PathLike[str]


def read(path: str | os.PathLike[str]) -> bytes:
    """The image in a file, checked. Raises FileMissing, NotAnImage, BadImage."""
    place = Path(path).expanduser()
    found = detect(place)
    if found in ("folder", "special"):
        raise NotAnImage(str(path), found)
    try:
        with place.open("rb") as file:
            # One byte more than may be, so that too large a file is seen as such, and never read whole.
            data = file.read(images.MAX_BYTES + 1)
    except OSError as error:
        raise FileMissing(str(path)) from error
    images.examine(data, str(path))
    return data


def gather(given: Image | Iterable[Image]) -> tuple[bytes, ...]:
    """Images from paths, which are read, and from bytes, which are taken as they are. Raises what `read` raises."""
    if isinstance(given, bytes | bytearray | str | os.PathLike):
        given = (given,)
    return tuple(bytes(image) if isinstance(image, bytes | bytearray) else read(image) for image in given)


def check(request: ChatRequest, target: Target, engine: str, features: frozenset[str]) -> None:
    """Refuse what may not go to this engine. Raises ModelCannotSee, TooManyImages, NotAnImage, BadImage."""
    given = [image for message in request.messages for image in message.images]
    if not given:
        return
    require(target, engine, features)
    total = sum(map(len, given))
    if len(given) > MAX_IMAGES or total > MAX_TOTAL_BYTES:
        raise TooManyImages(len(given), MAX_IMAGES, total, MAX_TOTAL_BYTES)
    for number, image in enumerate(given, 1):
        images.examine(image, str(number))


def require(target: Target, engine: str, features: frozenset[str]) -> None:
    """Raise ModelCannotSee, with what to do, for a model that cannot."""
    if FEATURE not in features:
        raise ModelCannotSee(target.name, engine, _reason(target), able())


def able() -> list[str]:
    """The cards of models that see and can be fetched, the smallest download first."""
    seeing = [card for card in catalog.cards().values() if card.projectors]
    sizes = {
        card.name: min((form.size or 1 << 60 for form in card.weights.values()), default=1 << 60) for card in seeing
    }
    return sorted(sizes, key=lambda name: sizes[name])[:3]


def with_projector(target: Target, asked: str, models: Path) -> Target:
    """The model with the file that it sees with, if there is one: the one that is asked for, the one that is known with
    the model, the one that was pulled with it, or the only one beside it that fits.

    Raises FileMissing, NotAProjector, ProjectorMismatch, the errors of a file that is not what it should be, and
    UsageFault for a model that has no use for one.
    """
    if asked and target.format != "gguf":
        raise UsageFault("no_projector", {"model": target.name})
    path = str(Path(asked).expanduser().absolute()) if asked else target.projector or _known(target, models)
    if target.format != "gguf" or not path:
        return target
    if not Path(path).is_file():
        raise FileMissing(path)
    model = read_header(target.files[0])
    projector.refuse(model, target.files[0])
    projector.check(model, target.files[0], path)
    return replace(target, projector=path)


def _known(target: Target, models: Path) -> str:
    record = records.get(models, target.record) if target.record else None
    if record and record.projector:
        return str(record.projector.path)
    if record and not record.source.startswith("file:"):
        return ""
    return projector.beside(target.files[0]) if target.format == "gguf" else ""


def size_of(target: Target) -> int:
    """The bytes of the projector, which lie in memory beside the model."""
    return Path(target.projector).stat().st_size if target.projector else 0


def _reason(target: Target) -> str:
    if target.projector:
        return "engine"
    return "projector_missing" if target.card and target.card.projectors else "blind"
