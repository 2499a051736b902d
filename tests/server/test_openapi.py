"""The description of all routes is true: it is sound, complete, and nothing that follows it breaks the server."""

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error

from abierto.server.openapi import describe
from abierto.server.serve import dialects
from tests.server.conftest import Serve, Served

# Ends the server, measures for a minute, or waits for what it would have to fetch.
LEFT_OUT = {"/abierto/v1/stop", "/abierto/v1/pulls", "/api/pull", "/abierto/v1/tunings"}
EXAMPLES = 8  # of each kind, for each route
# What a dialect has and this server does not is said so, on purpose.
NOT_OFFERED = 501


@pytest.fixture(scope="module")
def described(serve: Serve) -> tuple[Served, dict[str, Any]]:
    """A server whose answers and waits are short, and what it says of itself."""
    served = serve(request_seconds=5, memory_margin=10**9)
    return served, httpx2.get(f"{served.address}/openapi.json").json()


def test_every_route_is_described(described: tuple[Served, dict[str, Any]]) -> None:
    paths = described[1]["paths"]
    routes = [route for dialect in dialects() for route in dialect.routes]
    for route in routes:
        told = paths[re.sub(r":\w+}", "}", route.path)][route.method.lower()]
        assert told["description"], route.path
        assert ("requestBody" in told) == (route.body is not None)
    assert "/openapi.json" in paths


def test_errors_have_the_form_of_their_dialect(described: tuple[Served, dict[str, Any]]) -> None:
    schemas = described[1]["components"]["schemas"]
    assert set(schemas["openai_error"]["properties"]["error"]["properties"]) == {"message", "type", "param", "code"}
    assert set(schemas["abierto_error"]["properties"]["error"]["properties"]) == {"code", "message", "facts"}


def test_names_of_operations_are_unique() -> None:
    told = describe(dialects())
    names = [operation["operationId"] for place in told["paths"].values() for operation in place.values()]
    assert len(names) == len(set(names))


def operations(served: Served, body: dict[str, Any]) -> Iterator[Any]:
    """Every operation that may be tried."""
    schema: Any = schemathesis.openapi.from_dict(body)
    schema.config.update(base_url=served.address)
    for found in schema.get_all_operations():
        operation = found.ok()
        if operation.path not in LEFT_OUT:
            yield operation


def test_nothing_that_follows_the_description_breaks_the_server(described: tuple[Served, dict[str, Any]]) -> None:
    """Bodies of every form that the types allow; errors there may be, and none may be the server's fault."""
    served, body = described
    tried = list(operations(served, body))
    assert len(tried) > 10
    for operation in tried:
        named = names_a_model(operation, body)
        attempts(operation, operation.as_strategy(), named)
        if operation.body:  # what contradicts the description; words in an address contradict nothing
            attempts(operation, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE), named)
    assert httpx2.get(f"{served.address}/health").status_code == 200


def names_a_model(operation: Any, body: dict[str, Any]) -> bool:
    """Whether a body of this operation may name a model."""
    told = body["paths"][operation.path][operation.method.lower()].get("requestBody")
    if not told:
        return False
    schema = told["content"]["application/json"]["schema"]
    found = body["components"]["schemas"][schema["$ref"].rpartition("/")[2]] if "$ref" in schema else schema
    return "model" in found.get("properties", {})


def attempts(operation: Any, cases: Any, named: bool) -> None:
    """Try an operation with some of the cases; where a model can be named, with one that is there and small.

    A body that names none would be answered by the models of this computer, for which its memory may not do.
    """

    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        derandomize=True,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases)
    def attempt(case: Any) -> None:
        if named and isinstance(case.body, dict) and isinstance(case.body.get("model", ""), str):
            case.body["model"] = "echo"
        answer = case.call(timeout=30)
        if answer.status_code != NOT_OFFERED:
            case.validate_response(answer, checks=[not_a_server_error])

    attempt()
