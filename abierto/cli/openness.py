"""`abierto openness`: what is open about a model, with the evidence for each line."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

import click

from abierto import __version__, catalog, config
from abierto.catalog.openness import badge, collect, cyclonedx, difference, mot_yaml, page, report, spdx, words
from abierto.catalog.openness.evidence import Inventory
from abierto.catalog.openness.report import Report
from abierto.cli import out
from abierto.cli.license_rows import declared_of
from abierto.cli.words import argument, command, option
from abierto.errors import ModelNotPulled, NothingToFetch, UnknownModel, UsageFault
from abierto.formats import openvino_model
from abierto.locale import text
from abierto.runtime import resolve
from abierto.runtime.resolve import Target

# Format -> the program that runs such files here.
_ENGINES = {"gguf": "llama.cpp", "openvino": "OpenVINO"}


_FORMS = ("json", "html", "yaml", "spdx", "cyclonedx", "badge")


@command("openness")
@argument("model")
@option("--json", is_flag=True)
@option("--html", is_flag=True)
@option("--yaml", type=click.Choice(["mot"]))
@option("--spdx", is_flag=True)
@option("--cyclonedx", is_flag=True)
@option("--badge", is_flag=True)
@option("--compare")
def openness(model: str, compare: str | None, **forms: bool | str | None) -> None:
    """What is open about a model: a folder, a file, a pulled model or a card."""
    wanted = [form for form in _FORMS if forms[form]]
    if compare and wanted and wanted != ["json"]:
        wanted.insert(0, "compare")
    if len(wanted) > 1:
        raise UsageFault("one_form", {"first": f"--{wanted[0]}", "second": f"--{wanted[1]}"})
    found = _report(model)
    if compare:
        _tell_difference(found, _report(compare), as_json="json" in wanted)
    elif wanted:
        _write(found, wanted[0])
    else:
        for line in _lines(found):
            out.say(line)


def _write(found: Report, form: str) -> None:
    now = datetime.now(UTC)
    match form:
        case "json":
            out.as_json(report.as_json(found))
        case "spdx":
            out.as_json(spdx.body(found, now, __version__))
        case "cyclonedx":
            out.as_json(cyclonedx.body(found, now, __version__))
        case "yaml":
            out.say(mot_yaml.write(found.inventory).rstrip("\n"))
        case "badge":
            out.say(badge.svg(found).rstrip("\n"))
        case _:
            made = text("openness.made", version=__version__, date=f"{now:%Y-%m-%d}")
            out.say(page.html(found, made).rstrip("\n"))


def _tell_difference(first: Report, second: Report, *, as_json: bool) -> None:
    changes = difference.between(first, second)
    names = first.inventory.name, second.inventory.name
    if as_json:
        out.as_json({"first": names[0], "second": names[1], "changes": [asdict(change) for change in changes]})
        return
    out.say(text("openness.compared", first=names[0], second=names[1]))
    if not changes:
        out.say(text("openness.same"))
    heading = ""
    for change in changes:
        if change.section != heading:
            heading = change.section
            out.say("")
            out.say(text(f"openness.section.{heading}"))
        out.say(f"- {words.change(change)}")


def _report(model: str) -> Report:
    return report.of(*_collected(model))


def _collected(model: str) -> tuple[Inventory, str]:
    """What there is to see of the model, and the program here that runs it."""
    path = Path(model.removeprefix("file:")).expanduser()
    if path.is_dir():
        engine = _ENGINES["openvino"] if openvino_model.main_file(path) else ""
        return collect.folder(path.resolve().name, path, known=declared_of), engine
    if path.is_file() and not catalog.find_form(model)[0]:
        # Files of other formats have no engine here, and evidence all the same.
        return collect.file(path.name, path), _ENGINES.get(path.suffix[1:].lower(), "")
    card = catalog.find_form(model)[0]
    try:
        target = resolve.resolve(model, config.folders().models)
    except (ModelNotPulled, NothingToFetch, UnknownModel):
        if card is None:
            raise
        return collect.catalog_card(card), ""
    return _of_target(target), _ENGINES.get(target.format, "")


def _of_target(target: Target) -> Inventory:
    """A folder as a whole where its makers' card lies beside the file, else the file alone."""
    if not target.files:
        return collect.catalog_card(target.card) if target.card else collect.nothing(target.name)
    file = Path(target.files[0])
    if (file.parent / "README.md").is_file():
        return collect.folder(target.name, file.parent, target.card, declared_of)
    return collect.file(target.name, file, target.card)


def _lines(found: Report) -> Iterator[str]:
    yield text("openness.title", name=found.inventory.name)
    for section in words.sections(found):
        yield ""
        yield section.title
        if section.version:
            yield text("openness.version", version=section.version)
        yield from (f"- {line}" for line in section.lines)
