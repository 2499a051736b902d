"""A registry's archives with a few made-up drawings, and settings under which all of Trazo is trained in seconds."""

import gzip
import io
import json
import tarfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import Any

from abierto.recipes.trazo import chain, pictures
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import Data, Networks, Plan, Settings, Source, Words

# Code points, label and keywords in both languages, group and subgroup (emojibase's numbers), colour of the drawing.
THINGS: tuple[tuple[str, str, list[str], str, list[str], int, int, str], ...] = (
    ("1F34E", "red apple", ["fruit"], "manzana roja", ["fruta"], 0, 0, "#d22"),
    ("1F431", "cat face", ["cat", "pet"], "cara de gato", ["gato", "mascota"], 1, 1, "#fa3"),
    ("1F436", "dog face", ["dog", "pet"], "cara de perro", ["perro", "mascota"], 1, 1, "#a63"),
    ("1F30A", "water wave", ["sea"], "ola de mar", ["mar", "océano"], 2, 2, "#38d"),
    ("1F1EA-1F1F8", "flag: Spain", ["flag"], "bandera: España", ["bandera"], 3, 3, "#c11"),
)
GROUPS = ["food-drink", "animals-nature", "travel-places", "flags"]
SUBGROUPS = ["food-fruit", "animal-mammal", "sky-weather", "country-flag"]
PLAN = Plan(stage="autoencoder", steps=4, batch=2, rate=1e-3, warmup=2, average=0.9, threads=1)


def settings_of(folder: Path, *plans: Plan, license_id: str = "MIT", judge: bool = False) -> Settings:
    """Write the archives into a folder, and settings that name them. judge: with a set that is kept from the model."""
    folder.mkdir(parents=True, exist_ok=True)
    sources = (
        _source(folder, "@iconify-json/round", _set("circle", "MIT"), family="round", use="train"),
        _source(folder, "@iconify-json/square", _set("rect", license_id), family="square", use="train"),
        *([_source(folder, "@iconify-json/wide", _set("ellipse", "MIT"), family="wide", use="judge")] if judge else []),
        _source(folder, "emojibase-data", _names(), use="names"),
        _source(folder, "cldr-annotations-full", _annotations(), use="keywords"),
    )
    return Settings(
        name="tiny",
        seed=1,
        data=Data(size=8, variants=2, left_out_groups=("flags",), licenses=("MIT",), unseen_pairs=0.1),
        words=Words(vocabulary=640, tokens=12),
        networks=Networks(
            latent_channels=4, autoencoder_channels=8, encoder_blocks=(1, 1), decoder_blocks=(1, 1), text_width=16,
            text_layers=1, text_heads=2, unet_channels=(8, 16), unet_layers=1, unet_head=8, unet_groups=4,
        ),
        sources=sources,
        segments=plans or (PLAN, replace(PLAN, stage="words"), replace(PLAN, stage="denoiser", precision="bfloat16")),
    )  # fmt: skip


def data_of(workshop: Workshop) -> DataSet:
    """The data set of a workshop, made."""
    made: DataSet = finished(pictures.build(workshop.settings, workshop.place("archives"), workshop.place("data")))
    return made


def trained(workshop: Workshop) -> list[dict[str, Any]]:
    """Train every segment of the settings that is not done. Returns the records."""
    data = data_of(workshop)
    for plan in workshop.settings.plans[len(chain.records(workshop.manifest)) :]:
        finished(chain.extend(workshop, data, plan))
    return chain.records(workshop.manifest)


def finished(steps: Any) -> Any:
    """What a generator returns at its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def archive(files: dict[str, Any]) -> bytes:
    """A package as npm packs it; values become JSON."""
    out = io.BytesIO()
    with (  # without the time of day, which gzip would write down
        gzip.GzipFile(fileobj=out, mode="wb", mtime=0) as pressed,
        tarfile.open(fileobj=pressed, mode="w") as packed,
    ):
        for name, body in files.items():
            content = json.dumps(body, ensure_ascii=False).encode()
            entry = tarfile.TarInfo(f"package/{name}")
            entry.size = len(content)
            packed.addfile(entry, io.BytesIO(content))
    return out.getvalue()


def _source(folder: Path, package: str, files: dict[str, Any], **facts: str) -> Source:
    content = archive(files)
    styles = {"en": (facts["family"],), "es": (facts["family"],)} if "family" in facts else {}
    source = Source(package=package, version="1.0.0", sha256=sha256(content).hexdigest(), styles=styles, **facts)  # type: ignore[arg-type]
    (folder / source.local).write_bytes(content)
    return source


def _set(shape: str, license_id: str) -> dict[str, Any]:
    drawn = {
        "circle": '<circle cx="8" cy="8" r="7" fill="{}"/>',
        "rect": '<rect x="1" y="2" width="14" height="12" fill="{}"/>',
        "ellipse": '<ellipse cx="8" cy="8" rx="7" ry="5" fill="{}"/>',
    }[shape]
    named = {thing[1].casefold().replace(":", "").replace(" ", "-"): thing for thing in THINGS}
    icons = {name: {"body": drawn.format(thing[7])} for name, thing in named.items()}
    icons |= {"cat-face-dark-skin-tone": {"body": drawn.format("#000")}, "logo": {"body": drawn.format("#0f0")}}
    by = {"name": "Ana", "url": "https://example.org/ana"}
    terms = {"spdx": license_id, "url": "https://example.org/license"}
    return {
        "info.json": {"name": f"The {shape} set", "author": by, "license": terms},
        "icons.json": {"width": 16, "height": 16, "icons": icons, "aliases": {"kitten": {"parent": "cat-face"}}},
        "chars.json": {thing[0].lower(): name for name, thing in named.items()},
    }


def _names() -> dict[str, Any]:
    files: dict[str, Any] = {}
    for language, label, tags in (("en", 1, 2), ("es", 3, 4)):
        files[f"{language}/data.json"] = [
            {"hexcode": thing[0], "label": thing[label], "tags": thing[tags], "group": thing[5], "subgroup": thing[6],
             "order": place, "emoji": "".join(chr(int(code, 16)) for code in thing[0].split("-"))}
            for place, thing in enumerate(THINGS)
        ]  # fmt: skip
        files[f"{language}/messages.json"] = {
            "groups": [{"key": name, "message": f"{name} ({language})", "order": at} for at, name in enumerate(GROUPS)],
            "subgroups": [
                {"key": name, "message": f"{name} ({language})", "order": at} for at, name in enumerate(SUBGROUPS)
            ],
        }
    return files


def _annotations() -> dict[str, Any]:
    return {
        f"annotations/{language}/annotations.json": {"annotations": {"annotations": {"🐱": {"default": [word]}}}}
        for language, word in (("en", "kitty"), ("es", "minino"))
    }
