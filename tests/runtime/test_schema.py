"""What a JSON schema is, how large it may be, and whether an answer follows one."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest

from abierto.errors import AnswerNotValid, InvalidSchema
from abierto.runtime.schema import MOST_LETTERS, MOST_LEVELS, MOST_PARTS, check, validate


def nested(levels: int) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    for _ in range(levels):
        schema = {"not": schema}
    return schema


@pytest.mark.parametrize(
    "schema",
    [
        {},
        {"type": "object", "properties": {"a": {"enum": [1, None, "b"]}}},
        {"$schema": "http://json-schema.org/draft-07/schema#", "definitions": {"a": {}}},
        {"$ref": "#/$defs/a", "$defs": {"a": {"type": "string"}}},
        nested(MOST_LEVELS - 3),
        {"enum": list(range(MOST_PARTS - 10))},
        {"description": "a" * (MOST_LETTERS - 100)},
    ],
    ids=lambda schema: str(schema)[:40],
)
def test_what_is_a_schema(schema: dict[str, Any]) -> None:
    check(schema, "here")


@pytest.mark.parametrize(
    "schema",
    [
        [],
        "text",
        None,
        {"type": "nothing"},
        {"properties": []},
        {"type": {1, 2}},
        {"default": object()},
        nested(MOST_LEVELS),
        nested(100_000),
        {"enum": list(range(MOST_PARTS))},
        {"description": "a" * MOST_LETTERS},
        {"properties": {f"a{number}": {} for number in range(MOST_PARTS)}},
    ],
    ids=lambda schema: str(type(schema)),
)
def test_what_is_none_or_too_much_of_one(schema: Any) -> None:
    for _ in range(2):
        with pytest.raises(InvalidSchema) as caught:
            check(schema, "here")
        assert caught.value.where == "here"


@pytest.fixture
def asked() -> Iterator[tuple[str, list[str]]]:
    """An address, and what was asked for there."""
    paths: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            paths.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as it is called there
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/schema.json", paths
        server.shutdown()
        thread.join()


def test_nothing_is_fetched_because_a_schema_names_it(asked: tuple[str, list[str]]) -> None:
    address, paths = asked
    with pytest.raises(InvalidSchema, match="other documents are not read"):
        check({"$ref": address}, "here")
    with pytest.raises(AnswerNotValid, match="Unresolvable"):
        validate("{}", {"$ref": address})
    assert not paths


def test_a_schema_that_leads_to_itself_is_no_answer() -> None:
    with pytest.raises(AnswerNotValid):
        validate("{}", {"$ref": "#"})


def test_an_answer_that_follows_its_schema() -> None:
    assert validate('{"a": 1}', {"type": "object", "properties": {"a": {"type": "integer"}}}) == {"a": 1}
