"""The sizes and names of the house (rule 12), held for every file; exceptions.toml lists what may break them."""

import ast
import io
import re
import tokenize
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.sources import (
    Function,
    classes,
    dotted,
    functions,
    package_trees,
    place,
    python_files,
    tree,
)

EXCEPTIONS = tomllib.loads(Path(__file__).with_name("exceptions.toml").read_text("utf-8"))
EMPTY_WORDS = {
    "util",
    "utils",
    "common",
    "commons",
    "helper",
    "helpers",
    "base",
    "manager",
    "managers",
    "service",
    "services",
}
BROAD = {"", "Exception", "BaseException"}


def hold(limit: str, broken: set[str]) -> None:
    """Exactly what is listed under `limit` may break it."""
    listed = set(EXCEPTIONS[limit])
    assert broken == listed, f"new: {sorted(broken - listed)}; no longer needed: {sorted(listed - broken)}"


def lines(function: Function) -> int:
    return (function.end_lineno or function.lineno) - function.lineno + 1


def test_no_function_has_more_than_60_lines() -> None:
    files = [(place(path), tree(path)) for path in python_files("abierto", "tests", "bench", "docs", "requirements")]
    hold(
        "long_functions",
        {f"{file}:{one.name}" for file, module in files for one in functions(module) if lines(one) > 60},
    )


def test_95_of_100_functions_have_under_40_lines() -> None:
    sizes = [lines(one) for _, module in package_trees() for one in functions(module)]
    short = sum(size < 40 for size in sizes)
    assert short >= 0.95 * len(sizes), f"{short} of {len(sizes)}"


def test_no_file_has_more_than_400_lines() -> None:
    files = python_files("abierto", "tests", "bench", "docs", "requirements")
    hold("long_files", {place(file) for file in files if len(file.read_text("utf-8").splitlines()) > 400})


def test_most_files_have_under_200_lines() -> None:
    sizes = [len(file.read_text("utf-8").splitlines()) for file in python_files("abierto")]
    short = sum(size < 200 for size in sizes)
    assert short >= 0.75 * len(sizes), f"{short} of {len(sizes)}"


def words(name: str) -> set[str]:
    """`JournalManager` and `journal_manager` are both journal and manager."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|\d+", name)}


def test_no_name_is_empty() -> None:
    broken: set[str] = set()
    for file, module in package_trees():
        names = [one.name for one in (*functions(module), *classes(module))]
        broken |= {f"{file}:{name}" for name in names if words(name) & EMPTY_WORDS}
        broken |= {f"{file}:" for part in Path(file).with_suffix("").parts if words(part) & EMPTY_WORDS}
    hold("names", broken)


@pytest.mark.parametrize("name", ["JournalManager", "io_utils", "HTTPService", "BaseEngine", "helpers"])
def test_empty_names_are_seen(name: str) -> None:
    assert words(name) & EMPTY_WORDS


@pytest.mark.parametrize("name", ["database", "basename", "commonest", "serviceable"])
def test_names_that_only_look_empty_are_not_seen(name: str) -> None:
    assert not words(name) & EMPTY_WORDS


def caught(handler: ast.ExceptHandler) -> set[str]:
    """The names of the exceptions that a handler takes; an empty one for a bare `except:`."""
    if handler.type is None:
        return {""}
    parts = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return {dotted(part) for part in parts}


def catches_everything(node: ast.AST) -> bool:
    """Whether this is an `except` or a `suppress` that takes any error at all, and does not raise it again."""
    if isinstance(node, ast.Call) and dotted(node.func) == "suppress":
        return bool({dotted(argument) for argument in node.args} & BROAD)
    if not isinstance(node, ast.ExceptHandler) or not caught(node) & BROAD:
        return False
    last = node.body[-1]
    return not (isinstance(last, ast.Raise) and last.exc is None)


def broad_handlers(node: ast.AST, inside: str = "") -> Iterator[str]:
    """For each place that catches everything, the name of the function around it."""
    for child in ast.iter_child_nodes(node):
        if catches_everything(child):
            yield inside
        yield from broad_handlers(child, child.name if isinstance(child, Function) else inside)


def test_nothing_catches_everything() -> None:
    hold("broad_except", {f"{file}:{where}" for file, module in package_trees() for where in broad_handlers(module)})


@pytest.mark.parametrize(
    "source",
    [
        "try: f()\nexcept: pass",
        "try: f()\nexcept Exception as e: raise ValueError from e",
        "try: f()\nexcept (ValueError, Exception): pass",
        "try: f()\nexcept builtins.BaseException as e: pass",
        "with suppress(Exception): f()",
    ],
)
def test_catching_everything_is_seen(source: str) -> None:
    assert [*broad_handlers(ast.parse(source))] == [""]


@pytest.mark.parametrize(
    "source",
    ["try: f()\nexcept OSError: pass", "with suppress(KeyError): f()", "try: f()\nexcept BaseException:\n g()\n raise"],
)
def test_catching_one_error_or_none_is_not_seen(source: str) -> None:
    assert not [*broad_handlers(ast.parse(source))]


def test_every_silenced_type_error_says_which() -> None:
    for path in python_files("abierto", "tests", "bench", "docs", "requirements"):
        for token in tokenize.generate_tokens(io.StringIO(path.read_text("utf-8")).readline):
            if token.type == tokenize.COMMENT:
                assert not re.search(r"type:\s*ignore(?!\[)", token.string), f"{place(path)}:{token.start[0]}"
                assert not re.search(r"\b(TODO|FIXME|XXX)\b", token.string), f"{place(path)}:{token.start[0]}"


def members(found: ast.ClassDef) -> set[str]:
    """The names that a class defines: methods, attributes, and what its methods set on `self`."""
    names: set[str] = set()
    for node in ast.walk(found):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                names.add(node.name)
            case ast.Attribute(value=ast.Name(id="self"), ctx=ast.Store()):
                names.add(node.attr)
            case ast.AnnAssign(target=ast.Name(id=name)) | ast.Assign(targets=[ast.Name(id=name)]):
                names.add(name)
    return names


def test_every_abstract_class_has_two_implementations() -> None:
    """Counted by the members that a class has, whether it inherits or not."""
    known = [(f"{file}:{one.name}", one) for file, module in package_trees() for one in classes(module)]
    abstract = {name for name, one in known if {dotted(origin) for origin in one.bases} & {"Protocol", "ABC"}}
    broken: set[str] = set()
    for name, one in known:
        if name in abstract:
            asked = members(one)
            able = [other for other, kind in known if other not in abstract and asked <= members(kind)]
            if len(able) < 2:
                broken.add(name)
    hold("few_implementations", broken)
