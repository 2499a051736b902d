"""Reads what the front matter of a model's README says: the model that it was made of, data, licence.

Only the keys that are asked for are parsed, since a card may hold a thousand results of evaluations; aliases, by which
a few lines can stand for gigabytes, are refused. Keys: https://huggingface.co/docs/hub/model-cards.
"""

import re
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing
from abierto.formats.contents import Contents, Facts, Finding, short

MAX_SIZE = 4_000_000  # bytes of the file that are looked at
MAX_PART = 64_000  # characters of the keys that are asked for
MAX_ITEMS = 100
DEEPEST = 4
_KEYS = ("base_model", "datasets", "license", "license_name", "library_name", "pipeline_tag")
_KEY = re.compile(r"(?m)^([A-Za-z_][\w-]*)[ \t]*:")


def read(path: Path) -> Contents:
    """What the card says; without front matter nothing. Raises FileMissing."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SIZE).decode("utf-8-sig", "replace")
    except OSError as error:
        raise FileMissing(str(path)) from error
    body, findings = front_matter(text)
    more = {key: said for key in ("pipeline_tag", "library_name") if (said := _texts(body.get(key)))}
    facts = Facts(
        license=" ".join(_texts(body.get("license_name")) or _texts(body.get("license"))),
        lineage=_texts(body.get("base_model")),
        datasets=_texts(body.get("datasets")),
        more={key: said[0] for key, said in more.items()},
    )
    return Contents("model_card", facts=facts, findings=findings)


def front_matter(text: str) -> tuple[dict[str, Any], tuple[Finding, ...]]:
    """The keys that are asked for, and what is wrong with them."""
    import yaml

    part = _asked(text)
    if len(part) > MAX_PART:
        return {}, (Finding("card_too_large", "fault", {"limit": MAX_PART}),)
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        depth = 0
        for event in yaml.parse(part, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if isinstance(event, yaml.AliasEvent) or depth > DEEPEST:
                return {}, (Finding("card_bomb", "fault"),)
        body = yaml.load(part, Loader=loader)  # noqa: S506 - both are safe
    except (yaml.YAMLError, ValueError):  # ValueError: a date that is none
        return {}, (Finding("card_unreadable", "fault"),)
    return (body if isinstance(body, dict) else {}), ()


def _asked(text: str) -> str:
    """The lines of the front matter that hold the keys that are asked for."""
    lines = text.split("\n", 1)
    if lines[0].rstrip() != "---" or len(lines) < 2:
        return ""
    end = re.search(r"(?m)^---[ \t]*\r?$", lines[1])
    head = lines[1][: end.start()] if end else ""
    starts = [(found[1], found.start()) for found in _KEY.finditer(head)]
    ends = [start for _, start in starts[1:]] + [len(head)]
    return "".join(head[start:end] for (key, start), end in zip(starts, ends, strict=False) if key in _KEYS)


def _texts(found: Any) -> tuple[str, ...]:
    items = found if isinstance(found, list) else [found]
    return tuple(short(item) for item in items[:MAX_ITEMS] if isinstance(item, str) and item)
