"""The models that a server holds: loaded on request, shared, kept for a while, and let go when others need the room.

A request takes a turn at a model: it waits until the model is loaded and has a free place, and gives the place back.
All that changes is behind one lock, and who waits is woken by every change. One model is loaded at a time, because
what fits is only known when the one before it has taken its memory. It knows no HTTP.
"""

import sys
import threading
from contextlib import suppress
from dataclasses import replace
from math import inf
from time import monotonic
from types import TracebackType

from abierto import catalog, config
from abierto.config import Settings
from abierto.errors import (
    AbiertoError,
    Cancelled,
    EngineFailed,
    EngineRestarting,
    LoadFailed,
    MemoryTaken,
    MissingFeature,
    NotEnoughMemory,
    NotLoaded,
    OptionOutOfRange,
    QueueFull,
    ServerStopping,
)
from abierto.runtime import choice
from abierto.runtime.model import Model, Stats, load
from abierto.runtime.resident import Refused, Resident, explained, out_of_memory, patience, retire_smaller, smaller
from abierto.runtime.tally import Newest, Tally

# Seconds. An engine that dies is started again at once; after that it waits twice as long each time, up to the last.
FIRST_PAUSE, LAST_PAUSE = 1.0, 60.0
# So long an engine must have lived for its death to count as the first one.
SOUND = 60.0
# Between two looks at whose time is over.
LOOK = 1.0
# A task that needs no load of its own -> the one that a model is loaded for.
LOADED_FOR = {"complete": "chat"}


class Turn:
    """A request's place at a model: `take` it in the thread that works, `leave` when the work is done.

    `cancel` may come from any thread, and wakes one that waits. resident: where it has been taken. waited: seconds
    until then, of which the model's start was a part.
    """

    def __init__(
        self,
        house: "Residents",
        name: str,
        task: str,
        needs: frozenset[str],
        keep_alive: float | None,
        context: int,
    ) -> None:
        self.name, self.needs, self.keep_alive, self.context = name, needs | {task}, keep_alive, context
        self.task = LOADED_FOR.get(task, task)
        self.resident: Resident | None = None
        self.cancelled = False
        self.waited = 0.0
        self._house = house

    def __enter__(self) -> Model:
        return self.take()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.leave()

    def take(self) -> Model:
        """The model, with a place in it. Raises what `Residents.turn` tells."""
        began = monotonic()
        self.resident = self._house.admit(self)
        self.waited = monotonic() - began
        assert self.resident.model, "a resident that admits is ready"
        return self.resident.model

    def suits(self, model: Model) -> bool:
        """Whether the model has what the request needs, and holds as much as it asks for."""
        return self.needs <= model.features and self.context <= model.context

    def leave(self, stats: Stats | None = None) -> None:
        """Give the place to the next. stats: what the answer cost."""
        if self.resident:
            self._house.release(self, self.resident, stats)
            self.resident = None

    def cancel(self) -> None:
        """Do not wait any longer."""
        self.cancelled = True
        self._house.wake()


