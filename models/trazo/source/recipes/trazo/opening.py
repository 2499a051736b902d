# SPDX-License-Identifier: Apache-2.0
"""Puts beside the model what makes it open to whoever has no more than its folder, and declares where each part is.

source/     the program text of the recipe and of the engine, and the packages that the training had
data/       where the drawings and words are fetched, with SHA-256 and licence: training.json, evaluation.json
LICENSE     of weights and code · LICENSES/ all licences that the folder's own files are under
mof.yaml    the components of the Model Openness Framework, with place and licence of each

Nothing is declared that is not there, so that an unfinished model claims no more than it has.
"""

import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from abierto import __version__
from abierto.catalog.openness.mot_yaml import FRAMEWORK
from abierto.catalog.openness.terms import UNLICENSED
from abierto.recipes.trazo import chain, provenance
from abierto.recipes.trazo.chain import Workshop
from abierto.recipes.trazo.packages import REGISTRY
from abierto.recipes.trazo.pictures import INDEX, DataSet
from abierto.recipes.trazo.settings import Source

LICENSE = "Apache-2.0"  # of weights and code: approved for both, and it grants patents
DECLARATION = "mof.yaml"
TRAINING, EVALUATION = "data/training.json", "data/evaluation.json"
_RECIPE = Path(__file__).parent
_PACKAGE = _RECIPE.parent.parent
# What draws with the model, below the package.
_ENGINE = ("engines/starter.py", "engines/_starter_networks.py", "engines/_starter_schedule.py",
           "formats/diffusers_folder.py")  # fmt: skip
_MARK = f"# SPDX-License-Identifier: {LICENSE}\n"
# Sources that are no drawings: the licence and the author, which the archives of drawings state themselves.
_WORDS = {"names": ("MIT", "Miles Johnson"), "keywords": ("Unicode-3.0", "Unicode, Inc.")}
_README = """# The program text that made this model

The recipe of Abierto {version} as it was when this folder was written, with the parts of its engine that draw. Each
file has one more line than in the package, the first, which names its licence. They lie as they do below the package
`abierto` of that version, and run there.

`abierto rebuild` replays a segment and compares. The records name the code of a segment by one SHA-256 over its source
files (`provenance.py` says which); of the files here, without their first line, it is

    {code}

{agrees}
"""


def write(workshop: Workshop, data: DataSet, folder: Path) -> None:
    """Write all of it into the folder of the model, and declare what is there. Raises OSError."""
    records = chain.records(workshop.manifest)
    _source(records, folder / "source")
    shutil.copytree(_RECIPE / "licenses", folder / "LICENSES", dirs_exist_ok=True)
    shutil.copyfile(_RECIPE / "licenses" / f"{LICENSE}.txt", folder / "LICENSE")
    _data(workshop, data, folder)
    declare(workshop, folder)


def declare(workshop: Workshop, folder: Path) -> None:
    """Write `mof.yaml` alone: for whoever added an evaluation or a report to the folder."""
    import yaml

    records = chain.records(workshop.manifest)
    shared = (("distribution", LICENSE), ("code", LICENSE), ("document", "CC-BY-4.0"))
    release = {
        "name": workshop.settings.name,
        "version": records[-1]["sha256"][:12],
        "type": "image",
        "architecture": "diffusion",
        "origin": "",
        "producer": "The Abierto maintainers",
        "contact": "",
        "repository": "",
        "huggingface": "",
        "license": {scope: {"name": name, "path": f"LICENSES/{name}.txt"} for scope, name in shared},
        "components": _components(folder),
    }
    body = {"framework": FRAMEWORK, "release": release}
    (folder / DECLARATION).write_text(yaml.safe_dump(body, sort_keys=False, allow_unicode=True, width=120), "utf-8")


def _components(folder: Path) -> list[dict[str, str]]:
    found: dict[str, dict[str, str]] = {}
    for one in tomllib.loads((_RECIPE / "components.toml").read_text("utf-8"))["components"]:
        path = next((path for path in one["paths"] if (folder / path).exists()), "")
        if not path or one["name"] in found or not (folder / one.get("only_with", path)).exists():
            continue
        license_ = _license_of(folder, one["license"])
        entry = {"name": one["name"], "description": one["description"], "license": license_, "component_path": path}
        text = f"LICENSES/{license_}.txt"
        found[one["name"]] = {**entry, "license_path": text} if (folder / text).is_file() else entry
    return list(found.values())


def _license_of(folder: Path, stated: str) -> str:
    if not stated.startswith("data/"):
        return stated
    sources = json.loads((folder / stated).read_text("utf-8"))["sources"]
    return " AND ".join(sorted({source["license"] for source in sources})) or UNLICENSED


def _source(records: list[dict[str, Any]], folder: Path) -> None:
    shutil.rmtree(folder / "recipes", ignore_errors=True)
    texts = [path for path in sorted(_RECIPE.rglob("*")) if path.suffix in (".py", ".toml", ".txt")]
    for path in (*texts, *(_PACKAGE / name for name in _ENGINE)):
        target = folder / path.relative_to(_PACKAGE)
        target.parent.mkdir(parents=True, exist_ok=True)
        mark = "" if path.suffix == ".txt" else _MARK
        target.write_text(mark + path.read_text("utf-8"), "utf-8", newline="\n")
    versions = records[-1]["packages"]
    lines = [f"# Python {versions['python']}", *(f"{name}=={versions[name]}" for name in versions if name != "python")]
    (folder / "requirements.txt").write_text(_MARK + "\n".join(lines) + "\n", "utf-8")
    (folder / "README.md").write_text(_readme(records), "utf-8")


def _readme(records: list[dict[str, Any]]) -> str:
    code = provenance.code_hash()
    others = [str(record["number"]) for record in records if record["code"] != code]
    agrees = "which all segments name."
    if others:
        agrees = (
            f"which these segments do not name, since they were trained with an earlier version: {', '.join(others)}."
        )
    return _README.format(version=__version__, code=code, agrees=agrees)


def _data(workshop: Workshop, data: DataSet, folder: Path) -> None:
    index = json.loads((workshop.place("data") / INDEX).read_text("utf-8"))
    families = {family["source"]: family for family in index["families"]}
    made = {"sha256": data.digest, "settings": "source/recipes/trazo/trazo.toml"}
    (folder / "data").mkdir(exist_ok=True)
    for name, use in ((TRAINING, "train"), (EVALUATION, "judge")):
        used = [source for source in workshop.settings.sources if source.use == use or source.use in _WORDS]
        (folder / name).unlink(missing_ok=True)
        if any(source.use == use for source in used):
            body = {**made, "drawings": len(data.used_for(use)), "sources": [_told(one, families) for one in used]}
            (folder / name).write_text(json.dumps(body, ensure_ascii=False, indent=1) + "\n", "utf-8")


def _told(source: Source, families: dict[str, Any]) -> dict[str, str]:
    family = families.get(f"{source.package}@{source.version}", {})
    license_, author = _WORDS.get(source.use) or (family["license"], family["author"])
    return {
        "package": source.package,
        "version": source.version,
        "use": source.use,
        "address": f"{REGISTRY}/{source.package}/-/{source.filename}",
        "sha256": source.sha256,
        "license": license_,
        "author": author,
    }
