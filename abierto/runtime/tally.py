"""What the models of a server have done since it began, as numbers that only grow. It knows no clock and no HTTP."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TypeVar

from abierto.runtime.model import Stats

MOST_REMEMBERED = 64
Value = TypeVar("Value")


class Newest(dict[str, Value]):
    """What was set first goes when there are too many."""

    def __setitem__(self, name: str, value: Value) -> None:
        super().__setitem__(name, value)
        if len(self) > MOST_REMEMBERED:
            del self[next(iter(self))]


@dataclass(slots=True)
class Tally:
    """By the name of the model. Who counts holds the lock of the residents."""

    loads: Counter[str] = field(default_factory=Counter)
    evictions: Counter[str] = field(default_factory=Counter)
    deaths: Counter[str] = field(default_factory=Counter)
    prompt_tokens: Counter[str] = field(default_factory=Counter)
    completion_tokens: Counter[str] = field(default_factory=Counter)

    def answered(self, model: str, stats: Stats | None) -> None:
        """An answer was whole; None for one that was not."""
        if stats:
            self.prompt_tokens[model] += stats.prompt_tokens
            self.completion_tokens[model] += stats.completion_tokens
