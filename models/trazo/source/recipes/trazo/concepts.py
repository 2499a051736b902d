# SPDX-License-Identifier: Apache-2.0
"""What a drawing shows: one concept for each emoji that is kept, named in English and Spanish.

Names, groups and keywords are those of emojibase and of CLDR. It knows no drawings.
"""

from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.recipes.trazo.packages import members
from abierto.recipes.trazo.settings import LANGUAGES, Settings

_PLAIN = "FE0F"  # asks for the coloured form; some sets write it, some do not
_GENDERED = ("2640", "2642")
_MAN_OR_WOMAN = ("1F468-200D", "1F469-200D")


@dataclass(frozen=True, slots=True)
class Concept:
    """key: code points in hexadecimal. labels, keywords and groups: by language; the label is in no keyword."""

    key: str
    group: str
    subgroup: str
    labels: dict[str, str]
    keywords: dict[str, list[str]]
    groups: dict[str, str]


def read(settings: Settings, folder: Path) -> dict[str, Concept]:
    """The concepts that are kept, by their key, in the order of Unicode. Raises FileMissing, CorruptFile."""
    names = next(source for source in settings.sources if source.use == "names")
    tables = {language: _names(folder / names.local, language) for language in LANGUAGES}
    annotations = _annotations(settings, folder)
    groups, subgroups = tables["en"][1], tables["en"][2]
    kept: dict[str, Concept] = {}
    for entry in sorted(tables["en"][0].values(), key=lambda one: one.get("order", 0)):
        group, subgroup = groups.get(entry.get("group")), subgroups.get(entry.get("subgroup"))
        if group is None or subgroup is None or _left_out(settings, entry["hexcode"], group, subgroup):
            continue
        key = plain(entry["hexcode"])
        kept[key] = _concept(key, entry, (group, subgroup), tables, annotations)
    return kept


def ambiguous(concepts: dict[str, Concept]) -> frozenset[str]:
    """The words that are the name of a thing, or keywords of several."""
    names = {name for concept in concepts.values() for name in concept.labels.values()}
    times = Counter(word for one in concepts.values() for language in LANGUAGES for word in set(one.keywords[language]))
    return frozenset(names | {word for word, count in times.items() if count > 1})


def plain(code_points: str) -> str:
    """The key of a sequence of code points: capitals, without the sign that asks for colours."""
    return "-".join(part for part in code_points.upper().split("-") if part != _PLAIN)


def _names(archive: Path, language: str) -> tuple[dict[str, Any], dict[int, str], dict[int, str]]:
    entries, messages = members(archive, f"{language}/data.json", f"{language}/messages.json")
    keys = "key" if language == "en" else "message"
    return (
        {entry["hexcode"]: entry for entry in entries},
        {group["order"]: group[keys] for group in messages["groups"]},
        {group["order"]: group[keys] for group in messages["subgroups"]},
    )


def _annotations(settings: Settings, folder: Path) -> dict[str, dict[str, Any]]:
    source = next(source for source in settings.sources if source.use == "keywords")
    found = members(folder / source.local, *(f"annotations/{one}/annotations.json" for one in LANGUAGES))
    return {language: body["annotations"]["annotations"] for language, body in zip(LANGUAGES, found, strict=True)}


def _left_out(settings: Settings, code_points: str, group: str, subgroup: str) -> bool:
    """Flags and signs; and of people what differs from another emoji in being a man or a woman alone."""
    if group in settings.data.left_out_groups or subgroup in settings.data.left_out_subgroups:
        return True
    return code_points.startswith(_MAN_OR_WOMAN) or any(sign in code_points.split("-") for sign in _GENDERED)


def _concept(
    key: str,
    entry: dict[str, Any],
    groups: tuple[str, str],
    tables: dict[str, tuple[dict[str, Any], dict[int, str], dict[int, str]]],
    annotations: dict[str, dict[str, Any]],
) -> Concept:
    labels, keywords, named = {}, {}, {}
    for language in LANGUAGES:
        known = tables[language][0].get(entry["hexcode"], entry)
        label = known["label"].casefold()
        more = annotations[language].get(entry["emoji"].replace("\ufe0f", ""), {}).get("default", [])
        words = dict.fromkeys(word.casefold() for word in [*known.get("tags", []), *more])
        labels[language] = label
        keywords[language] = [word for word in words if word != label]
        named[language] = tables[language][2][entry["subgroup"]] if language != "en" else groups[1].replace("-", " ")
    return Concept(key, *groups, labels, keywords, named)
