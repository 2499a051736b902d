"""The description of all routes of all dialects, as OpenAPI 3.1, made from their tables and the types of their bodies.

See https://spec.openapis.org/oas/v3.1.0.html.
"""

import re
from collections.abc import Iterable
from typing import Any

import msgspec

from abierto import __version__
from abierto.errors import InvalidRequest
from abierto.server.exchange import JSON, Call, Dialect, Reply, Route

PATH = "/openapi.json"
_PLACE = re.compile(r"\{(\w+)(?::\w+)?\}")
_OURS = "#/components/schemas/{name}"


def described(dialects: Iterable[Dialect]) -> Route:
    """The route that answers with the description of these dialects and of itself."""
    all_ = list(dialects)
    kept: list[dict[str, Any]] = []

    def description(_call: Call) -> Reply:
        """This description."""
        if not kept:
            kept.append(describe([*all_, Dialect("description", (route,), ("/",), all_[-1].error)]))
        return Reply(kept[0])

    route = Route("GET", PATH, description)
    return route


def describe(dialects: Iterable[Dialect]) -> dict[str, Any]:
    """The whole document."""
    all_ = list(dialects)
    bodies = list(dict.fromkeys(route.body for dialect in all_ for route in dialect.routes if route.body))
    schemas, components = msgspec.json.schema_components(bodies, ref_template=_OURS)
    by_body = dict(zip(bodies, schemas, strict=True))
    paths: dict[str, dict[str, Any]] = {}
    for dialect in all_:
        for route in dialect.routes:
            place = paths.setdefault(_PLACE.sub(r"{\1}", route.path), {})
            # Where two dialects have the same route, the first one answers.
            place.setdefault(route.method.lower(), _operation(dialect, route, by_body))
    return {
        "openapi": "3.1.0",
        "info": {"title": "Abierto", "version": __version__, "license": {"name": "Apache-2.0"}},
        "paths": paths,
        "components": {
            "schemas": {**components, **{_error_name(dialect): _error(dialect) for dialect in all_}},
            "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}},
        },
        # Programs on the same computer need no token.
        "security": [{}, {"token": []}],
    }


def _operation(dialect: Dialect, route: Route, bodies: dict[type[Any], dict[str, Any]]) -> dict[str, Any]:
    named = re.sub(r"\W+", "_", f"{dialect.name}_{route.method}_{route.path}").strip("_").lower()
    told: dict[str, Any] = {
        "operationId": named,
        "tags": [dialect.name],
        "description": " ".join((route.handler.__doc__ or "").split()),
        "parameters": [
            *(_parameter(name, "path") for name in _PLACE.findall(route.path)),
            *(_parameter(name, "query") for name in route.query),
        ],
        "responses": {
            "2XX": {"description": "What was asked for; a stream where the body asks for one."},
            "default": {
                "description": "An error.",
                "content": {JSON: {"schema": {"$ref": _OURS.format(name=_error_name(dialect))}}},
            },
        },
    }
    if route.body:
        told["requestBody"] = {"required": True, "content": {JSON: {"schema": bodies[route.body]}}}
    return told


def _parameter(name: str, place: str) -> dict[str, Any]:
    return {"name": name, "in": place, "required": place == "path", "schema": {"type": "string"}}


def _error_name(dialect: Dialect) -> str:
    return f"{dialect.name}_error"


def _error(dialect: Dialect) -> dict[str, Any]:
    """The form of a dialect's errors, read from one of them."""
    sample = dialect.error(InvalidRequest("detail", "where"), 400, "sentences")
    return _form(msgspec.to_builtins(sample))


def _form(value: Any) -> dict[str, Any]:
    match value:
        case dict():
            # What another error leaves out is not promised; what stands under its name may be null.
            return {"type": "object", "properties": {name: _form(inner) for name, inner in value.items()}}
        case str():
            return {"type": ["string", "null"]}
        case _:
            return {}
