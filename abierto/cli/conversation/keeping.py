"""What stays of a conversation: itself and the lines that were typed, in the journal.

Without a journal that works the conversation goes on: it is said once, and nothing is kept.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

from abierto import config
from abierto.cli import out
from abierto.cli.conversation.state import Talk
from abierto.errors import JournalUnavailable, UnknownConversation
from abierto.runtime.model import write_runs

if TYPE_CHECKING:
    from abierto.journal import Conversation, Journal

Result = TypeVar("Result")


class Keeper:
    """Writes to the journal. always: after every message, not only when the person says so."""

    def __init__(self, always: bool) -> None:
        self.always = always
        self._journal: Journal | None = None
        self._told = False

    @property
    def where(self) -> str:
        """The journal's database, without a password."""
        address = config.settings().journal
        return address.rpartition("@")[2] if address else str(config.folders().data / "journal.db")

    @property
    def works(self) -> bool:
        """Whether the journal can be opened."""
        return self._try(lambda journal: journal is not None, False)

    def keep(self, talk: Talk, model: str) -> None:
        """Keep the conversation as it is now, if conversations are kept."""
        if self.always:
            self._try(lambda _: self.save(talk, model), None)

    def save(self, talk: Talk, model: str) -> None:
        """Keep the conversation as it is now. Raises JournalUnavailable."""
        talk.number = self._open().keep_conversation(talk.number, model=model, **talk.to_kept())

    def kept(self) -> "list[Conversation]":
        """All kept conversations, the last changed first. Raises JournalUnavailable."""
        return self._open().conversations()

    def names(self) -> list[str]:
        """The names and numbers of the kept conversations; none where the journal does not work."""
        found: list[Conversation] = self._try(lambda journal: journal.conversations(), [])
        return [one.name or str(one.id) for one in found]

    def find(self, name: str) -> "Conversation":
        """The kept conversation of this name or number. Raises UnknownConversation, JournalUnavailable."""
        from difflib import get_close_matches

        found = self._open().conversation(name)
        if found is None:
            names = [one.name or str(one.id) for one in self.kept()]
            raise UnknownConversation(name, get_close_matches(name, names, n=3, cutoff=0.4) or names[:3])
        return found

    def add_line(self, line: str) -> None:
        """Remember a line that was typed, if conversations are kept."""
        if not self.always:
            return
        # What the terminal sent may hold bytes that are no text.
        self._try(lambda journal: journal.add_line(line.encode("utf-8", "replace").decode()), None)

    def lines(self) -> list[str]:
        """The lines that were typed, newest first."""
        return self._try(lambda journal: journal.lines(), [])

    def write_runs(self) -> None:
        """Write what the last answers cost."""
        try:
            write_runs()
        except JournalUnavailable as error:
            self._tell(error)

    def close(self) -> None:
        """Let the journal go."""
        if self._journal:
            self._journal.close()
            self._journal = None

    def _open(self) -> "Journal":
        from abierto.journal import Journal

        if self._journal is None:
            self._journal = Journal.at(config.folders().data, config.settings().journal)
        return self._journal

    def _try(self, action: "Callable[[Journal], Result]", otherwise: Result) -> Result:
        try:
            return action(self._open())
        except JournalUnavailable as error:
            self._tell(error)
            return otherwise

    def _tell(self, error: JournalUnavailable) -> None:
        if not self._told:
            self._told = True
            out.warn(error)
