"""Both languages are complete, and every sentence is used (what a person sees comes from `abierto/locale` alone)."""

import ast
import inspect
import json
import re
import string
from collections.abc import Iterator
from typing import Any

import pytest

from abierto import errors, locale
from abierto.errors import AbiertoError
from tests.house.sources import PACKAGE, dotted, package_trees, strings

SENTENCES: dict[str, dict[str, str]] = {
    language: json.loads((PACKAGE / "locale" / f"{language}.json").read_text("utf-8")) for language in locale.LANGUAGES
}
ENGLISH = SENTENCES["en"]
# The functions that take a key, and for errors that carry one: the argument's place and name, and the family of keys.
TAKES_KEY = {"text", "has"}
CARRIERS = {
    "CorruptFile": (1, "fault", "fault"),
    "corrupt": (1, "fault", "fault"),
    "NotAModel": (1, "found", "found"),
    "InvalidCard": (1, "fault", "card_fault"),
    "NotConvertible": (1, "fault", "making"),
    "NotOffered": (1, "instead", "instead"),
    "NotOurs": (1, "owner", "owner"),
    "BeingDownloaded": (1, "owner", "owner"),
    "NotAnImage": (1, "found", "found"),
    "BadImage": (1, "fault", "fault"),
    "ModelCannotSee": (2, "reason", "sight"),
    "Finding": (0, "code", "finding"),
    "Remark": (0, "code", "licensing"),
    "UsageFault": (0, "fault", "usage"),
}


def placeholders(sentence: str) -> set[str]:
    """The names in braces."""
    return {name for _, name, _, _ in string.Formatter().parse(sentence) if name is not None}


def test_both_languages_have_the_same_keys() -> None:
    assert set(ENGLISH) == set(SENTENCES["es"])


def test_no_key_is_written_twice() -> None:
    def unique(pairs: list[tuple[str, str]]) -> dict[str, str]:
        assert len(dict(pairs)) == len(pairs), [key for key, _ in pairs]
        return dict(pairs)

    for language in locale.LANGUAGES:
        json.loads((PACKAGE / "locale" / f"{language}.json").read_text("utf-8"), object_pairs_hook=unique)


@pytest.mark.parametrize("key", ENGLISH)
def test_both_languages_have_the_same_placeholders(key: str) -> None:
    assert placeholders(ENGLISH[key]) == placeholders(SENTENCES["es"].get(key, ""))


def test_every_sentence_is_translated() -> None:
    same = [
        key for key, sentence in ENGLISH.items() if sentence == SENTENCES["es"].get(key) and len(sentence.split()) > 3
    ]
    assert not [key for key in same if re.search(r"[a-z]{3}", re.sub(r"\{.*?\}", "", ENGLISH[key]))]


def kinds() -> dict[str, type[AbiertoError]]:
    """The errors that can be raised, by code."""
    known = [one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, AbiertoError)]
    return {one.code: one for one in known if one.code in errors.codes()}


def sample(kind: type[AbiertoError]) -> dict[str, Any]:
    """Facts of the right types for an error."""
    values = {"str": "x", "int": 7, "float": 0.5, "Sequence": ["x", "y"], "list": ["x", "y"], "Mapping": {}, "dict": {}}
    return {name: values[re.split(r"\W", shown(hint))[0]] for name, hint in inspect.get_annotations(kind).items()}


def shown(hint: Any) -> str:
    """A type as it is written, without the module it comes from."""
    return hint.__name__ if type(hint) is type else re.sub(r"^[a-z.]*\.(?=[A-Z])", "", str(hint))


def told(kind: type[AbiertoError]) -> list[AbiertoError]:
    """The error; one that carries a key, once for each such key, with the facts that its sentence asks for."""
    facts = sample(kind)
    if kind.__name__ not in CARRIERS:
        return [kind(**facts)]
    _, name, family = CARRIERS[kind.__name__]
    inner = {
        key.removeprefix(f"{family}."): sentence for key, sentence in ENGLISH.items() if key.startswith(f"{family}.")
    }
    assert inner
    if "about" not in facts:
        return [kind(**{**facts, name: key}) for key in inner]
    return [
        kind(**{**facts, name: key, "about": dict.fromkeys(placeholders(sentence), "x")})
        for key, sentence in inner.items()
    ]


