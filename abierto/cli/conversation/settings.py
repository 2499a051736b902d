"""`/set`: the numbers and strings that shape an answer, shown and changed."""

import shlex
from dataclasses import replace
from difflib import get_close_matches
from typing import Any

from abierto.cli import out
from abierto.cli.conversation import lines
from abierto.cli.conversation.desk import Desk
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.tasks.chat import RANGES, Sampling

WHOLE = ("top_k", "max_tokens", "seed")
NAMES = ("temperature", "top_p", "top_k", "min_p", "repeat_penalty", "seed", "max_tokens", "stop", "context")
DEFAULT = "default"


def change(desk: Desk, argument: str) -> None:
    """Show all settings, or one, or change one: NAME VALUE. What cannot be used is refused and changes nothing."""
    name, _, value = argument.partition(" ")
    name = name.lower().replace("-", "_")
    if not name:
        lines.show([(one, _shown(desk, one)) for one in NAMES])
    elif name not in NAMES:
        near = get_close_matches(name, NAMES, n=3, cutoff=0.4) or NAMES
        out.note(text("chat.set.unknown", name=name, near=", ".join(near)))
    elif not value.strip():
        lines.show([(name, _shown(desk, name))])
    elif name == "context":
        _change_context(desk, value.strip())
    elif name == "stop":
        _change_stop(desk, value.strip())
    else:
        _change_number(desk, name, value.strip())


def _shown(desk: Desk, name: str) -> str:
    if name == "context":
        return count(desk.chosen.model.context)
    value = getattr(desk.talk.sampling, name)
    if name == "stop" and value:
        return shlex.join(value)
    if value is not None and value != ():
        return str(value)
    card = desk.chosen.model.card
    by_card = card.defaults.get(name) if card else None
    return text("chat.set.by_engine") if by_card is None else text("chat.set.by_card", value=by_card)


def _change_number(desk: Desk, name: str, value: str) -> None:
    try:
        number = None if value == DEFAULT else _number(name, value)
    except ValueError:
        low, high = RANGES[name]
        kind = "whole" if name in WHOLE else "number"
        key = f"chat.set.{kind}" if high is not None else f"chat.set.{kind}_from"
        out.note(text(key, name=name, value=value, low=f"{low:g}", high=f"{high or 0:.0f}"))
        return
    changed: dict[str, Any] = {name: number}
    desk.talk.sampling = replace(desk.talk.sampling, **changed)
    desk.talk.retries = 0
    _changed(desk, name)


def _number(name: str, value: str) -> float:
    # In Spanish a decimal number has a comma.
    number = int(value) if name in WHOLE else float(value.replace(",", "."))
    # Refuses what is out of range before anything is changed; text that is no number is a ValueError.
    checked: float = getattr(Sampling(**{name: number}), name)  # type: ignore[arg-type]
    return checked


def _change_stop(desk: Desk, value: str) -> None:
    try:
        words = [] if value == DEFAULT else shlex.split(value)
    except ValueError:
        # A quotation mark without its other half is a part of the text.
        words = [value]
    desk.talk.sampling = replace(desk.talk.sampling, stop=tuple(word for word in words if word))
    _changed(desk, "stop")


def _change_context(desk: Desk, value: str) -> None:
    asked = "0" if value == DEFAULT else value
    if not asked.isdecimal():
        out.note(text("chat.set.whole", name="context", value=value, low="1", high=desk.chosen.model.trained))
        return
    desk.chosen.change_context(int(asked))
    _changed(desk, "context")


def _changed(desk: Desk, name: str) -> None:
    desk.keep()
    out.say(f"{name}: {_shown(desk, name)}")
