"""`abierto tune` over our own dialect: measure what the engines of this computer do with a model, and tell it."""

from collections.abc import Generator, Iterator
from contextlib import closing
from typing import Any

from msgspec import Struct

from abierto import config, locale
from abierto.errors import AbiertoError, FolderNotWritable, InvalidRequest
from abierto.runtime import choice, tuned
from abierto.runtime.resolve import resolve
from abierto.runtime.tune import Row, Step, newest, tune
from abierto.server.exchange import Call, Flow, Reply, Route, sse


class TuneBody(Struct):
    """model: a name. engine: to measure this one alone; empty for all that are here."""

    model: str
    engine: str = ""


def measured(call: Call) -> Reply:
    """What was measured of a model: a row for each engine and setting, and which one `auto` takes for which use."""
    name = call.query.get("model", "")
    if not name:
        raise InvalidRequest("the name of a model is needed", "model")
    rows = choice.measured(resolve(name, config.folders().models, anywhere=False))
    return Reply({"rows": [tuned.facts(Row(row.variant, row)) for row in rows], "choice": tuned.choices(rows)})


def begin(call: Call) -> Flow:
    """Measure, in about a minute: server-sent events `step`, `row`, at last `end` or `error`. Who leaves breaks it off,
    and what was measured before holds."""
    body: TuneBody = call.body
    name = resolve(body.model, config.folders().models, anywhere=False).name  # raises before there is an answer
    return Flow(_written(name, body.engine))


def _written(name: str, engine: str) -> Iterator[bytes]:
    rows: list[Row] = []
    with closing(_steps(name, engine)) as steps:
        try:
            for told in steps:
                if isinstance(told, Row):
                    rows.append(told)
                    yield sse(tuned.facts(told), "row")
                else:
                    yield sse(_step(told), "step")
        except AbiertoError as error:
            yield sse({"code": error.code, "message": " ".join(locale.tell(error))}, "error")
            return
    found = newest(rows)
    best = tuned.choices([row.measured for row in found if row.measured])
    yield sse({"rows": [tuned.facts(row) for row in found], "choice": best}, "end")


def _steps(name: str, engine: str) -> Generator[Step | Row, None, None]:
    try:
        yield from tune(name, engine)
    except OSError as error:
        raise FolderNotWritable(str(config.folders().data)) from error


def _step(told: Step) -> dict[str, Any]:
    variant = {"engine": told.variant.engine, "threads": told.variant.threads, "settings": dict(told.variant.settings)}
    return {**variant, "stage": told.stage, "done": told.done, "total": told.total}


ROUTES = (
    Route("GET", "/abierto/v1/tunings", measured, blocking=True, query=("model",)),
    Route("POST", "/abierto/v1/tunings", begin, TuneBody, blocking=True),
)
