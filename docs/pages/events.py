"""The page of the events: every kind with its fields, from `abierto.tasks.events`."""

import ast
import inspect
from dataclasses import MISSING, Field, fields
from typing import Any

from abierto.tasks import events
from docs.pages.words import Words, fenced, join, table


def page(words: Words) -> str:
    """The Markdown of the page."""
    example = "\n".join(str(events.to_wire(event)) for event in (events.Text("Hello"), events.Finish("stop")))
    return join(
        f"# {words('events', 'title')}",
        words("events", "introduction").format(version=events.VERSION),
        fenced(example.replace("'", '"')),
        *(_kind(name, kind, words) for name, kind in events.KINDS.items()),
    )


def _kind(name: str, kind: type[Any], words: Words) -> str:
    types = _types(kind)
    rows = [(f"`{item.name}`", f"`{types[item.name]}`", _default(item)) for item in fields(kind)]
    headings = [words("events", heading) for heading in ("field", "type", "default")]
    return join(f"## `{name}`", f"`{kind.__name__}`. {words('event', name)}", table(headings, rows)).rstrip("\n")


def _types(kind: type[Any]) -> dict[str, str]:
    """The types as the source writes them."""
    body = ast.parse(inspect.getsource(kind)).body[0]
    return {
        node.target.id: ast.unparse(node.annotation)
        for node in ast.walk(body)
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
    }


def _default(item: Field[Any]) -> str:
    if item.default is not MISSING:
        return f"`{item.default!r}`"
    return "`{}`" if item.default_factory is not MISSING else ""
