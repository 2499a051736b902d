"""What one place says about a licence: one, one of several, or nothing that has a name."""

from dataclasses import dataclass, replace
from enum import StrEnum


class Outcome(StrEnum):
    """How far a reading goes. Only `KNOWN` names a licence; all others refuse to."""

    KNOWN = "known"  # exactly one licence or expression
    AMBIGUOUS = "ambiguous"  # one of `candidates`, and the place does not tell which
    CHANGED = "changed"  # begins as one of `candidates`, and says more, or less
    UNCHECKED = "unchecked"  # has the title of one of `candidates`, whose whole text nobody compared
    SEVERAL = "several"  # the texts of several licences
    UNNAMED = "unnamed"  # a licence of its own, and no name for it
    UNKNOWN = "unknown"  # something, and nothing that is known here
    ABSENT = "absent"  # nothing
    UNREADABLE = "unreadable"  # no text, or more of it than any licence has


@dataclass(frozen=True, slots=True)
class Reading:
    """What a place says. said: its words, shortened. license: an SPDX expression, only where the outcome is known.

    candidates: ids that it could be or resembles. added: of a changed text, the kinds of limiting words by which it
    differs. where: the place, as a path, a key or the name of a card.
    """

    outcome: Outcome
    said: str = ""
    license: str = ""
    candidates: tuple[str, ...] = ()
    added: tuple[str, ...] = ()
    where: str = ""

    @property
    def possible(self) -> frozenset[str]:
        """The licences that this place can mean; empty where that is open."""
        if self.outcome is Outcome.KNOWN:
            return frozenset({self.license})
        return frozenset(self.candidates) if self.outcome in (Outcome.AMBIGUOUS, Outcome.UNCHECKED) else frozenset()

    def at(self, where: str) -> "Reading":
        """The same, from this place."""
        return replace(self, where=where)
