# SPDX-License-Identifier: Apache-2.0
"""The data set: every drawing that is kept, rasterised, with what it shows and whom it is by.

drawings.npy     [drawing, size, size, 4] uint8: red, green, blue, opacity, not multiplied
drawings.json    in the same order: family, icon, concept; the concepts; the families with author and licence
ATTRIBUTION.md   the same in words, as CC-BY asks for
"""

import json
from collections import Counter
from collections.abc import Generator
from dataclasses import asdict, dataclass
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from abierto.formats.faults import corrupt
from abierto.recipes.trazo import concepts as naming
from abierto.recipes.trazo import families, hashes
from abierto.recipes.trazo.attribution import attribution
from abierto.recipes.trazo.concepts import Concept
from abierto.recipes.trazo.families import Family, Icon
from abierto.recipes.trazo.hashes import sha256_of
from abierto.recipes.trazo.settings import LANGUAGES, Settings, digest
from abierto.recipes.trazo.steps import Progress
from abierto.store import disk

if TYPE_CHECKING:
    from numpy.typing import NDArray

PIXELS, INDEX, THANKS = "drawings.npy", "drawings.json", "ATTRIBUTION.md"
_SHORT = 2  # words of a name, at most


@dataclass(frozen=True, slots=True)
class Drawing:
    """One picture of the data set: the family and the name there, what it shows, and what it is used for."""

    family: str
    icon: str
    concept: str
    use: str


@dataclass(frozen=True, slots=True)
class DataSet:
    """pixels: a memory-mapped file, [drawing, size, size, 4]. digest: of all that it consists of."""

    pixels: "NDArray[np.uint8]"
    drawings: list[Drawing]
    concepts: dict[str, Concept]
    digest: str

    def used_for(self, use: str) -> list[int]:
        """The places of the drawings for this use."""
        return [place for place, drawing in enumerate(self.drawings) if drawing.use == use]

    def everyday(self) -> set[str]:
        """The keys of things that all or all but one of the model's sets draw, with short names in both languages."""
        drawn = Counter(self.drawings[place].concept for place in self.used_for("train"))
        most = max(drawn.values())
        return {key for key, times in drawn.items() if times >= most - 1 and _short(self.concepts[key])}


def build(settings: Settings, archives: Path, folder: Path) -> Generator[Progress, None, DataSet]:
    """Make the data set, or open the one that is there and was made under the same settings.

    Raises FileMissing, CorruptFile, LicenseLeftOut, NotEnoughDisk, FolderNotWritable.
    """
    made_under = digest(settings, "data") + digest(settings, "sources")
    if (folder / INDEX).is_file() and json.loads((folder / INDEX).read_text("utf-8"))["made_under"] == made_under:
        return open_set(folder)
    concepts = naming.read(settings, archives)
    sets = families.read(settings, archives)
    names = families.names_of_concepts(sets, concepts)
    thanked = [families.family(settings, source, body[0]) for source, body in sets]
    icons = [(one, icon) for one, (_, body) in zip(thanked, sets, strict=True)
             for icon in families.icons_of(body, concepts, names)]  # fmt: skip
    size = settings.data.size
    with disk.writing(folder, len(icons) * size * size * 4):
        folder.mkdir(parents=True, exist_ok=True)
        growing = folder / f"{PIXELS}.part"
        pixels = np.lib.format.open_memmap(growing, "w+", np.uint8, (len(icons), size, size, 4))
        for place, (_, icon) in enumerate(icons):
            pixels[place] = rasterised(icon, size)
            yield Progress("draw", place + 1, len(icons))
        pixels.flush()
        disk.replace(growing, folder / PIXELS)
        (folder / THANKS).write_text(attribution(thanked, icons), "utf-8")
        _write_index(folder, made_under, concepts, thanked, icons)
    return open_set(folder)


def open_set(folder: Path) -> DataSet:
    """The data set that lies in a folder. Raises OSError where none does."""
    body = json.loads((folder / INDEX).read_text("utf-8"))
    pixels = np.load(folder / PIXELS, mmap_mode="r")
    drawings = [Drawing(**one) for one in body["drawings"]]
    concepts = {one["key"]: Concept(**one) for one in body["concepts"]}
    return DataSet(pixels, drawings, concepts, body["digest"])


def rasterised(icon: Icon, size: int) -> "NDArray[np.uint8]":
    """The pixels of a drawing, in the middle of a square. Raises CorruptFile."""
    import resvg_py
    from PIL import Image

    try:
        png = resvg_py.svg_to_bytes(svg_string=icon.svg, width=size, height=size, skip_system_fonts=True)
    except ValueError:
        raise corrupt(icon.name, "image_undecodable") from None
    with Image.open(BytesIO(bytes(png))) as opened:
        image = opened.convert("RGBA")
    square = Image.new("RGBA", (size, size))
    square.paste(image, ((size - image.width) // 2, (size - image.height) // 2))
    return np.asarray(square)


def _write_index(
    folder: Path, made_under: str, concepts: dict[str, Concept], thanked: list[Family], icons: list[tuple[Family, Icon]]
) -> None:
    shown = {icon.concept for _, icon in icons}
    body = {
        "made_under": made_under,
        "families": [
            {**asdict(one), "source": f"{one.source.package}@{one.source.version}", "family": one.source.family}
            for one in thanked
        ],
        "concepts": [asdict(concept) for key, concept in concepts.items() if key in shown],
        "drawings": [
            asdict(Drawing(one.source.family, icon.name, icon.concept, one.source.use)) for one, icon in icons
        ],
        "pixels": sha256_of(folder / PIXELS),
    }
    written = json.dumps({**body, "digest": hashes.digest(body)}, ensure_ascii=False, indent=1)
    growing = folder / f"{INDEX}.part"
    growing.write_text(written + "\n", "utf-8")
    disk.replace(growing, folder / INDEX)


def _short(concept: Concept) -> bool:
    return all(len(concept.labels[language].split()) <= _SHORT for language in LANGUAGES)
