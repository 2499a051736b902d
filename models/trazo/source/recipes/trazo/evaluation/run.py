# SPDX-License-Identifier: Apache-2.0
"""The whole evaluation of the last checkpoint of a chain: from its pictures to the file of its numbers.

evaluation.json   settings, hashes, every number with its interval, and what the judges said of each picture
grid.png          pictures for random prompts, not chosen · curves.svg: the losses of the training
"""

import hashlib
import json
from collections.abc import Generator
from dataclasses import asdict
from importlib.metadata import version
from pathlib import Path
from time import process_time
from typing import Any

from abierto.errors import CheckpointMissing
from abierto.recipes.trazo import chain, hashes, provenance
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.evaluation import answers, drawing, measures, panel, sheet, styles
from abierto.recipes.trazo.evaluation.counts import Counts
from abierto.recipes.trazo.evaluation.panel import Panel
from abierto.recipes.trazo.evaluation.questions import Asker, Question
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.steps import Progress
from abierto.store import disk

NUMBERS, GRID, CURVES = "evaluation.json", "grid.png", "curves.svg"


def evaluate(
    workshop: Workshop, data: DataSet, folder: Path, counts: Counts | None = None
) -> Generator[Progress, None, dict[str, Any]]:
    """Evaluate, write the three files into a folder, and return the numbers. A stop costs one portion of pictures.

    Raises CheckpointMissing where nothing has been trained, NotEnoughDisk, FolderNotWritable.
    """
    counts = counts or Counts()
    records = chain.records(workshop.manifest)
    if not records:
        raise CheckpointMissing(1)
    began = process_time()
    questions = yield from Asker(workshop.settings, data, counts).questions()
    tokenizer = chain.open_vocabulary(workshop, data)
    trio = chain.begin(workshop, len(records), tokenizer)
    asked = [asdict(one) for one in questions]
    rests_on = {"checkpoint": records[-1]["to"], "questions": asked, "counts": asdict(counts)}
    key = hashes.digest({**rests_on, "code": hashes.sha256_of(Path(drawing.__file__))})
    drawn_here = process_time()
    pictures, busy = yield from drawing.drawn(
        workshop.settings, trio, tokenizer, questions, counts, workshop.place("evaluation", key[:16])
    )
    began += process_time() - drawn_here
    drawings = yield from panel.looked_at(workshop.settings, data)
    judges = yield from panel.assembled(drawings)
    pool = Asker(workshop.settings, data, counts).pool()
    real = yield from answers.real(workshop.settings, trio, judges, pool, counts.real)
    yield Progress("measure", 0, 1)
    seen = answers.seen(judges, pictures, [one.concept for one in questions])
    taken = measures.Measures(questions, seen, real, measures.reading(judges), counts.resamples)
    body = {
        **_about(workshop, data, counts, records, judges),
        "numbers": {**_numbers(taken, judges),
                    "styles": styles.measured(data, real, questions, pictures, counts.resamples)},
        "questions": [answers.record(one, seen, at, drawings) for at, one in enumerate(questions)],
        "spent": {"drawing": provenance.spent(busy), "judging": provenance.spent(process_time() - began),
                  "pictures": len(questions)},
    }  # fmt: skip
    _write(folder, {**body, "sha256": hashes.digest(body)}, questions, pictures, records)
    yield Progress("measure", 1, 1)
    return body


def made(folder: Path, last: str) -> dict[str, Any] | None:
    """The numbers in a folder, if they are of the checkpoint whose record has this hash; else none."""
    file = folder / NUMBERS
    if not file.is_file():
        return None
    found: dict[str, Any] = json.loads(file.read_text("utf-8"))
    return found if found["model"]["record"] == last else None


def _about(
    workshop: Workshop, data: DataSet, counts: Counts, records: list[dict[str, Any]], judges: Panel
) -> dict[str, Any]:
    """What the numbers depend on."""
    import torch

    return {
        "format": 1,
        "model": {"name": workshop.settings.name, "segments": len(records), "record": records[-1]["sha256"],
                  "checkpoint": records[-1]["to"]},
        "data": data.digest,
        "seed": workshop.settings.seed,
        "asked": asdict(counts),
        "judges": {
            "apart": {"sha256": judges.apart.sha256, "things": len(judges.apart.names)},
            "others": {group: judge.sha256 for group, judge in judges.others.items()},
            "things_of_others": len(next(iter(judges.others.values())).names),
        },
        "code": _code_hash(),
        "packages": {name: version(name) for name in provenance.PACKAGES},
        "processor": {**provenance.processor(), "threads": torch.get_num_threads()},
    }  # fmt: skip


def _numbers(taken: measures.Measures, judges: Panel) -> dict[str, Any]:
    return {
        "retrieval": taken.retrieval(),
        "ceiling": taken.ceiling(),
        "differences": taken.differences(),
        "colors": taken.colors(),
        "memory": taken.memory(judges.drawings, judges),
        "groups": taken.groups(judges.drawings),
    }


def _code_hash() -> str:
    """Of the evaluation's own source files; those of the recipe that it rests on have theirs in the records."""
    found = hashlib.sha256()
    for path in sorted(Path(__file__).parent.glob("*.py")):
        found.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return found.hexdigest()


def _write(folder: Path, body: dict[str, Any], questions: list[Question], pictures: Any, records: Any) -> None:
    files = {
        GRID: sheet.grid(questions, pictures, body["seed"]),
        CURVES: sheet.curves(records).encode(),
        NUMBERS: (json.dumps(body, ensure_ascii=False, indent=1) + "\n").encode(),
    }
    with disk.writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            growing = folder / f"{name}.part"
            growing.write_bytes(content)
            disk.replace(growing, folder / name)
