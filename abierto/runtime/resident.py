"""A model in a server, as it is now, and why one is not there. What changes it is in `residents`."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from math import inf
from time import monotonic

from abierto.errors import AbiertoError, LoadFailed, MemoryTaken, NotEnoughMemory
from abierto.runtime.choice import AUTO
from abierto.runtime.model import Model, Stats

USUAL_CONTEXT, SHORTEST_CONTEXT = 8192, 512  # tokens
# What an engine that found no memory says of it, or the system that ended it for that.
_NO_MEMORY = ("alloc", "memory", "SIGKILL")


@dataclass(eq=False, slots=True)
class Resident:
    """A model in the server, or on its way there. Times are `monotonic` seconds, sizes bytes.

    task: what it was loaded for; needs: what it has to have for those who had it loaded, the task among it.
    state: `loading`, `ready` or `gone`. users: answers that are computed now; waiting: requests that wait for a place.
    keep_alive: seconds after the last answer; negative: for ever. pinned: never let go, neither to make room nor for
    time. notice: the context that it was loaded with after memory had run out with the one that was meant, 0 if it had
    not. failure: why it could not be loaded. last: what its last answer cost. context: tokens that a request asked for,
    0 where none did.
    """

    name: str
    task: str
    needs: frozenset[str]
    keep_alive: float
    state: str = "loading"
    model: Model | None = None
    users: int = 0
    waiting: int = 0
    pinned: bool = False
    last_used: float = field(default_factory=monotonic)
    load_seconds: float = 0.0
    notice: int = 0
    failure: AbiertoError | None = None
    last: Stats | None = None
    context: int = 0

    @property
    def idle(self) -> bool:
        """Whether it may be let go."""
        return self.state == "ready" and not self.users and not self.waiting and not self.pinned

    def computed_by(self, engine: str) -> bool:
        """Whether it is, or may yet be, computed by this engine; by `auto` all are."""
        return engine == AUTO or self.model is None or self.model.engine == engine

    @property
    def expires(self) -> float:
        """When it is let go if nobody asks."""
        return inf if self.keep_alive < 0 or not self.idle else self.last_used + self.keep_alive


@dataclass(frozen=True, slots=True)
class Refused:
    """Why a model is not there: `error`, or that it was let go (`evicted` for another's sake, `expired`, `stopped`)."""

    name: str
    reason: str
    error: AbiertoError | None = None


def out_of_memory(error: LoadFailed) -> bool:
    """Whether a model could not be loaded for want of memory."""
    return any(word in error.detail for word in _NO_MEMORY)


def smaller(context: int) -> int:
    """Half the context of the settings that did not go well, or 0 where that is too little to be of use."""
    half = (context or USUAL_CONTEXT) // 2
    return half if half >= SHORTEST_CONTEXT else 0


def retire_smaller(residents: Iterable[Resident], newcomer: Resident, model: Model) -> None:
    """Let those go, when they are idle, that do nothing which the newcomer cannot do with a longer context."""
    for other in residents:
        same = (other.name, other.task) == (newcomer.name, newcomer.task)
        if same and other.model and other.model.engine == model.engine and other.model.context < model.context:
            other.keep_alive = 0.0


def patience(residents: Iterable[Resident], name: str, waiting: int) -> int:
    """Seconds until a place may be free: as long as the last answers took, for all who wait before."""
    lasts = [(one.last, one.model) for one in residents if one.name == name and one.last and one.model]
    took = max((last.prompt_seconds + last.generation_seconds for last, _ in lasts), default=1.0)
    places = sum(model.max_concurrent for _, model in lasts) or 1
    return max(1, round(took * waiting / places))


def explained(error: NotEnoughMemory, residents: Iterable[Resident]) -> AbiertoError:
    """Why there is no memory: with the names of those who hold it, if somebody does."""
    there = [resident for resident in residents if resident.state == "ready"]
    if not there:
        return error
    busy = [resident.name for resident in there if resident.users]
    pinned = [resident.name for resident in there if resident.pinned and not resident.users]
    return MemoryTaken(error.model, error.needed, error.available, busy, pinned)