class Residents:
    """The models of a server. Close it. tally: what they have done. engines: those that `prefer` was told, by model."""

    def __init__(self, settings: Settings | None = None) -> None:
        self.tally = Tally()
        self._settings = settings or config.settings()
        lock = threading.RLock()
        self.changed = threading.Condition(lock)
        self._stopping = threading.Condition(lock)
        self._one_load = threading.Lock()
        self._all: list[Resident] = []
        self._lines: dict[str, list[Turn]] = {}
        self._refused: dict[str, Refused] = Newest()  # clients may ask for any number of names
        self._deaths: dict[str, tuple[int, float]] = {}
        self.engines: dict[str, str] = {}
        self._closing = False
        self._sweeper = threading.Thread(target=self._sweep, daemon=True)
        self._sweeper.start()

    def turn(
        self,
        name: str,
        task: str = "chat",
        needs: frozenset[str] = frozenset(),
        keep_alive: float | None = None,
        context: int = 0,
    ) -> Turn:
        """A place at the model of this name that can do the task and what the request needs.

        keep_alive: seconds that the model stays after this; None: as it is. context: tokens that it must hold; one
        that holds less is loaded again, and the smaller one goes when it is idle. Taking it raises QueueFull,
        EngineRestarting, ServerStopping, MissingFeature, OptionOutOfRange, Cancelled, MemoryTaken, and what `load`
        raises.
        """
        return Turn(self, catalog.known_as(name or self._settings.model_for(task)), task, needs, keep_alive, context)

    def all(self) -> list[Resident]:
        """Those that are there or on their way, as they are now."""
        with self.changed:
            return [replace(resident) for resident in self._all]

    def refused(self) -> list[Refused]:
        """For each model that is not there any more, or could not come: why."""
        with self.changed:
            there = {resident.name for resident in self._all}
            return [refused for name, refused in self._refused.items() if name not in there]

    def pin(self, name: str, pinned: bool = True) -> None:
        """Keep a model whatever happens, or not any more. Raises NotLoaded."""
        with self.changed:
            for resident in self._named(catalog.known_as(name)):
                resident.pinned = pinned
            self.changed.notify_all()

    def prefer(self, name: str, engine: str) -> None:
        """Compute this model with an engine from now on; `auto`: as the settings say."""
        name = catalog.known_as(name)
        with self.changed:
            self.engines[name] = engine
            for other in self._all:
                if other.name == name and not other.computed_by(engine):
                    other.pinned, other.keep_alive = False, 0.0
            self._stopping.notify_all()

    def unload(self, name: str) -> None:
        """Let a model go as soon as its answers are done; those who wait for it load it again. Raises NotLoaded."""
        with self.changed:
            name = catalog.known_as(name)
            found = self._named(name)
            for resident in found:
                resident.pinned, resident.keep_alive = False, 0.0
            self._refused[name] = Refused(name, "stopped")
            self.changed.notify_all()
            self._stopping.notify_all()

    def let_go(self, name: str) -> None:
        """Let go of a model at once if it is idle, so that its files can be changed."""
        with self.changed:
            leaving = [one for one in self._all if one.idle and one.model and one.model.name == name]
            for resident in leaving:
                self._refused[resident.name] = Refused(resident.name, "stopped")
                self._remove(resident)
        for resident in leaving:
            assert resident.model
            resident.model.close()

    def close(self) -> None:
        """Let all go, and break off what is computed."""
        with self.changed:
            self._closing = True
            leaving, self._all = self._all, []
            for resident in leaving:
                resident.state = "gone"
            self.changed.notify_all()
            self._stopping.notify_all()
        for resident in leaving:
            if resident.model:
                resident.model.close()
        self._sweeper.join()

    def wake(self) -> None:
        """Have those who wait look again."""
        with self.changed:
            self.changed.notify_all()

    def admit(self, turn: Turn) -> Resident:
        """Wait for a place, and take it. Called by `Turn.take`."""
        joined: Resident | None = None
        with self.changed:
            line = self._lines.setdefault(turn.name, [])  # of this name there is one, as long as anybody waits
            if len(line) >= self._settings.queue:
                raise QueueFull(turn.name, len(line), patience(self._all, turn.name, len(line)))
            line.append(turn)
            try:
                while True:
                    if self._closing:
                        raise ServerStopping()
                    if turn.cancelled:
                        raise Cancelled()
                    if joined and joined.failure:
                        raise joined.failure
                    joined = self._able(turn)
                    if self._is_next(joined, turn, line):
                        joined.users += 1
                        joined.keep_alive = joined.keep_alive if turn.keep_alive is None else turn.keep_alive
                        return joined
                    joined.waiting += 1
                    self.changed.wait()
                    joined.waiting -= 1
            finally:
                line.remove(turn)
                if line:
                    self.changed.notify_all()
                else:
                    del self._lines[turn.name]

    def release(self, turn: Turn, resident: Resident, stats: Stats | None) -> None:
        """Give a place back. Called by `Turn.leave`."""
        with self.changed:
            resident.users -= 1
            resident.last_used = monotonic()
            resident.last = stats or resident.last
            self.tally.answered(resident.name, stats)
            self._lives(resident)
            self.changed.notify_all()

    def _named(self, name: str) -> list[Resident]:
        found = [resident for resident in self._all if name in (resident.name, resident.model and resident.model.name)]
        if not found:
            raise NotLoaded(name, sorted({resident.name for resident in self._all}))
        return found

    def _able(self, turn: Turn) -> Resident:
        """The resident that the turn is for, which may begin to be loaded now."""
        engine = self.engines.get(turn.name, choice.AUTO)
        there = [one for one in self._all if one.name == turn.name and self._lives(one) and one.computed_by(engine)]
        suiting = {one: one.model.context for one in there if one.model and turn.suits(one.model)}
        if suiting:
            return max(suiting, key=lambda one: suiting[one])
        for resident in there:
            if resident.model is None:
                if resident.context <= turn.context:
                    return resident
            elif lacking := turn.needs - resident.model.features:
                if turn.needs <= resident.needs:  # it was loaded for this, and there is nothing that can do it
                    raise MissingFeature(resident.model.engine, min(lacking))
            elif turn.context <= resident.context:  # as long as the engine could make it
                raise OptionOutOfRange("context", turn.context, 1, resident.model.context)
        self._raise_if_resting(turn)
        newcomer = Resident(turn.name, turn.task, turn.needs, float(self._settings.keep_alive), context=turn.context)
        self._all.append(newcomer)
        threading.Thread(target=self._begin, args=(newcomer,), daemon=True).start()
        return newcomer

    def _is_next(self, resident: Resident, turn: Turn, line: "list[Turn]") -> bool:
        """Whether there is a free place, and nobody before who could take it."""
        model = resident.model
        if model is None or resident.users >= model.max_concurrent:
            return False
        return next(other for other in line if other.suits(model)) is turn

    def _lives(self, resident: Resident) -> bool:
        """Whether it lives; one whose engine died in silence is taken out."""
        if resident.state == "ready" and resident.model and not resident.model.alive:
            self._died(resident)
        return resident.state != "gone"

    def _died(self, resident: Resident) -> None:
        count, when = self._deaths.get(resident.name, (0, -inf))
        self._deaths[resident.name] = (count + 1 if monotonic() - when < SOUND else 1), monotonic()
        self.tally.deaths[resident.name] += 1
        self._remove(resident)
        if resident.model:
            threading.Thread(target=resident.model.close, daemon=True).start()

    def _raise_if_resting(self, turn: Turn) -> None:
        """Raise EngineRestarting while an engine that dies again and again is left alone."""
        count, when = self._deaths.get(turn.name, (0, -inf))
        pause = min(FIRST_PAUSE * 2 ** (count - 2), LAST_PAUSE) if count > 1 else 0.0
        left = when + pause - monotonic()
        if left > 0:
            raise EngineRestarting(turn.name, max(1, round(left)))

    def _remove(self, resident: Resident) -> None:
        resident.state = "gone"
        if resident in self._all:
            self._all.remove(resident)
        self.changed.notify_all()

    def _begin(self, resident: Resident) -> None:
        with suppress(AbiertoError):  # it has been told to those who wait
            self._load(resident)

    def _load(self, resident: Resident) -> None:
        """Load in a thread of its own; whatever that dies of, those who wait shall hear of it."""
        model: Model | None = None
        try:
            with self._one_load:
                began = monotonic()
                model = self._made_room(resident)
        finally:
            if model is None:
                self._failed(resident, sys.exception())
        with self.changed:
            if self._closing:
                model.close()
                return
            resident.model, resident.state = model, "ready"
            resident.load_seconds, resident.last_used = monotonic() - began, monotonic()
            self.tally.loads[resident.name] += 1
            self._refused.pop(resident.name, None)
            retire_smaller(self._all, resident, model)
            self.changed.notify_all()

    def _failed(self, resident: Resident, fault: BaseException | None) -> None:
        error = fault if isinstance(fault, AbiertoError) else EngineFailed(resident.name, repr(fault))
        with self.changed:
            resident.failure = error
            self._refused[resident.name] = Refused(resident.name, "failed", error)
            self._remove(resident)

    def _made_room(self, resident: Resident) -> Model:
        """Load, and let idle models go one after the other, the one first that was not used for longest."""
        context = 0
        while True:
            try:
                return self._start(resident, context)
            except NotEnoughMemory as error:
                if not self._evict(resident):
                    raise explained(error, self.all()) from error
            except LoadFailed as error:
                if context or resident.context or not out_of_memory(error):
                    raise
                context = resident.notice = smaller(self._settings.context)
                if not context:
                    raise

    def _start(self, resident: Resident, context: int) -> Model:
        return load(
            resident.name,
            context=context or resident.context,
            use="many",
            needs=resident.needs,
            together=self._settings.users,
            task=resident.task,
            engine=self.engines.get(resident.name, ""),
            apart=True,
        )

    def _evict(self, newcomer: Resident) -> bool:
        """Let go of the idle model that was not used for longest; False when there is none."""
        with self.changed:
            idle = [resident for resident in self._all if resident.idle]
            if not idle:
                return False
            leaving = min(idle, key=lambda resident: resident.last_used)
            self._refused[leaving.name] = Refused(leaving.name, "evicted", MemoryTaken(newcomer.name, 0, 0))
            self.tally.evictions[leaving.name] += 1
            self._remove(leaving)
        assert leaving.model
        leaving.model.close()
        return True

    def _sweep(self) -> None:
        """Let go of those whose time is over."""
        while True:
            with self.changed:
                if self._closing:
                    return
                over = [resident for resident in self._all if resident.expires <= monotonic()]
                for resident in over:
                    self._refused.setdefault(resident.name, Refused(resident.name, "expired"))
                    self._remove(resident)
                if not over:
                    # Not woken by every change: that would cost each request more than its own work.
                    self._stopping.wait(LOOK)
            for resident in over:
                if resident.model:
                    resident.model.close()
