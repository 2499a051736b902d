# SPDX-License-Identifier: Apache-2.0
"""Whom the drawings are by, in words."""

from abierto.recipes.trazo.families import Family, Icon

_HEAD = """# Attribution

The pictures that Trazo has learned from, and the names of what they show. They were rasterised, recoloured, mirrored,
moved and scaled. Nobody named here endorses the model.

| set | by | licence | drawings | package |
|---|---|---|---|---|
"""
_NAMES = """
Names and keywords: emojibase-data (MIT, Miles Johnson) and Unicode CLDR (Unicode-3.0, © Unicode, Inc.).
"""


def attribution(families: list[Family], icons: list[tuple[Family, Icon]]) -> str:
    """The file that goes with data and weights."""
    lines = []
    for one in families:
        count = sum(family is one for family, _ in icons)
        by, terms = f"[{one.author}]({one.author_url})", f"[{one.license}]({one.license_url})"
        lines.append(f"| {one.title} | {by} | {terms} | {count} | {one.source.package} {one.source.version} |")
    return _HEAD + "\n".join(lines) + "\n" + _NAMES
