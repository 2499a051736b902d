"""Models on this disk that no pull of ours brought: those of other programs, and of the folders in the settings.

The order of this file is the order in which a name is looked for. It says what is there, not whether it can be used.
"""

import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from abierto.config import Places
from abierto.store import hub_models, lm_studio, model_folder, ollama
from abierto.store.foreign import ForeignModel
from abierto.store.records import Record

OWNERS = (ollama.OWNER, lm_studio.OWNER, hub_models.OWNER, model_folder.OWNER)


def all_models(places: Places) -> Iterator[ForeignModel]:
    """All of them."""
    for folder in places.ollama:
        yield from ollama.models(folder)
    for home in places.lm_studio:
        yield from lm_studio.models(home)
    for cache in places.hub:
        yield from hub_models.models(cache)
    for folder in places.folders:
        yield from model_folder.models(folder)


def not_pulled(places: Places, pulled: Iterable[Record]) -> list[ForeignModel]:
    """All but those whose file a pulled model is made of."""
    ours = {os.path.realpath(file.path) for record in pulled for file in record.files}
    return [
        model for model in all_models(places) if not any(os.path.realpath(file.path) in ours for file in model.files)
    ]


def named(places: Places, name: str) -> list[ForeignModel]:
    """Those that a person may mean by a name, in the order of precedence, each file once."""
    found: dict[Path, ForeignModel] = {}
    for model in _named(places, name):
        found.setdefault(model.files[0].path if model.files else model.place, model)
    return list(found.values())


def with_content(places: Places, sha256: str) -> ForeignModel | None:
    """The first whose one file is of this content, as its program says."""
    for model in all_models(places):
        if len(model.files) == 1 and model.files[0].sha256 == sha256:
            return model
    return None


def _named(places: Places, name: str) -> Iterator[ForeignModel]:
    for folder in places.ollama:
        yield from ollama.named(folder, name)
    # Names in these two always have the name of a maker in front, which saves a look at each file.
    if "/" in name:
        for home in places.lm_studio:
            yield from (model for model in lm_studio.models(home) if model.answers_to(name))
        for cache in places.hub:
            yield from hub_models.named(cache, name)
    for folder in places.folders:
        yield from (model for model in model_folder.models(folder) if model.answers_to(name))
