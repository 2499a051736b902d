"""The engines that a person chose for models of the server, kept from one server to the next in one small file."""

import json
import os
from collections.abc import Mapping
from pathlib import Path

from abierto import config, engines
from abierto.runtime.choice import AUTO

FILE_NAME = "engines.json"


def read() -> dict[str, str]:
    """The engine of each model; empty where none was chosen, or the file is not what it was."""
    try:
        found = json.loads(_path().read_text("utf-8"))
        return {name: engine for name, engine in found.items() if engine in engines.ENGINES}
    except (OSError, ValueError, AttributeError, TypeError):
        return {}


def keep(chosen: Mapping[str, str]) -> None:
    """Write them, over what was there. `auto` is no choice. Raises OSError."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps({name: engine for name, engine in chosen.items() if engine != AUTO}, indent=1), "utf-8")
    fresh.replace(path)


def _path() -> Path:
    return config.folders().data / FILE_NAME
