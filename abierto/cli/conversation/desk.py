"""What the parts of a conversation work with: the talk, its model, the person's keyboard, the journal."""

from dataclasses import dataclass

from abierto.cli.conversation.keeping import Keeper
from abierto.cli.conversation.keyboard import Reader
from abierto.cli.conversation.loading import Chosen
from abierto.cli.conversation.state import Talk
from abierto.runtime.sight import FEATURE
from abierto.tasks.chat import ChatRequest


@dataclass(slots=True)
class Desk:
    """One conversation at work. stats: what each answer cost is shown; over: the person wants to leave."""

    talk: Talk
    chosen: Chosen
    keeper: Keeper
    reader: Reader
    stats: bool = False
    over: bool = False

    @property
    def sees(self) -> bool:
        """Whether the model that answers can see images."""
        return FEATURE in self.chosen.model.features

    def request(self, question: str = "", *, skip: int = 0, seed_shift: int = 0) -> ChatRequest:
        """See `Talk.request`."""
        return self.talk.request(question, skip=skip, seed_shift=seed_shift, sees=self.sees)

    def keep(self) -> None:
        """Keep the conversation as it is now, if conversations are kept."""
        if self.talk.exchanges or self.talk.question or self.talk.number is not None:
            self.keeper.keep(self.talk, self.chosen.choice.name)
