"""The page of the settings: names, defaults and variables from `abierto.config`, meanings from our words."""

from dataclasses import fields
from typing import Any

from abierto.config import FILE_NAME, Settings
from docs.pages.words import Words, fenced, join, table


def page(words: Words) -> str:
    """The Markdown of the page."""
    found = fields(Settings)
    rows = [
        (f"`{item.name}`", f"`{_toml(item.default)}`", f"`ABIERTO_{item.name.upper()}`", words("setting", item.name))
        for item in found
    ]
    headings = [words("settings", heading) for heading in ("setting", "default", "variable", "meaning")]
    example = "\n".join(f"{item.name} = {_toml(item.default)}" for item in found)
    return join(
        f"# {words('settings', 'title')}",
        words("settings", "introduction"),
        table(headings, rows),
        f"## {words('settings', 'file')}",
        words("settings", "where").format(file=FILE_NAME),
        fenced(example, "toml"),
        words("settings", "bad_value"),
        f"## {words('settings', 'others')}",
        words("settings", "variables"),
    )


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return f'"{value}"' if isinstance(value, str) else str(value)
