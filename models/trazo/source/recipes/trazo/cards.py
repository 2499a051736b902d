# SPDX-License-Identifier: Apache-2.0
"""The cards of the model and of its data, and the report, in both languages: text from `card.en.txt` and its like,
numbers from the records. What was measured of other weights than the last segment's is taken out of the folder."""

import json
from collections import Counter
from math import prod
from pathlib import Path
from typing import Any

from abierto import locale
from abierto.formats import safetensors
from abierto.locale import text
from abierto.locale.numbers import decimal
from abierto.recipes.trazo import chain, provenance, reports
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.evaluation import run
from abierto.recipes.trazo.networks import PARTS
from abierto.recipes.trazo.pictures import INDEX, DataSet
from abierto.recipes.trazo.settings import LANGUAGES

FILES = {"en": "README.md", "es": "README.es.md"}
DATA = {"en": "DATA.md", "es": "DATA.es.md"}
REPORTS = {"en": "REPORT.md", "es": "REPORT.es.md"}


def write(workshop: Workshop, data: DataSet, folder: Path) -> None:
    """Write them into the folder of the model; the report only where the last checkpoint was evaluated."""
    records = chain.records(workshop.manifest)
    families = json.loads((workshop.place("data") / INDEX).read_text("utf-8"))["families"]
    found = run.made(folder, records[-1]["sha256"])
    for name in () if found else (run.NUMBERS, run.GRID, *REPORTS.values()):
        (folder / name).unlink(missing_ok=True)
    for language in LANGUAGES:
        with locale.speaking(language):
            facts = _facts(workshop, data, records)
            facts["when"] = "" if (folder / "model_index.json").is_file() else text("card.when_published") + "\n\n"
            facts |= {"sets": _sets(families, data), "segments": _segments(records), "evaluation": ""}
            facts["house"] = _house(families, records)
            facts |= reports.of_data(data)
            if found:
                _told(folder, facts, found, data)
        _fill("card", facts, folder / FILES[language], language)
        _fill("data", facts, folder / DATA[language], language)


def _told(folder: Path, facts: dict[str, Any], found: dict[str, Any], data: DataSet) -> None:
    """Add what an evaluation found to the facts, and write the report, in the current language."""
    language, named = locale.current(), found["numbers"]["retrieval"]["label"]["all"]["top5"]
    facts |= reports.of_evaluation(found)
    if facts["state"] == text("card.unjudged"):
        facts["state"] = text("card.judged", named=reports.share(named), real=facts["real_top5"])
    tables = _filled("evaluation", facts, language)
    whole = {**facts, **reports.of_report(found, data), "evaluation": tables}
    _fill("report", whole, folder / REPORTS[language], language)
    facts["evaluation"] = f"## {text('card.evaluation')}\n\n{tables}\n{text('card.more', report=REPORTS[language])}\n\n"


def _fill(name: str, facts: dict[str, Any], target: Path, language: str) -> None:
    target.write_text(_filled(name, facts, language), "utf-8", newline="\n")


def _filled(name: str, facts: dict[str, Any], language: str) -> str:
    return Path(__file__).with_name(f"{name}.{language}.txt").read_text("utf-8").format_map(facts)


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
        rows.append(reports.row(title, one["author"], one["license"], counts[one["family"]], use))
    return "\n".join(rows)


def _house(families: list[dict[str, Any]], records: list[dict[str, Any]]) -> str:
    """What a prompt without words of style is drawn like, a sentence; nothing where it may be any."""
    titles = {one["family"]: one["title"] for one in families}
    plans = [record["plan"] for record in records if record["plan"]["stage"] == "denoiser"]
    house = plans[-1].get("house", "") if plans else ""
    return f" {text('card.house', style=titles[house])}" if house else ""


def _segments(records: list[dict[str, Any]]) -> str:
    rows = []
    for record in records:
        plan, loss = record["plan"], [decimal(value, 3) for value in record["loss"]]
        stage, minutes = text(f"card.stage.{plan['stage']}"), decimal(record["spent"]["processor_seconds"] / 60)
        seen = plan["steps"] * plan["batch"]
        rows.append(reports.row(record["number"], stage, plan["steps"], seen, loss[0], loss[-1], minutes))
    return "\n".join(rows)
