"""Makes the error for a file that cannot be true. It knows nothing of formats."""

from abierto.errors import CorruptFile

LONGEST_FACT = 100  # characters


def corrupt(path: str, fault: str, **about: object) -> CorruptFile:
    """The error, with what the file says about itself made safe to print: shortened, no control characters."""
    return CorruptFile(path, fault, {name: _harmless(fact) for name, fact in about.items()})


def _harmless(fact: object) -> object:
    if not isinstance(fact, str):
        return fact
    short = fact if len(fact) <= LONGEST_FACT else fact[: LONGEST_FACT - 1] + "…"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in short)
