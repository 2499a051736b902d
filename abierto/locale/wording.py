"""The facts of an error as words: sizes with units, lists with commas, inner codes as sentences."""

from typing import Any

from abierto.errors import AbiertoError, CorruptFile, NotAModel, NotEnoughMemory, UsageFault
from abierto.locale import has, text
from abierto.locale.numbers import count, decimal, size

_SIZES = {"needed", "available", "free", "size", "received", "total"}
_COUNTS = {"tokens", "context", "trained", "position", "fits_context"}


def words(error: AbiertoError) -> dict[str, str]:
    """Every fact of the error as it is to be read, by the name that the sentences use."""
    worded = {name: _word(name, value) for name, value in error.facts.items()}
    if isinstance(error, CorruptFile):
        worded["fault"] = text(f"fault.{error.fault}", **(error.about or {}))
    if isinstance(error, UsageFault):
        worded["fault"] = text(f"usage.{error.fault}", **(error.about or {}))
    if isinstance(error, NotAModel):
        worded["found"] = text(f"found.{error.found}")
    if isinstance(error, NotEnoughMemory):
        worded["advice"] = _memory_advice(error)
    return worded


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
