"""The model of a conversation: loaded, exchanged for another, loaded again. A failure leaves the old one in place."""

from dataclasses import dataclass, replace

from abierto import config
from abierto.cli import out
from abierto.cli.notices import claim_line
from abierto.cli.pull import offer
from abierto.errors import AbiertoError, ModelNotPulled
from abierto.runtime.model import Model, load
from abierto.runtime.resolve import resolve


@dataclass(frozen=True, slots=True)
class Choice:
    """What to load: the arguments of `load`. context 0: what is usual and fits."""

    name: str
    engine: str = ""
    context: int = 0
    projector: str = ""


def choose(name: str, engine: str = "", context: int = 0, projector: str = "") -> Choice:
    """The choice of a model by any name that it may have; a path is made absolute.

    Where a person can answer, a model that is not here is offered and fetched. Raises what `resolve` raises.
    """
    name = name or config.settings().model
    folder = config.folders().models
    try:
        target = resolve(name, folder)
    except ModelNotPulled as missing:
        offer(missing)
        target = resolve(name, folder)
    for claim in target.claims:
        out.note(claim_line(claim))
    # What is in no store is known by nothing but its path, and that has to hold in another folder too.
    path = target.files[0] if target.files and not (target.record or target.owner) else ""
    return Choice(path or name, engine, context, projector)


class Chosen:
    """The model that answers in a conversation."""

    def __init__(self, choice: Choice) -> None:
        self.choice = choice
        self._model: Model | None = _load(choice)

    @property
    def model(self) -> Model:
        """The loaded model; loaded now, if an earlier attempt failed."""
        if self._model is None:
            self._model = _load(self.choice)
        return self._model

    def change(self, choice: Choice) -> None:
        """Load another model, or the same in another way. Raises what `load` raises, with the old one loaded again."""
        self.close()
        try:
            self._model = _load(choice)
        except (AbiertoError, KeyboardInterrupt):
            self._model = _load(self.choice)
            raise
        self.choice = choice

    def change_context(self, context: int) -> None:
        """Load the same model with another context."""
        self.change(replace(self.choice, context=context))

    def reload(self) -> None:
        """Load the same model again, after its engine died."""
        self.close()
        self._model = _load(self.choice)

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        model, self._model = self._model, None
        if model:
            model.close()


def _load(choice: Choice) -> Model:
    return load(choice.name, engine=choice.engine, context=choice.context, projector=choice.projector)
