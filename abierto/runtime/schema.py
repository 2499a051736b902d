"""Answers that follow a JSON schema: what a schema is, and whether an answer follows it.

The engine constrains the answer as it is written; an answer that a limit cut short is found out here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from abierto.errors import AnswerNotValid, FileMissing, InvalidSchema

# Checking takes about a quarter of a millisecond for each part: names, values, objects, arrays. Then a grammar is made
# of it, by llama.cpp in a time that grows with the square of what can be left out or chosen: some seconds at the most.
MOST_LEVELS, MOST_PARTS, MOST_LETTERS = 100, 4_000, 200_000
LONGEST_PATTERN = 1_000  # characters
MOST_COPIES = 2_000  # of a part of a pattern, which openvino writes out one by one


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
    """Raise InvalidSchema for what is no schema by the rules that it names (else draft 2020-12), or too much to follow:
    too large, with a pattern that multiplies, with a reference to another document or in a circle."""
    if not isinstance(schema, Mapping):
        raise InvalidSchema(where, f"{type(schema).__name__}, not an object")
    try:
        problem = _size_problem(schema)
        if not problem:
            _check_patterns(schema)
            _check_references(schema)
            problem = _problem(json.dumps(schema))
    except (TypeError, ValueError) as error:  # also something that JSON does not have
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


def _objects(schema: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in it, itself included."""
    waiting = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, Mapping):
            yield value
        waiting += value.values() if isinstance(value, Mapping) else value if isinstance(value, list | tuple) else ()


def _check_patterns(schema: Mapping[str, Any]) -> None:
    """Raise ValueError for one that is too long to follow; each bound in a pattern multiplies those around it."""
    for pattern in (value.get("pattern") for value in _objects(schema)):
        if not isinstance(pattern, str):
            continue
        copies = 1
        for bound in re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern):
            copies *= max([1, *(int(number[:9]) for number in bound if number)])
        if len(pattern) > LONGEST_PATTERN or copies > MOST_COPIES:
            raise ValueError(f"pattern: more than {LONGEST_PATTERN} characters or {MOST_COPIES} repetitions")


def _check_references(schema: Mapping[str, Any]) -> None:
    """Raise ValueError for a reference that does not lead, sooner or later, to something in the schema itself."""
    sound: set[str] = set()
    for found in _objects(schema):
        value: Any = found
        passed: set[str] = set()
        while isinstance(value, Mapping) and isinstance(reference := value.get("$ref"), str):
            if not reference.startswith("#"):
                raise ValueError(f"$ref: {reference[:80]}: other documents are not read")
            if reference in passed:
                raise ValueError(f"$ref: {reference[:80]} leads to itself")
            if reference in sound:
                break
            passed.add(reference)
            value = _at(schema, reference)
        sound |= passed


def _at(schema: Any, reference: str) -> Any:
    """What a JSON pointer leads to; an anchor's name leads to nothing here. Raises ValueError."""
    if reference[1:2] not in ("", "/"):
        return None
    found = schema
    for step in unquote(reference[1:]).split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(found, Mapping) and name in found:
            found = found[name]
        elif isinstance(found, list) and name.isdecimal() and int(name[:9]) < len(found):
            found = found[int(name)]
        else:
            raise ValueError(f"$ref: {reference[:80]} leads nowhere")
    return found


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
