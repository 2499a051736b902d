"""The page of the Python API: signature and docstring of every public name, as the source writes them."""

import ast
import inspect
from typing import Any

import abierto
from abierto.runtime.model import Stats
from docs.pages.words import Words, fenced, join

# Not in `abierto.__all__`, but what a public name gives back.
_ALSO = {"Stats": Stats}


def page(words: Words) -> str:
    """The Markdown of the page."""
    names = {name: getattr(abierto, name) for name in abierto.__all__ if not name.startswith("__")} | _ALSO
    parts = [_part(name, found) for name, found in sorted(names.items(), key=lambda item: item[0].lower())]
    return join(f"# {words('python', 'title')}", words("python", "introduction"), *parts)


def _part(name: str, found: Any) -> str:
    shown = _class(found) if inspect.isclass(found) else _signature(found)
    said = inspect.getdoc(found) or ""
    return join(f"## `{name}`", fenced(shown, "python signature"), fenced(said)).rstrip("\n")


def _tree(found: Any) -> Any:
    # Of an overloaded function, `inspect.getsource` gives the form with the body.
    return ast.parse(inspect.getsource(found)).body[0]


def _signature(found: Any) -> str:
    """`def name(...)`, one parameter a line if there is more than one."""
    tree = _tree(found)
    arguments: ast.arguments = tree.args
    plain = [*arguments.posonlyargs, *arguments.args]
    padding: list[ast.expr | None] = [None] * (len(plain) - len(arguments.defaults))
    lines = [_parameter(one, default) for one, default in zip(plain, [*padding, *arguments.defaults], strict=True)]
    if arguments.kwonlyargs:
        lines.append("*")
    lines += [_parameter(*pair) for pair in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)]
    inside = "".join(f"\n    {line}," for line in lines) + "\n" if len(lines) > 1 else "".join(lines)
    return f"def {tree.name}({inside}) -> {_source(tree.returns)}"


def _parameter(argument: ast.arg, default: ast.expr | None) -> str:
    return _source(argument) + (f" = {_source(default)}" if default else "")


def _class(found: type[Any]) -> str:
    """`class Name(Base):` with its public attributes and properties."""
    tree: ast.ClassDef = _tree(found)
    bases = ", ".join(_source(base) for base in tree.bases)
    lines = [f"class {tree.name}({bases}):" if bases else f"class {tree.name}:"]
    for node in tree.body:
        if isinstance(node, ast.AnnAssign) and not _source(node.target).startswith("_"):
            lines.append(f"    {_source(node)}")
        elif isinstance(node, ast.FunctionDef) and not node.name.startswith("_") and node.returns:
            property_ = any(_source(one) == "property" for one in node.decorator_list)
            taken = "" if property_ else f"({_source(node.args)})"
            name = node.name if property_ else f"def {node.name}"
            lines.append(f"    {name}{taken}{':' if property_ else ' ->'} {_source(node.returns)}")
    return "\n".join(lines)


def _source(node: ast.AST) -> str:
    """The code of a node, its strings in the quotes that the formatter demands."""
    code = ast.unparse(node)
    return code if '"' in code else code.replace("'", '"')