@pytest.mark.parametrize("language", locale.LANGUAGES)
@pytest.mark.parametrize("code", errors.codes())
def test_every_error_can_be_told(code: str, language: str) -> None:
    """What happened and what to do next, worded from that error's facts alone."""
    before = locale.current()
    locale.use(language)
    try:
        for error in told(kinds()[code]):
            what, next_step = locale.tell(error)
            assert what
            assert next_step
            assert "{" not in what
    finally:
        locale.use(before)


def key_patterns(node: ast.expr) -> Iterator[re.Pattern[str]]:
    """The keys that an expression may name: one for a string, many for an f-string, both branches of a choice."""
    match node:
        case ast.Constant(value=str(key)):
            yield re.compile(re.escape(key))
        case ast.JoinedStr(values=parts):
            yield re.compile("".join(re.escape(str(p.value)) if isinstance(p, ast.Constant) else "(.+)" for p in parts))
        case ast.IfExp(body=one, orelse=other):
            yield from key_patterns(one)
            yield from key_patterns(other)


def takes_key(function: ast.expr) -> bool:
    """Whether this is `text`, `has`, `locale.text` or `locale.has`."""
    owned = isinstance(function, ast.Attribute) and dotted(function.value) == "locale"
    return dotted(function) in TAKES_KEY and (owned or isinstance(function, ast.Name))


def asked_keys() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every key that the package looks up, with the file that does."""
    for place, module in package_trees():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and node.args and takes_key(node.func):
                yield from ((place, pattern) for pattern in key_patterns(node.args[0]))


def test_every_key_that_is_asked_for_exists() -> None:
    missing = {(place, asked.pattern) for place, asked in asked_keys() if not any(map(asked.fullmatch, ENGLISH))}
    assert not missing


def carried_keys() -> Iterator[tuple[str, re.Pattern[str]]]:
    """Every key that the package puts into an error, with the file that does."""
    for place, module in package_trees():
        for node in ast.walk(module):
            if isinstance(node, ast.Call) and dotted(node.func) in CARRIERS:
                position, name, family = CARRIERS[dotted(node.func)]
                given = [*node.args[position : position + 1], *(one.value for one in node.keywords if one.arg == name)]
                for key in (pattern for value in given for pattern in key_patterns(value)):
                    yield place, re.compile(rf"{family}\.{key.pattern}")


def test_every_key_that_an_error_carries_exists() -> None:
    carried = list(carried_keys())
    assert carried
    assert not {(place, key.pattern) for place, key in carried if not any(map(key.fullmatch, ENGLISH))}


def test_every_key_is_used() -> None:
    """By its whole name; or by a pattern whose gaps are filled with words that stand somewhere in the package."""
    literal = {one for _, module in package_trees() for one in strings(module)}
    named = {node.arg for _, module in package_trees() for node in ast.walk(module) if isinstance(node, ast.arg)}
    words = {one.lstrip("-/").replace("-", "_") for one in literal} | literal | named | set(errors.codes())
    words |= {word.lower() for one in literal for word in one.split()}
    parts = {key.split(".")[0] for key in ENGLISH}
    composed = {node for _, module in package_trees() for node in ast.walk(module) if isinstance(node, ast.JoinedStr)}
    patterns = [one for node in composed for one in key_patterns(node) if one.pattern.split("\\.")[0] in parts]
    unused = [
        key
        for key in ENGLISH
        if not key.startswith("studio.")  # those are used by scripts: see test_studio
        and key not in literal
        and not any(found and set(found.groups()) <= words for asked in patterns for found in [asked.fullmatch(key)])
    ]
    assert not unused
