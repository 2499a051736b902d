"""Which engine answers, and how it is set: by what `tune` measured on this computer, for what a person is about to do.

It loads nothing. What was measured last for each model lies in one small file, because a database would stand between
a person and the first word; the journal keeps every measurement.
"""

import json
import os
import shutil
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from importlib.util import find_spec
from math import inf
from pathlib import Path
from typing import Any

from abierto import config, engines, machine
from abierto.config import Settings
from abierto.errors import NoEngineForFile
from abierto.runtime.resolve import Target

AUTO = "auto"
FILE_NAME = "tuned.json"
# What a person may be about to do. The first starts the model for one answer; the others find it loaded.
USES = ("one_shot", "one_user", "long_prompt", "many")
# Tokens of the prompt and of the answer by which uses are compared where nothing else is known.
_SHORT, _LONG, _ANSWER = 64, 1024, 128
# How much of what one person gets written repeats what is there already: a guess that lets repetition count a little;
# and of the answer to a prompt of so many tokens and more, which holds a text to be corrected, changed or summarised.
_REPEATED, _REPEATED_OF_TEXT, _TEXT = 1 / 8, 1 / 2, 256
# About so many make a token, where it is not worth counting.
CHARACTERS_PER_TOKEN = 4


@dataclass(frozen=True, slots=True)
class Variant:
    """An engine and how it is set. threads: 0 for the settings' own choice. settings: as in `LoadOptions`."""

    engine: str
    threads: int = 0
    settings: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Speeds:
    """What was measured. start: seconds until the model is loaded, when its file is in memory already.

    Tokens per second: prompt (until the first word of the answer), generation, repeating (an answer that repeats much
    of a long prompt), together (all answers of sixteen at once; 0 where that was not measured).
    """

    start: float
    prompt: float
    generation: float
    repeating: float
    together: float


@dataclass(frozen=True, slots=True)
class Measured:
    """A variant with its speeds. features: of its session, as in `Session`."""

    variant: Variant
    speeds: Speeds
    features: tuple[str, ...] = ()


def seconds(speeds: Speeds, use: str, prompt: int = 0) -> float:
    """How long a use takes with these speeds. prompt: its tokens; 0: what is usual for the use."""
    repeated = _REPEATED_OF_TEXT if prompt >= _TEXT else _REPEATED
    writing = _ANSWER * ((1 - repeated) / speeds.generation + repeated / speeds.repeating)
    match use:
        case "one_shot":
            return speeds.start + (prompt or _SHORT) / speeds.prompt + writing
        case "long_prompt":
            return (prompt or _LONG) / speeds.prompt + _SHORT / speeds.generation
        case "many":
            return _ANSWER / speeds.together if speeds.together else inf
        case _:
            return (prompt or _SHORT) / speeds.prompt + writing


def best(rows: Iterable[Measured], use: str, prompt: int = 0) -> list[Measured]:
    """The rows, the fastest for this use first."""
    return sorted(rows, key=lambda row: seconds(row.speeds, use, prompt))


def candidates(
    target: Target, engine: str, settings: Settings, use: str, needs: frozenset[str] = frozenset(), prompt: int = 0
) -> list[Variant]:
    """What to load the model with, in this order: by what was measured; what was not, as it comes.

    engine: a name, or `auto`. needs: features without which a measured variant is no choice.
    Raises UnknownEngine, and NoEngineForFile when no engine reads the format.
    """
    there = installed(target, engine, settings)
    rows = [row for row in measured(target) if needs <= set(row.features) and _is_there(row.variant, there)]
    if settings.threads:
        # What was measured without a number of its own had that of the setting, or had none to choose from.
        rows = [row for row in rows if row.variant.threads in (0, settings.threads)]
    return [row.variant for row in best(rows, use, prompt)] + there


def installed(target: Target, engine: str, settings: Settings) -> list[Variant]:
    """The engines on this computer that read the model's format, in order of preference, each without any option.

    Never empty: where none is installed, the first that would read it, which then says what to install.
    """
    able = engines.engines_for(target.format)
    if engine != AUTO:
        engines.check(engine)
        able = [name for name in able if name == engine]
    if not able:
        raise NoEngineForFile(target.files[0] if target.files else target.name, target.format)
    found: list[Variant] = []
    for name in able:
        package = engines.PACKAGES.get(name)
        program = settings.llama_server or shutil.which("llama-server") if name == "llamacpp" else None
        # Who names a program wants it; one that happens to be on the PATH stands behind the built-in one.
        if not (name == "llamacpp" and settings.llama_server) and (not package or find_spec(package)):
            found.append(Variant(name))
        if program:
            found.append(Variant(name, 0, {"llama_server": program}))
    return found or [Variant(able[0])]


def threads(variant: Variant, settings: Settings) -> int:
    """How many threads a variant is to compute with."""
    return variant.threads or settings.threads or machine.cores().physical


def engine_settings(variant: Variant, settings: Settings) -> dict[str, str]:
    """The settings of a variant's engine, with the folder for what it keeps, and what a person wants kept there."""
    kept = {"cache": str(config.folders().cache), "keep_compiled": "1" if settings.keep_compiled else ""}
    return {**kept, **variant.settings}


def measured(target: Target) -> list[Measured]:
    """What `tune` wrote for this very file, or nothing."""
    try:
        rows = _all()[identity(target)]["rows"]
        return [Measured(Variant(**row["variant"]), Speeds(**row["speeds"]), tuple(row["features"])) for row in rows]
    except (KeyError, TypeError, ValueError, OSError):
        return []


def keep(target: Target, rows: Iterable[Measured]) -> None:
    """Write what was measured for a model, over what was there. Raises OSError."""
    path = _path()
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        found = _all()
    found[identity(target)] = {"model": target.name, "rows": [_wire(row) for row in rows]}
    fresh = path.with_name(f"{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(found, indent=1), "utf-8")
    fresh.replace(path)


def forget() -> None:
    """Choose from now on as if nothing had been measured."""
    _path().unlink(missing_ok=True)


def identity(target: Target) -> str:
    """What tells this file from others without reading it, also from another one in the same place."""
    if not target.files:
        return target.name
    state = Path(target.files[0]).stat()
    return f"{target.files[0]}|{state.st_size}|{state.st_mtime_ns}"


def _is_there(variant: Variant, there: Iterable[Variant]) -> bool:
    program = variant.settings.get("llama_server")
    return any(variant.engine == other.engine and program == other.settings.get("llama_server") for other in there)


def _wire(row: Measured) -> dict[str, Any]:
    variant = {**asdict(row.variant), "settings": dict(row.variant.settings)}
    return {"variant": variant, "speeds": asdict(row.speeds), "features": list(row.features)}


def _all() -> dict[str, Any]:
    found = json.loads(_path().read_text("utf-8"))
    if not isinstance(found, dict):
        raise ValueError(FILE_NAME)
    return found


def _path() -> Path:
    return config.folders().data / FILE_NAME
