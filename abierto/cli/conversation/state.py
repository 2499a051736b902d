"""What a conversation consists of: what was said, what was set, and what the model is told of it.

It knows no terminal and no journal; `to_kept` and `resume` give and take the form in which the journal keeps it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from abierto.cli.conversation import pictures
from abierto.cli.conversation.pictures import Picture
from abierto.locale import text
from abierto.runtime.model import Stats
from abierto.tasks.chat import ChatRequest, Message, Sampling

TITLE_LENGTH = 60
SEEDS = 2**32 - 1


@dataclass(frozen=True, slots=True)
class Exchange:
    """A question with its images, and the answer. stopped: the person did not let it end."""

    question: str
    answer: str
    stopped: bool = False
    pictures: tuple[Picture, ...] = ()


@dataclass(slots=True)
class Totals:
    """What all answers of a conversation cost. Times in seconds."""

    answers: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    prompt_seconds: float = 0.0
    generation_seconds: float = 0.0

    def add(self, stats: Stats) -> None:
        """Count one more answer. Tokens that were still known from before were not read again."""
        self.answers += 1
        self.prompt_tokens += stats.prompt_tokens - stats.cached_tokens
        self.completion_tokens += stats.completion_tokens
        self.prompt_seconds += stats.prompt_seconds
        self.generation_seconds += stats.generation_seconds


@dataclass(slots=True)
class Talk:
    """A conversation.

    summary: what stands for exchanges that were summed up. question: one that has no answer yet.
    draft: text that belongs in the input line. pictures: images that go with the next question.
    number, name: under which the journal keeps it.
    """

    system: str = ""
    summary: str = ""
    exchanges: list[Exchange] = field(default_factory=list)
    question: str = ""
    draft: str = ""
    pictures: tuple[Picture, ...] = ()
    sampling: Sampling = field(default_factory=Sampling)
    schema: Mapping[str, Any] | None = None
    number: int | None = None
    name: str | None = None
    title: str = ""
    totals: Totals = field(default_factory=Totals)
    retries: int = 0
    told_language: bool = False
    told_full: bool = False

    def request(self, question: str = "", *, skip: int = 0, seed_shift: int = 0, sees: bool = False) -> ChatRequest:
        """What the model is asked: everything said so far but the first `skip` exchanges, then the question.

        sees: whether the model can; else it is told which images there were. Those of the question are always sent.
        """
        sampling = self.sampling
        if sampling.seed is not None and seed_shift:
            sampling = replace(sampling, seed=(sampling.seed + seed_shift) % SEEDS)
        messages = [*self.opening_messages()]
        for exchange in self.exchanges[skip:]:
            messages += exchange_messages(exchange, sees)
        if question:
            messages.append(_asked(question, self.pictures, sees=True))
        return ChatRequest(tuple(messages), sampling, self.schema)

    def opening_messages(self) -> tuple[Message, ...]:
        """The system prompt, with the summary of what is no longer there in full."""
        summary = f"{text('chat.summary.label')}\n{self.summary}" if self.summary else ""
        told = "\n\n".join(part for part in (self.system, summary) if part)
        return (Message("system", told),) if told else ()

    def begin_anew(self) -> None:
        """Forget what was said, and keep what was set."""
        self.summary, self.exchanges, self.question, self.title = "", [], "", ""
        self.number = self.name = None
        self.totals, self.retries = Totals(), 0
        self.told_language = self.told_full = False

    def to_kept(self) -> dict[str, Any]:
        """The columns of the journal that hold what was said and set, all but the model."""
        messages: list[dict[str, Any]] = [] if not self.system else [{"role": "system", "content": self.system}]
        for exchange in self.exchanges:
            answer = {"role": "assistant", "content": exchange.answer}
            messages.append(_question_to_kept(exchange.question, exchange.pictures))
            messages.append({**answer, "stopped": "yes"} if exchange.stopped else answer)
        if self.question:
            messages.append(_question_to_kept(self.question, self.pictures))
        settings = {"sampling": asdict(self.sampling), "summary": self.summary}
        return {"name": self.name, "title": self.title, "messages": messages, "settings": settings}

    def resume(self, kept: Mapping[str, Any]) -> None:
        """Become the conversation that `to_kept` gave away. A question without an answer becomes the draft.

        Of its images only those are there again whose files have not changed.
        """
        self.begin_anew()
        self.number, self.name, self.title = kept["number"], kept["name"], kept["title"]
        sampling = dict(kept["settings"].get("sampling", {}))
        self.sampling = Sampling(**{**sampling, "stop": tuple(sampling.get("stop", ()))})
        self.summary = kept["settings"].get("summary", "")
        self.system, waiting, self.pictures = "", "", ()
        for message in kept["messages"]:
            if message["role"] == "system":
                self.system = message["content"]
            elif message["role"] == "user":
                waiting = message["content"]
                self.pictures = tuple(pictures.found_again(kept) for kept in message.get("images", ()))
            else:
                stopped = bool(message.get("stopped"))
                self.exchanges.append(Exchange(waiting, message["content"], stopped, self.pictures))
                waiting, self.pictures = "", ()
        self.draft = waiting


def exchange_messages(exchange: Exchange, sees: bool) -> list[Message]:
    """A question and its answer as the model is told of them."""
    return [_asked(exchange.question, exchange.pictures, sees), Message("assistant", exchange.answer)]


def _asked(question: str, given: tuple[Picture, ...], sees: bool) -> Message:
    return Message("user", pictures.told(question, given, sees), pictures.shown(given, sees))


def _question_to_kept(question: str, given: tuple[Picture, ...]) -> dict[str, Any]:
    kept = [picture.to_kept() for picture in given]
    return {"role": "user", "content": question, **({"images": kept} if kept else {})}


def title_of(question: str) -> str:
    """A conversation's title: the beginning of its first question, in one line."""
    line = " ".join(question.split())
    return line if len(line) <= TITLE_LENGTH else line[: TITLE_LENGTH - 1] + "…"
