"""Images in a conversation: taken from files, kept by path and hash, and looked for again when it goes on.

The journal holds no copies of anybody's photographs. An image whose file is gone or has changed is told to the person,
and to the model by its name, so that nothing is lost in silence.
"""

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from abierto.errors import AbiertoError
from abierto.locale import text
from abierto.runtime import sight


@dataclass(frozen=True, slots=True)
class Picture:
    """An image. path: absolute. data: the whole file; None when it is no longer there as it was."""

    path: str
    sha256: str
    data: bytes | None = None

    @property
    def name(self) -> str:
        """Without the folders."""
        return Path(self.path).name

    def to_kept(self) -> dict[str, str]:
        """What the journal keeps of it."""
        return {"path": self.path, "sha256": self.sha256}


def take(path: str) -> Picture:
    """The image in a file. Raises FileMissing, NotAnImage, BadImage."""
    place = Path(path).expanduser().absolute()
    data = sight.read(place)
    return Picture(str(place), sha256(data).hexdigest(), data)


def take_typed(typed: str) -> list[Picture]:
    """The images that a line names: one path as it is, or several as a shell or a file manager writes them."""
    if Path(typed).expanduser().exists():
        return [take(typed)]
    try:
        paths = shlex.split(typed)
    except ValueError:
        paths = [typed]
    return [take(path) for path in paths]


def found_again(kept: Mapping[str, Any]) -> Picture:
    """An image that the journal kept, read again if its file is still the same."""
    picture = Picture(str(kept["path"]), str(kept["sha256"]))
    try:
        again = take(picture.path)
    except AbiertoError:
        return picture
    return again if again.sha256 == picture.sha256 else picture


def shown(pictures: tuple[Picture, ...], sees: bool) -> tuple[bytes, ...]:
    """The images that a model is shown. sees: whether it can see any."""
    return tuple(picture.data for picture in pictures if picture.data is not None) if sees else ()


def told(question: str, pictures: tuple[Picture, ...], sees: bool) -> str:
    """A question, and before it the names of its images that the model is not shown."""
    unseen = [text("chat.image.told", name=picture.name) for picture in pictures if not (sees and picture.data)]
    return "\n".join([*unseen, question])
