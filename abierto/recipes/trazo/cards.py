"""The card of the model, in both languages: text from `card.en.txt` and `card.es.txt`, numbers from the records."""

import json
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from abierto import locale
from abierto.formats import safetensors
from abierto.locale import text
from abierto.locale.numbers import decimal
from abierto.recipes.trazo import chain, provenance
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.networks import PARTS
from abierto.recipes.trazo.pictures import INDEX, DataSet
from abierto.recipes.trazo.settings import LANGUAGES

FILES = {"en": "README.md", "es": "README.es.md"}


def write(workshop: Workshop, data: DataSet, folder: Path) -> None:
    """Write both cards into the folder of the model."""
    records = chain.records(workshop.manifest)
    families = json.loads((workshop.place("data") / INDEX).read_text("utf-8"))["families"]
    for language in LANGUAGES:
        with locale.speaking(language):
            facts = _facts(workshop, data, records)
            facts["when"] = "" if (folder / "model_index.json").is_file() else text("card.when_published") + "\n\n"
            facts |= {"sets": _sets(families, data), "segments": _segments(records)}
        template = Path(__file__).with_name(f"card.{language}.txt").read_text("utf-8")
        (folder / FILES[language]).write_text(template.format_map(facts), "utf-8")


def _facts(workshop: Workshop, data: DataSet, records: list[dict[str, Any]]) -> dict[str, Any]:
    busy = sum(record["spent"]["processor_seconds"] for record in records)
    drawn = any(record["plan"]["stage"] == "denoiser" for record in records)
    processors = sorted({record["processor"]["model"] for record in records})
    graphics = sorted({record["processor"]["card"] for record in records if "card" in record["processor"]})
    return {
        **_networks(workshop, len(records)),
        "state": text("card.unjudged" if drawn else "card.untrained"),
        "drawings": len(data.used_for("train")),
        "judged": len(data.used_for("judge")),
        "concepts": len({data.drawings[place].concept for place in data.used_for("train")}),
        "size": workshop.settings.data.size,
        "variants": workshop.settings.data.variants,
        "tokens": workshop.settings.words.tokens,
        "count": len(records),
        "planned": len(workshop.settings.plans),
        "minutes": decimal(busy / 60),
        "energy": decimal(provenance.spent(busy)["watt_hours_estimated"]),
        "processors": "; ".join(processors),
        "cards": "; ".join(graphics) or text("card.no_graphics"),
        "data": data.digest,
        "last": records[-1]["sha256"],
    }


def _networks(workshop: Workshop, number: int) -> dict[str, Any]:
    """Shapes from the settings, millions of parameters from the files of the last checkpoint."""
    shapes, folder = workshop.settings.networks, workshop.checkpoint(number)
    headers = {part: safetensors.read_header(folder / f"{part}.safetensors") for part in PARTS}
    sizes = {part: sum(prod(one.shape) for one in found.values()) / 1e6 for part, found in headers.items()}
    return {
        "channels": shapes.latent_channels,
        "layers": shapes.text_layers,
        "width": shapes.text_width,
        "widths": ", ".join(map(str, shapes.unet_channels)),
        "vocabulary": workshop.settings.words.vocabulary,
        "parameters": decimal(sum(sizes.values())),
        **{part: decimal(size) for part, size in sizes.items()},
    }


def _sets(families: list[dict[str, Any]], data: DataSet) -> str:
    counts = Counter(drawing.family for drawing in data.drawings)
    uses = {drawing.family: drawing.use for drawing in data.drawings}
    rows = []
    for one in families:
        use, title = text(f"card.use.{uses[one['family']]}"), f"{one['title']} (`{one['source']}`)"
        rows.append(_row(title, one["author"], one["license"], counts[one["family"]], use))
    return "\n".join(rows)


def _segments(records: list[dict[str, Any]]) -> str:
    rows = []
    for record in records:
        plan, loss = record["plan"], [decimal(value, 3) for value in record["loss"]]
        stage, minutes = text(f"card.stage.{plan['stage']}"), decimal(record["spent"]["processor_seconds"] / 60)
        seen = plan["steps"] * plan["batch"]
        rows.append(_row(record["number"], stage, plan["steps"], seen, loss[0], loss[-1], minutes))
    return "\n".join(rows)


def _row(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
