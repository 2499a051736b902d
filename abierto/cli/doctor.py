"""`abierto doctor`: what this computer has, what is installed, where data lies, and what does not work."""

import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import asdict
from importlib import metadata
from importlib.util import find_spec
from itertools import groupby
from pathlib import Path

from abierto import __version__, config, engines, machine
from abierto.cli import out
from abierto.cli.words import command, option
from abierto.errors import (
    AbiertoError,
    EngineBroken,
    FileMissing,
    FolderNotWritable,
    InvalidSetting,
    JournalUnavailable,
)
from abierto.graphics import Card
from abierto.locale import text
from abierto.locale.numbers import count, size
from abierto.store import elsewhere, kept, records
from abierto.store.foreign import ForeignModel

Row = tuple[str, str]


@command("doctor")
@option("--json", "as_json", is_flag=True)
@option("--measure", is_flag=True, says="measure")
def doctor(as_json: bool, measure: bool) -> None:
    """Show the facts, then what is wrong with them; the exit status is that of the first problem."""
    if measure:
        from abierto.cli.measuring import show

        show(as_json)
        return
    problems: list[AbiertoError] = []
    try:
        chosen = config.settings()
    except InvalidSetting as error:
        problems.append(error)
        chosen = config.Settings()
    rows = [*_versions(), *_computer(), *_engines(chosen), *_measured(), *_folders(chosen), *_settings(chosen)]
    problems += _problems(chosen)
    if as_json:
        facts: dict[str, object] = dict(rows)
        out.as_json({**facts, "problems": [{"code": problem.code, **problem.facts} for problem in problems]})
    else:
        for label, value in rows:
            out.say(f"{text(f'doctor.{label}') if not label.startswith('setting ') else label[8:]}: {value}")
        for problem in problems:
            out.error(problem)
        if not problems:
            out.say(text("doctor.well"))
    if problems:
        sys.exit(problems[0].exit_status)


def _versions() -> Iterator[Row]:
    yield "version", __version__
    yield "python", f"{platform.python_version()} ({sys.executable})"
    yield "system", platform.platform()


def _computer() -> Iterator[Row]:
    found = machine.describe()
    memory = machine.memory()
    yield (
        "processor",
        f"{found.processor} ({text('doctor.cores', physical=found.cores.physical, logical=found.cores.logical)})",
    )
    yield "instructions", ", ".join(found.instructions) or text("word.unknown")
    yield "memory", text("doctor.memory_value", available=size(memory.available), total=size(memory.total))
    yield "gpus", "; ".join(map(graphics_card, found.gpus)) or text("word.none")


def graphics_card(card: Card) -> str:
    """A graphics card with its memory, in words."""
    memory = {"total": size(card.memory), "free": size(card.free)}
    word = "unified" if card.unified else "free" if card.free else "memory"
    return text(f"doctor.gpu_{word}", name=card.name, **memory)


def _engines(chosen: config.Settings) -> Iterator[Row]:
    distributions = metadata.packages_distributions()
    for name, formats in engines.ENGINES.items():
        package = engines.PACKAGES.get(name)
        state = text("doctor.built_in")
        if package:
            found = distributions.get(package)
            state = f"{found[0]} {metadata.version(found[0])}" if found else text("doctor.missing", extra=name)
        yield "engine", f"{name}: {state} ({', '.join(formats)})"
    program = chosen.llama_server or shutil.which("llama-server")
    if program:
        used = "doctor.llama_server_used" if chosen.llama_server else "doctor.llama_server_found"
        yield "llama_server", text(used, path=program)


def _measured() -> Iterator[Row]:
    from abierto.runtime import rates

    try:
        found = rates.measured()
    except InvalidSetting:  # told among the problems
        return
    for name, known in found.items():
        yield "measured", text("doctor.measured_value", engine=name, types=", ".join(sorted(known.byte)))
    if not found:
        yield "measured", text("doctor.measured_never")


def _folders(chosen: config.Settings) -> Iterator[Row]:
    folders = config.folders()
    pulled = records.all_records(folders.models)
    yield "data", str(folders.data)
    yield (
        "models",
        text("doctor.models_value", count=count(len(pulled)), size=size(sum(record.size for record in pulled))),
    )
    yield "cache", f"{folders.cache} ({size(kept.bytes_in(folders.cache))})"
    others = groupby(elsewhere.not_pulled(config.places(chosen), pulled), key=lambda model: model.owner)
    yield "elsewhere", "; ".join(_counted(owner, list(found)) for owner, found in others) or text("word.none")
    yield "disk", size(machine.disk_free(folders.data))
    yield "config", str(folders.config / config.FILE_NAME)


def _counted(owner: str, models: list[ForeignModel]) -> str:
    taken = size(sum(model.size for model in models))
    return text("doctor.elsewhere_value", owner=text(f"owner.{owner}"), count=count(len(models)), size=taken)


def _settings(chosen: config.Settings) -> Iterator[Row]:
    for name, value in asdict(chosen).items():
        yield f"setting {name}", ", ".join(value) if isinstance(value, tuple) else str(value)


def _problems(chosen: config.Settings) -> Iterator[AbiertoError]:
    folders = config.folders()
    for folder in config.places(chosen).folders:
        if not folder.is_dir():
            yield FileMissing(str(folder))
    for name, package in engines.PACKAGES.items():
        if find_spec(package):
            yield from _import_problems(name)
    if problem := _unwritable(folders.data):
        yield problem
        return
    from abierto.journal import Journal

    try:
        Journal.at(folders.data, chosen.journal).close()
    except JournalUnavailable as error:
        yield error


def _import_problems(engine: str) -> Iterator[AbiertoError]:
    # In another process, because what cannot be imported may take its process with it.
    command = [sys.executable, "-c", engines.import_code(engine)]
    tried = subprocess.run(command, capture_output=True, text=True, check=False)
    if tried.returncode:
        yield EngineBroken(engine, (tried.stderr.strip().splitlines() or [str(tried.returncode)])[-1])


def _unwritable(folder: Path) -> AbiertoError | None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = folder / ".doctor"
        probe.write_bytes(b"")
        probe.unlink()
    except OSError:
        return FolderNotWritable(str(folder))
    return None
