"""Reports on a model over our own dialect: what is open about it, and whether it will run here.

A name that came over a network is never a path: only models by name are reported.
"""

import re
from dataclasses import asdict

from abierto import locale
from abierto.catalog.openness import difference, report, words
from abierto.errors import InvalidRequest
from abierto.formats.footprint_voice import LONGEST
from abierto.runtime import forecast
from abierto.runtime.openness import of_model
from abierto.runtime.recommend import TAGS, TASKS
from abierto.runtime.recommend import recommend as ranked
from abierto.server.exchange import Call, Reply, Route

MOST = 10**9  # of a number in a query
_SIZE = re.compile(r"([1-9]\d{0,4})(?:x([1-9]\d{0,4}))?", re.ASCII)


def openness(call: Call) -> Reply:
    """What is open about a model, as `abierto openness --json` tells it. compare: another one, to have what differs.
    language: `en` or `es`, to have `sections` too: the report in words."""
    found = of_model(_model(call), anywhere=False)
    other = call.query.get("compare")
    language = call.query.get("language", "")
    if language and language not in locale.LANGUAGES:
        raise InvalidRequest(f"one of {', '.join(locale.LANGUAGES)} is needed", "language")
    if not other:
        return Reply(report.as_json(found) | (_sections(found, language) if language else {}))
    second = of_model(other, anywhere=False)
    names = {"first": found.inventory.name, "second": second.inventory.name}
    return Reply({**names, "changes": [asdict(change) for change in difference.between(found, second)]})


def fit(call: Call) -> Reply:
    """Whether a model will run here: its memory in parts for each engine. Sizes in bytes. context: tokens; users: at
    once; size: of an image, as `768x512` or `512`; seconds: of speech."""
    found = forecast.forecast(
        _model(call),
        _number(call, "context", 0),
        _number(call, "users", 1),
        side=_sides(call),
        seconds=_number(call, "seconds", 0, LONGEST),
        anywhere=False,
    )
    body = asdict(found)
    del body["card"]
    for one, told in zip(body["fits"], found.fits, strict=True):
        one["footprint"]["total"] = told.footprint.total
    return Reply(body)


def recommend(call: Call) -> Reply:
    """Models of the catalogue for a task, best first, as `abierto recommend --json` tells them. task: also as the hub
    calls it. language: only those whose cards name it; all: `yes` for those too that do not fit here."""
    task = call.query.get("task", "")
    if task not in (*TASKS, *TAGS):
        raise InvalidRequest(f"one of {', '.join(TASKS)} is needed", "task")
    found = ranked(task, call.query.get("language", "").lower(), everything=call.query.get("all") == "yes")
    return Reply({"task": task, "models": [one.facts() for one in found]})


def _sections(found: report.Report, language: str) -> dict[str, object]:
    with locale.speaking(language):
        return {"sections": [asdict(section) for section in words.sections(found)]}


def _model(call: Call) -> str:
    if not (name := call.query.get("model")):
        raise InvalidRequest("the name of a model is needed", "model")
    return name


def _number(call: Call, name: str, usual: int, most: int = MOST) -> int:
    said = call.query.get(name, str(usual))
    if not (said.isascii() and said.isdecimal() and len(said) <= len(str(most))) or not usual <= int(said) <= most:
        raise InvalidRequest(f"a whole number from {usual} to {most} is needed", name)
    return int(said)


def _sides(call: Call) -> tuple[int, int]:
    """Width and height of an image in pixels; zeros where nobody said."""
    if not (said := call.query.get("size")):
        return 0, 0
    found = _SIZE.fullmatch(said)
    if not found:
        raise InvalidRequest("a width and a height in pixels are needed, such as 768x512", "size")
    return int(found[1]), int(found[2] or found[1])


ROUTES = (
    Route("GET", "/abierto/v1/openness", openness, blocking=True, query=("model", "compare", "language")),
    Route("GET", "/abierto/v1/fit", fit, blocking=True, query=("model", "context", "users", "size", "seconds")),
    Route("GET", "/abierto/v1/recommend", recommend, blocking=True, query=("task", "language", "all")),
)
