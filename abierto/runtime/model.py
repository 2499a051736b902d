"""A loaded model as the rest of Abierto sees it: fitted, locked, counted, measured and recorded.

Nothing above this module can tell which engine answers, or in which process.
"""

from collections.abc import Callable, Generator, Iterator, Mapping
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from functools import partial
from math import inf
from time import monotonic, perf_counter
from types import TracebackType
from typing import Any

from abierto import catalog, config, engines, machine
from abierto.catalog import Card
from abierto.config import Settings
from abierto.engines import session
from abierto.engines.session import LoadOptions, Session
from abierto.errors import AbiertoError, LoadFailed, NoChatModel, PromptTooLong
from abierto.runtime import child, choice, drawing, remotes, shared, sight, thought
from abierto.runtime.choice import Variant
from abierto.runtime.fit import Plan, plan_first
from abierto.runtime.refusal import explained
from abierto.runtime.resolve import Target, resolve
from abierto.store import locks
from abierto.tasks import Request
from abierto.tasks.chat import ChatRequest, Sampling
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Event, Finish, Image, ImagePreview, Reasoning, Text, ToolCallDelta, Usage


@dataclass(frozen=True, slots=True)
class Stats:
    """What one answer cost. Times in seconds, memory in bytes; speeds in tokens per second."""

    prompt_tokens: int
    cached_tokens: int
    completion_tokens: int
    prompt_seconds: float
    generation_seconds: float
    first_token_seconds: float
    memory: int

    @property
    def prompt_speed(self) -> float:
        """Tokens of the prompt that were read per second; those still known from before do not count."""
        return (self.prompt_tokens - self.cached_tokens) / self.prompt_seconds if self.prompt_seconds else 0.0

    @property
    def generation_speed(self) -> float:
        """Tokens of the answer per second."""
        return self.completion_tokens / self.generation_seconds if self.generation_seconds else 0.0


class Model:
    """A loaded model. Close it, or use it in a `with` block.

    context: tokens that a conversation may hold, of `max_concurrent` at once. last: what the last answer cost, None
    before the first. estimate: bytes that it was expected to take, 0 where that is unknown. pid: the process that
    computes. claims: what else answers to the name that it was loaded by. variant: the engine as it was set. recorded:
    another process writes into the journal what runs. remote: the computer that the words go to; empty for this one.
    """

    def __init__(self, target: Target, session: Session, variant: Variant, fitted: Plan, held: ExitStack) -> None:
        self.name = target.name
        self.variant = variant
        self.card: Card | None = target.card
        self.claims = target.claims
        self.remote = target.remote.provider.host if target.remote else ""
        self.engine = session.engine
        self.features = session.features
        self.context = session.context
        self.max_concurrent = session.max_concurrent
        self.pid = session.pid
        self.estimate = fitted.estimate
        self.trained = fitted.trained or session.context
        self.last: Stats | None = None
        self.recorded = getattr(session, "recorded", False)
        self._target = target
        self._session = session
        self._held = held
        self._weighed: tuple[float, int] = (-inf, 0)

    def count_tokens(self, request: Request) -> int:
        """The tokens of a request, of a chat with its images, as the model will read them.

        Raises what `sight.check` and `thought.check` raise.
        """
        self._check(request)
        return self._session.count_tokens(request)

    def run(self, request: Request) -> "Answering":
        """The answer, event by event.

        Its first event raises PromptTooLong where that is so: a context is never cut in silence. Raises MissingFeature,
        and what `sight.check` and `thought.check` raise.
        """
        self._check(request)
        if isinstance(request, ChatRequest | CompleteRequest):
            defaults = Sampling(**self.card.defaults) if self.card else Sampling()
            request = replace(request, sampling=request.sampling.over(defaults))
        elif isinstance(request, DrawRequest):
            request = drawing.completed(request, self.card)
        return Answering(self, session.run(self._session, request), request)

    def require_sight(self) -> None:
        """Raise ModelCannotSee for a model that no image can be shown."""
        sight.require(self._target, self.engine, self.features)

    @property
    def alive(self) -> bool:
        """Whether it can answer: a process of its own may have died in silence."""
        return getattr(self._session, "alive", True)

    def memory(self) -> int:
        """Bytes that the process which computes holds, as the operating system counts them; up to a second old."""
        now = monotonic()
        # Counting goes through all pages, which may take longer than a short answer.
        if now - self._weighed[0] > 1.0:
            self._weighed = now, machine.process_memory(self.pid)
        return self._weighed[1]

    def close(self) -> None:
        """Give the memory back and let others change the model's files."""
        self._session.close()
        self._held.close()

    def __enter__(self) -> "Model":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _check(self, request: Request) -> None:
        if isinstance(request, ChatRequest):
            sight.check(request, self._target, self.engine, self.features)
            thought.check(request, self._target)


