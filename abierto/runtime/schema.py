"""Answers that follow a JSON schema: what a schema is, and whether an answer follows it.

The engine constrains the answer as it is written; an answer that a limit cut short is found out here.
"""

import json
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from abierto.errors import AnswerNotValid, FileMissing, InvalidSchema

# Checking takes about a quarter of a millisecond for each part: names, values, objects, arrays.
MOST_LEVELS, MOST_PARTS, MOST_LETTERS = 100, 5_000, 200_000


def read(path: str) -> dict[str, Any]:
    """The schema in a file. Raises FileMissing, InvalidSchema."""
    try:
        text = Path(path).read_text("utf-8")
    except OSError as error:
        raise FileMissing(path) from error
    except UnicodeDecodeError as error:
        raise InvalidSchema(path, str(error)) from error
    try:
        schema = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise InvalidSchema(path, str(error)) from error
    check(schema, path)
    return dict(schema)


def check(schema: Any, where: str) -> None:
    """Raise InvalidSchema for what is no schema by the rules that it names (else draft 2020-12), or too large."""
    if not isinstance(schema, Mapping):
        raise InvalidSchema(where, f"{type(schema).__name__}, not an object")
    try:
        problem = _size_problem(schema) or _problem(json.dumps(schema))
    except (TypeError, ValueError) as error:  # something that JSON does not have
        raise InvalidSchema(where, str(error)) from error
    if problem:
        raise InvalidSchema(where, problem)


def _size_problem(schema: Mapping[str, Any]) -> str:
    """Why a schema is too much to be checked; empty for one that is not."""
    level: list[Any] = [schema]
    parts = letters = depth = 0
    while level:
        depth += 1
        parts += len(level)
        letters += sum(len(part) for part in level if isinstance(part, str))
        if depth > MOST_LEVELS or parts > MOST_PARTS or letters > MOST_LETTERS:
            return f"more than {MOST_LEVELS} levels, {MOST_PARTS} parts or {MOST_LETTERS} letters"
        inner: list[Any] = []
        for part in level:
            if isinstance(part, Mapping):
                inner += [*part, *part.values()]
            elif isinstance(part, list | tuple):
                inner += part
        level = inner
    return ""


@lru_cache(256)  # whoever has tools sends them with each request, and checking takes some milliseconds for each
def _problem(text: str) -> str:
    """What is wrong with a schema, as JSON; empty for one that is as it should be."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    schema = json.loads(text)
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        return f"{error.json_path}: {error.message}"
    except RecursionError as error:
        return str(error)
    return ""


def validate(answer: str, schema: Mapping[str, Any]) -> Any:
    """The value that an answer holds. Raises AnswerNotValid when it does not follow the schema, or the schema leads to
    what is not in it: nothing is fetched."""
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    try:
        value = json.loads(answer)
        validator_for(schema, default=Draft202012Validator)(schema, registry=Registry()).validate(value)
    except (json.JSONDecodeError, RecursionError, Unresolvable) as error:
        raise AnswerNotValid(str(error)) from error
    except ValidationError as error:
        raise AnswerNotValid(f"{error.json_path}: {error.message}") from error
    return value
