"""Answers that follow a JSON schema: what a schema is, and whether an answer follows it.

The engine constrains the answer as it is written; an answer that a limit cut short is found out here.
"""

import json
import re
from collections.abc import Iterator, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from abierto.errors import AnswerNotValid, FileMissing, InvalidSchema

# A schema is made into a grammar, by llama.cpp in a time that grows with the square of what can be left out or chosen,
# and it is checked, at some 0.3 ms for each object in it. Within these limits both stay below two seconds.
MOST_OBJECTS = 1_000
MOST_VALUES = 5_000  # of all lists and objects in it together
DEEPEST = 64
LONGEST = 200_000  # characters of the whole
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
    """Raise InvalidSchema for what is no schema under the rules that it names (default: draft 2020-12), for one that is
    larger than the limits above, and for one that refers to another document or in a circle."""
    if not isinstance(schema, Mapping):
        raise InvalidSchema(where, f"{type(schema).__name__}, not an object")
    try:
        _check_size(schema)
        _check_references(schema)
        _check_rules(dict(schema))
    except _Fault as fault:
        raise InvalidSchema(where, str(fault)) from fault


class _Fault(ValueError):
    """What is wrong with a schema."""


# Digests of schemas that were found sound: programs send the same tools with every request.
_SOUND: set[bytes] = set()
MOST_REMEMBERED = 1_000


def _check_rules(schema: dict[str, Any]) -> None:
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for

    written = json.dumps(schema)
    if len(written) > LONGEST:
        raise _Fault(f"more than {LONGEST} characters")
    digest = sha256(written.encode()).digest()
    if digest in _SOUND:
        return
    try:
        validator_for(schema, default=Draft202012Validator).check_schema(schema)
    except SchemaError as error:
        raise _Fault(f"{error.json_path}: {error.message}") from error
    except RecursionError as error:
        raise _Fault("nested too deeply") from error
    if len(_SOUND) >= MOST_REMEMBERED:
        _SOUND.clear()
    _SOUND.add(digest)


def _parts(schema: Any) -> Iterator[tuple[int, Any]]:
    """Every value in it with its depth. Raises _Fault where they are too many or too deep."""
    waiting, seen = [(0, schema)], 0
    while waiting:
        depth, value = waiting.pop()
        yield depth, value
        inside = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        seen += len(inside)
        if depth > DEEPEST or seen > MOST_VALUES:
            raise _Fault(f"more than {DEEPEST} levels or {MOST_VALUES} values")
        waiting += [(depth + 1, part) for part in inside]


def _check_size(schema: Mapping[str, Any]) -> None:
    objects = 0
    for _, value in _parts(schema):
        if not isinstance(value, Mapping):
            continue
        objects += 1
        if objects > MOST_OBJECTS:
            raise _Fault(f"more than {MOST_OBJECTS} objects")
        pattern = value.get("pattern")
        if isinstance(pattern, str):
            _check_pattern(pattern)


def _check_pattern(pattern: str) -> None:
    """Each bound in a pattern multiplies those around it."""
    copies = 1
    for bound in re.findall(r"\{(\d+)(?:,(\d*))?\}", pattern):
        copies *= max([1, *(int(number[:9]) for number in bound if number)])
    if len(pattern) > LONGEST_PATTERN or copies > MOST_COPIES:
        raise _Fault(f"pattern: more than {LONGEST_PATTERN} characters or {MOST_COPIES} repetitions")


def _check_references(schema: Mapping[str, Any]) -> None:
    """References lead into the schema itself, and sooner or later to something that is none."""
    sound: set[str] = set()
    for _, value in _parts(schema):
        passed: set[str] = set()
        while isinstance(value, Mapping) and isinstance(reference := value.get("$ref"), str):
            if not reference.startswith("#"):
                raise _Fault(f"$ref: {reference[:80]}: other documents are not read")
            if reference in passed:
                raise _Fault(f"$ref: {reference[:80]} leads to itself")
            if reference in sound:
                break
            passed.add(reference)
            value = _at(schema, reference)
        sound |= passed


def _at(schema: Any, reference: str) -> Any:
    """What a JSON pointer leads to; an anchor's name leads to nothing here. Raises _Fault."""
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
            raise _Fault(f"$ref: {reference[:80]} leads nowhere")
    return found


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
    except RecursionError as error:
        raise AnswerNotValid("nested too deeply") from error
    return value