class Answering(Iterator[Event]):
    """The events of one answer, measured and recorded. stats: what it cost, None until it is whole.

    `close` cancels, and may be called from another thread where the model is in a process of its own.
    """

    def __init__(self, model: Model, events: Iterator[Event], request: Request) -> None:
        self.stats: Stats | None = None
        self._model, self._events, self._request = model, events, request
        self._started, self._first = perf_counter(), 0.0
        self._usage, self._outcome = Usage(0, 0), "cancelled"
        self._recorded = self._record_all()

    def __next__(self) -> Event:
        return next(self._recorded)

    def feed(self, sink: child.Sink) -> None:
        """As the sessions of `child` do it; for others the events are told before this returns."""
        if isinstance(self._events, child.Answer):
            self._events.feed(partial(self._pass_on, sink))
            return
        try:
            for event in self:
                sink(event)
        except AbiertoError as error:
            sink(error)
        else:
            sink(None)

    def close(self) -> None:
        """Cancel."""
        with suppress(ValueError):  # a generator runs in another thread: it is not closed, but its source is
            _close(self._events)
        with suppress(ValueError):
            self._recorded.close()

    def _pass_on(self, sink: child.Sink, item: Event | AbiertoError | None) -> None:
        if item is None or isinstance(item, AbiertoError):
            item = self._failed(item) if item else None
            self._record()
        else:
            item = self._see(item)
        sink(item)

    def _record_all(self) -> Generator[Event, None, None]:
        self._started = perf_counter()
        try:
            for event in self._events:
                yield self._see(event)
        except AbiertoError as error:
            raise self._failed(error) from error.__cause__
        finally:
            _close(self._events)
            self._record()

    def _see(self, event: Event) -> Event:
        """The event as it goes on: an image has its note in it."""
        if isinstance(event, Usage):
            self._usage = event
        elif isinstance(event, Finish):
            self._outcome = event.reason
            self._model.last = self.stats = self._measured(self._usage, self._first)
        elif not self._first and isinstance(event, Text | Reasoning | ToolCallDelta | ImagePreview | Image):
            self._first = perf_counter() - self._started
        if isinstance(event, Image) and isinstance(self._request, DrawRequest):
            return drawing.noted(event, self._request, self._model.name)
        return event

    def _failed(self, error: AbiertoError) -> AbiertoError:
        self._outcome = error.code
        if isinstance(error, PromptTooLong):
            return PromptTooLong(error.tokens, error.context, self._model.trained)
        return error

    def _measured(self, usage: Usage, first: float) -> Stats:
        return Stats(
            prompt_tokens=usage.prompt_tokens,
            cached_tokens=usage.cached_tokens,
            completion_tokens=usage.completion_tokens,
            prompt_seconds=usage.prompt_seconds,
            generation_seconds=usage.generation_seconds,
            first_token_seconds=first,
            memory=self._model.memory(),
        )

    def _record(self) -> None:
        model = self._model
        if model.recorded:
            return
        facts: dict[str, Any] = {"model": model.name, "engine": model.engine, "task": self._request.task}
        facts["outcome"] = self._outcome
        if stats := self.stats:
            facts |= {
                "prompt_tokens": stats.prompt_tokens,
                "completion_tokens": stats.completion_tokens,
                "prompt_seconds": stats.prompt_seconds,
                "generation_seconds": stats.generation_seconds,
                "first_token_seconds": stats.first_token_seconds,
                "memory_estimate": model.estimate or None,
                "memory_measured": stats.memory,
            }
        _RUNS.append(facts)


# Numbers of runs that wait to be written. Writing takes a database, which would stand between a person and the
# answer; `write_runs` is called when nobody waits.
_RUNS: list[dict[str, Any]] = []


def write_runs() -> None:
    """Write what was measured into the journal. Raises JournalUnavailable; the numbers are then dropped."""
    if not _RUNS:
        return
    from abierto.journal import Journal

    waiting: list[dict[str, Any]] = []
    while _RUNS:  # answers in other threads may add to them meanwhile
        waiting.append(_RUNS.pop(0))
    journal = Journal.at(config.folders().data, config.settings().journal)
    journal.add_runs(waiting)
    journal.close()


