"""`abierto openness`: what is open about a model, with the evidence for each line."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime

import click

from abierto import __version__
from abierto.catalog.openness import badge, cyclonedx, difference, mot_yaml, page, report, spdx, words
from abierto.catalog.openness.report import Report
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import UsageFault
from abierto.locale import text
from abierto.runtime.openness import of_model

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
    found = of_model(model)
    if compare:
        _tell_difference(found, of_model(compare), as_json="json" in wanted)
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


def _lines(found: Report) -> Iterator[str]:
    yield text("openness.title", name=found.inventory.name)
    for section in words.sections(found):
        yield ""
        yield section.title
        if section.version:
            yield text("openness.version", version=section.version)
        yield from (f"- {line}" for line in section.lines)
