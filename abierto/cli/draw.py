"""`abierto draw`: images of what words say, each into a PNG file that also tells how it was made."""

import base64
import re
import sys
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from abierto.cli import out
from abierto.cli.notices import claim_line
from abierto.cli.progress import ProgressLine
from abierto.cli.words import argument, command, option
from abierto.errors import FileInTheWay, FolderNotWritable, JournalUnavailable, ModelNotPulled, UsageFault
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.runtime.model import Model, load, write_runs
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image, Progress

STANDARD_OUTPUT = "-"
_SIZE = re.compile(r"(\d+)(?:[xX](\d+))?")
_LONGEST_NAME = 40  # characters of the prompt


@dataclass(frozen=True, slots=True)
class Drawn:
    """An image and the file that it is in."""

    file: str
    image: Image


@command("draw")
@argument("drawing")
@option("-m", "--model", says="image_model", default="", metavar="NAME")
@option("-e", "--engine", default="", metavar="NAME")
@option("-o", "--output", default="", metavar="FILE")
@option("--negative", default="", metavar="TEXT")
@option("--size", says="image_size", metavar="SIZE")
@option("--steps", "num_inference_steps", type=int, metavar="N")
@option("--guidance", "guidance_scale", type=float, metavar="N")
@option("--seed", says="image_seed", type=int, metavar="N")
@option("--count", "num_images_per_prompt", type=int, default=1, metavar="N")
@option("--json", "as_json", is_flag=True)
def draw(
    drawing: str, model: str, engine: str, output: str, negative: str, size: str | None, as_json: bool, **numbers: Any
) -> None:
    """Draw, and say where the files are."""
    width, height = sides(size)
    request = DrawRequest(drawing, negative, width=width, height=height, previews=False, **numbers)
    if output == STANDARD_OUTPUT and (request.num_images_per_prompt > 1 or as_json):
        raise UsageFault("one_image")
    if output and output != STANDARD_OUTPUT:
        _check(Path(output), request.num_images_per_prompt)
    with _open(model, engine) as loaded:
        for claim in loaded.claims:
            out.note(claim_line(claim))
        if loaded.engine == "echo" and not model:
            out.note(text("draw.echo"))
        drawn = _shown(loaded, request, output)
        if as_json:
            out.as_json(_told(loaded, drawn))
    for one in drawn if not as_json and output != STANDARD_OUTPUT else ():
        out.say(one.file)
    try:
        write_runs()  # takes a moment, for which nobody has to wait
    except JournalUnavailable as error:
        out.warn(error)


def sides(size: str | None) -> tuple[int | None, int | None]:
    """Width and height: of `128x96`, or of `128` for a square."""
    if size is None:
        return None, None
    found = _SIZE.fullmatch(size)
    if not found:
        raise UsageFault("bad_value", {"name": "--size", "value": size})
    return int(found[1]), int(found[2] or found[1])


def _open(model: str, engine: str) -> Model:
    open_it = partial(load, model, engine=engine, use="one_shot", task="draw")
    try:
        return open_it()
    except ModelNotPulled as missing:
        from abierto.cli.pull import offer

        offer(missing)
        return open_it()


def _shown(model: Model, request: DrawRequest, output: str) -> list[Drawn]:
    """Draw, and write each image as soon as it is there: those that are done stay when the rest is broken off."""
    drawn: list[Drawn] = []
    title = text("draw.title", model=model.name)
    with closing(model.run(request)) as events, ProgressLine(title, words=count, per_second=None) as line:
        for event in events:
            if isinstance(event, Progress):
                line.update(text("stage.steps"), event.done, event.total)
            elif isinstance(event, Image):
                drawn.append(Drawn(_written(event, request, output), event))
    return drawn


def _written(image: Image, request: DrawRequest, output: str) -> str:
    """Write an image where it belongs; the path. Raises FolderNotWritable."""
    data = base64.b64decode(image.png)
    if output == STANDARD_OUTPUT:
        sys.stdout.buffer.write(data)
        return output
    place = _place(Path(output), image.index, request.num_images_per_prompt) if output else _own(request, image)
    try:
        with place.open("xb") as file:
            file.write(data)
    except FileExistsError as error:
        raise FileInTheWay(str(place)) from error
    except OSError as error:
        raise FolderNotWritable(str(place.parent.absolute())) from error
    return str(place)


def _check(output: Path, images: int) -> None:
    """Raise FileInTheWay before anything is drawn in vain."""
    for index in range(images):
        if (place := _place(output, index, images)).exists():
            raise FileInTheWay(str(place))


def _place(output: Path, index: int, images: int) -> Path:
    return output if images == 1 else output.with_name(f"{output.stem}-{index + 1}{output.suffix}")


def _own(request: DrawRequest, image: Image) -> Path:
    """A name of the prompt's words and the seed, in the current folder, that no file has."""
    words = re.sub(r"[^\w]+", "-", request.prompt.lower())[:_LONGEST_NAME].strip("-_") or "image"
    place, number = Path(f"{words}-{image.seed}.png"), 1
    while place.exists():
        number += 1
        place = Path(f"{words}-{image.seed}-{number}.png")
    return place


def _told(model: Model, drawn: list[Drawn]) -> dict[str, Any]:
    images = [{"file": one.file, **{k: v for k, v in asdict(one.image).items() if k != "png"}} for one in drawn]
    stats = asdict(model.last) if model.last else None
    return {"model": model.name, "engine": model.engine, "images": images, "stats": stats}
