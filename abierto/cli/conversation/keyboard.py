"""What every way of reading a person's messages has in common: the contract, and when a message goes on."""

from typing import Protocol

PROMPT = "> "
CONTINUATION = "  "
QUOTES = '"""'


class Reader(Protocol):
    """Where messages come from."""

    def message(self, draft: str) -> str:
        """The next message; `draft` is already typed. Raises EOFError, and KeyboardInterrupt on an empty line."""
        ...

    def choice(self, highest: int) -> int:
        """A number from 1 to `highest`, or 0 for none of them."""
        ...


def unfinished(typed: str) -> bool:
    """Whether a block in triple quotes is still open."""
    return typed.lstrip().startswith(QUOTES) and typed.count(QUOTES) < 2


def unquoted(typed: str) -> str:
    """The message without the triple quotes around it and the empty lines at its ends."""
    inner = typed.strip()
    if inner.count(QUOTES) == 2 and inner.startswith(QUOTES) and inner.endswith(QUOTES):
        typed = inner.removeprefix(QUOTES).removesuffix(QUOTES)
    return typed.strip("\n").rstrip()
