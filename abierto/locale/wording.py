"""Facts as words, of an error above all: sizes with units, lists with commas, inner codes as sentences."""

from typing import Any

from abierto.errors import (
    AbiertoError,
    AmbiguousFile,
    BadImage,
    CorruptFile,
    InvalidCard,
    ModelCannotSee,
    NotAModel,
    NotAnImage,
    NotConvertible,
    NotEnoughMemory,
    NotOffered,
    NotOurs,
    PromptTooLong,
    UnknownQuantization,
    UsageFault,
)
from abierto.locale import has, text
from abierto.locale.numbers import count, decimal, size

_SIZES = {"needed", "available", "free", "size", "received", "total", "limit_size", "bytes"}
_COUNTS = {"tokens", "context", "trained", "position", "fits_context"}


def words(error: AbiertoError) -> dict[str, str]:
    """Every fact of the error as it is to be read, by the name that the sentences use."""
    worded = {name: _word(name, value) for name, value in error.facts.items()}
    if isinstance(error, CorruptFile):
        worded["fault"] = text(f"fault.{error.fault}", **(error.about or {}))
    if isinstance(error, InvalidCard):
        worded["fault"] = text(f"card_fault.{error.fault}", **(error.about or {}))
    if isinstance(error, NotConvertible):
        worded["fault"] = text(f"making.{error.fault}", **(error.about or {}))
    if isinstance(error, UsageFault):
        worded["fault"] = text(f"usage.{error.fault}", **(error.about or {}))
    if isinstance(error, BadImage):
        about = error.about or {}
        unit = size if "bytes" in about else count
        told = {name: unit(fact) if isinstance(fact, int) else fact for name, fact in about.items()}
        worded["fault"] = text(f"fault.{error.fault}", **told)
    if isinstance(error, ModelCannotSee):
        worded["advice"] = text(f"sight.{error.reason}", **{**worded, "first": next(iter(error.able), "")})
    if isinstance(error, NotAModel | NotAnImage):
        worded["found"] = text(f"found.{error.found}")
    if isinstance(error, AmbiguousFile):
        worded["choices"] = ", ".join(f"{choice} ({size(bytes_)})" for choice, bytes_ in error.choices.items())
        chosen = error.best or next(iter(error.choices), "")
        worded["advice"] = text(f"ambiguous.{'best' if error.best else 'first'}", source=error.source, file=chosen)
    if isinstance(error, UnknownQuantization):
        sizes = {choice: size(bytes_) if bytes_ else text("word.unknown") for choice, bytes_ in error.choices.items()}
        worded["choices"] = ", ".join(f"{choice} ({size_})" for choice, size_ in sizes.items())
        worded["first"] = next(iter(error.choices), "")
    if owner := error.facts.get("owner"):
        worded["owner"] = text(f"owner.{owner}")
    if isinstance(error, NotOurs):
        repository = "/".join(error.name.split("/")[:2])
        worded["advice"] = text(f"removal.{error.owner}", name=error.name, path=error.path, repository=repository)
    if isinstance(error, NotOffered):
        worded["advice"] = text(f"instead.{error.instead}")
    if isinstance(error, PromptTooLong):
        longer = error.trained > error.context
        worded["advice"] = text("advice.longer_context" if longer else "advice.shorten", trained=count(error.trained))
    if isinstance(error, NotEnoughMemory):
        worded["advice"] = _memory_advice(error)
    return worded


def language(code: str) -> str:
    """The name of a language by its ISO 639-1 code; the code itself for one that has no name here."""
    return text(f"language.{code}") if has(f"language.{code}") else code


def _word(name: str, value: Any) -> str:
    if value is None:
        return text("word.unknown")
    if isinstance(value, list | tuple):
        return ", ".join(map(str, value)) or text("word.none")
    if name == "where":
        return text(f"where.{value}") if has(f"where.{value}") else str(value)
    if name in _SIZES:
        return size(value)
    if name in _COUNTS:
        return count(value)
    if isinstance(value, float):
        return decimal(value, 0 if value == int(value) else 2) if abs(value) < 1e15 else str(value)
    return str(value)


def _memory_advice(error: NotEnoughMemory) -> str:
    if error.fits_context:
        return text("advice.smaller_context", context=error.fits_context)
    if error.alternatives:
        return text("advice.smaller_model", models=", ".join(error.alternatives))
    return text("advice.free_memory")
