"""Answers that follow a JSON schema: what a schema is, and whether an answer follows it.

The engine constrains the answer as it is written; an answer that a limit cut short is found out here.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abierto.errors import AnswerNotValid, FileMissing, InvalidSchema


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
    """Raise InvalidSchema for what is no schema under the rules that it names (default: draft 2020-12)."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    if not isinstance(schema, Mapping):
        raise InvalidSchema(where, f"{type(schema).__name__}, not an object")
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(dict(schema))
    except SchemaError as error:
        raise InvalidSchema(where, f"{error.json_path}: {error.message}") from error


def validate(answer: str, schema: Mapping[str, Any]) -> Any:
    """The value that an answer holds. Raises AnswerNotValid when it does not follow the schema."""
    from jsonschema.exceptions import ValidationError
    from jsonschema.validators import Draft202012Validator, validator_for

    try:
        value = json.loads(answer)
        validator_for(schema, default=Draft202012Validator)(schema).validate(value)
    except json.JSONDecodeError as error:
        raise AnswerNotValid(str(error)) from error
    except ValidationError as error:
        raise AnswerNotValid(f"{error.json_path}: {error.message}") from error
    return value
