"""What the commands of the recipe share: the packages they need, the folder of the model, the progress."""

from collections.abc import Generator, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import abierto
from abierto.cli.progress import ProgressLine
from abierto.errors import FileMissing, PackageMissing
from abierto.locale import text
from abierto.locale.numbers import rate

if TYPE_CHECKING:
    from abierto.recipes.trazo.steps import Progress

NAME = "trazo"
Made = TypeVar("Made")


@contextmanager
def needs_training() -> Iterator[None]:
    """Around the imports: names the extra where a package of it is missing. Raises PackageMissing."""
    try:
        yield
    except ModuleNotFoundError as problem:
        raise PackageMissing(str(problem.name).partition(".")[0], "training") from None


def folder_of(chosen: str | None, must_exist: bool = False) -> Path:
    """The folder of the published model: the one that was named, else that of the clone. Raises FileMissing."""
    folder = Path(chosen) if chosen else Path(abierto.__file__).parent.parent / "models" / NAME
    if must_exist and not folder.is_dir():
        raise FileMissing(str(folder))
    return folder


# The stages that go through pictures, of which the speed is told.
_PICTURES = ("draw", "encode", "picture", "look", "return")


def shown(name: str, steps: "Generator[Progress, None, Made]") -> Made:
    """Go through the steps, and show how far they are; returns what they made."""
    stage = ""

    def fast(speed: float) -> str:
        return rate(speed, text("progress.pictures")) if stage in _PICTURES else ""

    with closing(steps), ProgressLine(name, words=str, per_second=fast) as line:
        while True:
            try:
                step = next(steps)
            except StopIteration as end:
                made: Made = end.value
                return made
            stage = step.stage
            line.update(text(f"stage.{step.stage}"), step.done, step.total)