def load(
    name: str = "",
    *,
    engine: str = "",
    context: int = 0,
    use: str = "one_user",
    needs: frozenset[str] = frozenset(),
    prompt: int = 0,
    projector: str = "",
    together: int = 1,
    task: str = "chat",
    apart: bool = False,
) -> Model:
    """Load a model by name: a card, a pulled model, a path or a source; without one, the model of the settings.

    engine: a name from `engines.ENGINES`; empty or `auto`: the fastest for this use, by what `tune` measured; without
    a measurement the first that reads the file. context: tokens of the conversation; 0: what is usual and fits.
    use: one of `choice.USES`. needs: the features that the requests will need. prompt: about how many tokens they have.
    projector: path of the file that it sees with; empty: the one that came with it, if one did. together: how many
    conversations at once, each with the whole context; 0: as many as take little of the memory. task: what it is for,
    as in `LoadOptions`. apart: in a process of its own whatever it is, and never from a path or a source. Without it, a
    model that the server of this home has ready is used there.
    Raises NoChatModel, and what `drawing.require`, `resolve`, `with_projector`, `plan_first`, `candidates` and
    `engines.load` raise.
    """
    settings, models = config.settings(), config.folders().models
    name, engine = name or settings.model_for(task), engine or settings.engine
    card = catalog.find_form(name)[0]
    if card and not card.chats and task == "chat":
        raise NoChatModel(card.name, card.pipeline_tag)  # before anybody fetches it for nothing
    if card and task == "draw":
        drawing.require(card)
    with ExitStack() as held:
        target = resolve(name, models, anywhere=not apart)
        if target.record:
            held.enter_context(locks.use(models, target.record))
            # Only now is it certain that nobody replaces the files.
            target = resolve(name, models, anywhere=not apart)
        target = sight.with_projector(target, projector, models)
        # Whoever has a model that sees expects it to see, whatever engine is the fastest for words.
        needs |= {sight.FEATURE} if target.projector else set()
        if not (apart or projector) and (served := shared.find(target, engine, context, needs, together, task)):
            variant = Variant(served.engine, served.threads, served.settings)
            return Model(target, served, variant, served.fitted, held.pop_all())
        variants = choice.candidates(target, engine, settings, use, needs, prompt)
        variants, fitted = plan_first(target, variants, context, settings, together)
        options = LoadOptions(fitted.context, 0, fitted.together, target.projector, task)
        start = partial(_start_apart if apart else _start, target)
        secrets = remotes.engine_settings(target.remote) if target.remote else {}
        session, variant = _first_able(variants, target, start, options, settings, needs | {task}, secrets)
        return Model(target, session, variant, fitted, held.pop_all())


_Start = Callable[[str, LoadOptions], Session]


def _first_able(
    variants: list[Variant],
    target: Target,
    start: _Start,
    wanted: LoadOptions,
    settings: Settings,
    needs: frozenset[str],
    secrets: Mapping[str, str],
) -> tuple[Session, Variant]:
    """The session of the first variant that loads and can do what is needed; else of one that at least loads.

    secrets: engine settings that are kept nowhere.
    """
    refusals: list[tuple[LoadFailed, LoadOptions]] = []
    for index, variant in enumerate(variants):
        others = [other.engine for other in variants[index + 1 :] if other.engine != variant.engine]
        engine_settings = {**choice.engine_settings(variant, settings), **secrets}
        options = replace(wanted, threads=choice.threads(variant, settings), settings=engine_settings)
        try:
            session = start(variant.engine, options)
        except LoadFailed as error:
            refusals.append((error, options))
            continue
        if needs <= session.features or not others:
            return session, variant
        session.close()
    assert refusals, "there is always a variant"
    raise explained(refusals, target) from refusals[0][0].__cause__


def _start(target: Target, engine: str, options: LoadOptions) -> Session:
    files = list(target.files)
    if target.format != "remote" and (not target.vouched or target.projector):
        # Native code can die of a file that was made to kill it; then it must not be this process that dies. With a
        # projector every image is such a file.
        return child.load(engine, files, options)
    try:
        return engines.load(engine, files, options)
    except LoadFailed:
        # In a process of its own the engine can say why.
        return child.load(engine, files, options)


def _start_apart(target: Target, engine: str, options: LoadOptions) -> Session:
    return child.load(engine, list(target.files), options)


def _close(events: Iterator[Event]) -> None:
    close = getattr(events, "close", None)
    if close:
        close()
