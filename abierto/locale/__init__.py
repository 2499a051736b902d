"""Every sentence that a person sees, in English and Spanish: `en.json` and `es.json` hold them by key.

A key names what is said, never where. `text` fills the placeholders; numbers, sizes and times are worded by
`abierto.locale.numbers` first, since the two languages write them differently.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import cache
from pathlib import Path
from typing import Any

from abierto.errors import AbiertoError

LANGUAGES = ("en", "es")
_current = "en"
# The language of one answer of a server that serves people of both.
_here: ContextVar[str] = ContextVar("language", default="")


def use(language: str) -> None:
    """Choose the language of all that follows: `en`, `es`, or a longer tag such as `es_MX.UTF-8`; else English."""
    global _current
    _current = choose(language)


@contextmanager
def speaking(language: str) -> Iterator[None]:
    """Use another language inside, in this thread alone; an empty one changes nothing."""
    before = _here.set(choose(language) if language else _here.get())
    try:
        yield
    finally:
        _here.reset(before)


def current() -> str:
    """The language in use: `en` or `es`."""
    return _here.get() or _current


def choose(tag: str) -> str:
    """The language of ours that a locale tag asks for."""
    wanted = tag.replace("-", "_").split("_")[0].split(".")[0].lower()
    return wanted if wanted in LANGUAGES else "en"


def asked(header: str) -> str:
    """The first language of ours that an Accept-Language header names; empty where it names none."""
    tags = (part.partition(";")[0].strip().partition("-")[0].lower() for part in header.split(","))
    return next((tag for tag in tags if tag in LANGUAGES), "")


@cache
def sentences(language: str) -> dict[str, str]:
    """All sentences of a language by key."""
    found: dict[str, str] = json.loads(Path(__file__).with_name(f"{language}.json").read_text("utf-8"))
    return found


def text(key: str, /, **values: Any) -> str:
    """The sentence for a key, with its placeholders filled. Raises KeyError on a key that does not exist."""
    return sentences(current())[key].format(**values)


def has(key: str) -> bool:
    """Whether there is a sentence for this key."""
    return key in sentences("en")


def next_step(code: str) -> str:
    """What to do about an error of which only the code is known any more; empty where that depends on its facts."""
    key = f"error.{code}.hint"
    said = sentences(current()).get(key, "")
    return "" if "{" in said else said


def tell(error: AbiertoError) -> tuple[str, str]:
    """What happened and what to do next, for an error."""
    from abierto.locale.wording import words

    values = words(error)
    return text(f"error.{error.code}", **values), text(f"error.{error.code}.hint", **values)
