"""The person's own cards: YAML files of the same form as those of the catalog, in a folder of theirs.

A card here is written by hand, or by Abierto for a model that was made on this computer; then it states its lineage.
A file that is no card hides nothing else: `faults` tells of it. A shipped card of the same name goes before it.
"""

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, fields
from functools import cache
from pathlib import Path
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints
from urllib.parse import quote

from abierto import config
from abierto.catalog.card import Card, Evidence, Weights, read
from abierto.errors import InvalidCard
from abierto.formats.shape import Shape

MAX_SIZE = 1 << 20  # bytes; the longest shipped card has some 10 kB
LONGEST_NAME = 200  # characters
_SUFFIX = ".yaml"


def cards() -> dict[str, Card]:
    """The cards that can be read, by name."""
    return {card.name: card for _, card in files()}


def files() -> list[tuple[Path, Card]]:
    """The same, with the file of each."""
    return [(path, card) for path, card in _all() if isinstance(card, Card)]


def faults() -> list[InvalidCard]:
    """What is wrong with the files that cannot be read, or whose name another file has."""
    return [found for _, found in _all() if isinstance(found, InvalidCard)]


def save(card: Card) -> Path:
    """Write a card in one step, over an earlier one of the same name. Raises OSError."""
    import yaml

    body = {name: _plain(value) for name, value in asdict(card).items() if value not in (None, (), {}, "")}
    folder = config.folders().cards
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / (quote(card.name.lower(), safe="+=@-_.") + _SUFFIX)
    fresh = path.with_suffix(".new")
    fresh.write_text(yaml.safe_dump(body, allow_unicode=True, sort_keys=False, width=1000), "utf-8")
    fresh.replace(path)
    return path


def forget(name: str) -> None:
    """Delete the card that tells the lineage of a model, which was made here; a card written by hand stays."""
    for path, card in files():
        if card.name == name and card.lineage:
            with suppress(OSError):
                path.unlink()


def _all() -> list[tuple[Path, Card | InvalidCard]]:
    found: list[tuple[Path, Card | InvalidCard]] = []
    seen: dict[str, Path] = {}
    for path in _files():
        card = _read(path, *_state(path))
        if isinstance(card, Card) and (earlier := seen.setdefault(card.name.lower(), path)) != path:
            card = InvalidCard(str(path), "name_twice", {"name": card.name, "other": earlier.name})
        found.append((path, card))
    return found


def _files() -> list[Path]:
    try:
        return sorted(path for path in config.folders().cards.iterdir() if path.suffix == _SUFFIX)
    except OSError:
        return []


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError:
        return 0, 0
    return state.st_mtime_ns, state.st_size


@cache
def _read(path: Path, _changed: int, size: int) -> Card | InvalidCard:
    import yaml

    if size > MAX_SIZE:
        return InvalidCard(str(path), "too_large", {"limit": MAX_SIZE})
    try:
        return _checked(read(path.read_text("utf-8")))
    except InvalidCard as fault:
        return InvalidCard(str(path), fault.fault, fault.about)
    except (OSError, UnicodeDecodeError) as problem:
        return InvalidCard(str(path), "unreadable", {"detail": str(problem)})
    except (TypeError, KeyError, AttributeError, ValueError, RecursionError) as problem:
        return InvalidCard(str(path), "no_card", {"detail": _first_line(problem)})
    except yaml.YAMLError as problem:
        return InvalidCard(str(path), "no_yaml", {"detail": _first_line(problem)})


def _first_line(problem: Exception) -> str:
    return " ".join(str(problem).split())[:200]


def _checked(card: Card) -> Card:
    """The card, if every value is of the type that the field has. Raises InvalidCard without a path."""
    kinds: tuple[type[Card], type[Weights], type[Evidence], type[Shape]] = (Card, Weights, Evidence, Shape)
    parts: list[Any] = [card, *card.weights.values(), *card.projectors.values(), *card.evidence]
    parts += [card.blocks] if card.blocks else []
    for part in parts:
        hints = get_type_hints(next(kind for kind in kinds if isinstance(part, kind)))
        for field in fields(part):
            if not _fits(getattr(part, field.name), hints[field.name]):
                raise InvalidCard("", "bad_field", {"field": field.name})
    if not (card.name.isprintable() and card.name.strip() and len(card.name) < LONGEST_NAME):
        raise InvalidCard("", "bad_field", {"field": "name"})
    return card


def _fits(value: Any, hint: Any) -> bool:
    """Whether a value, as YAML gives it, is what a field of a card may hold."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return isinstance(value, str | int | float | bool | list | tuple)
    if origin is Mapping:
        return isinstance(value, Mapping) and all(
            isinstance(key, str) and _fits(item, inner[1]) for key, item in value.items()
        )
    if origin is tuple:
        return isinstance(value, tuple) and all(_fits(item, inner[0]) for item in value)
    if NoneType in inner:
        return value is None or any(_fits(value, one) for one in inner if one is not NoneType)
    return type(value) is hint


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item not in (None, (), {})}
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value
