"""The Python API: `abierto.chat(...)`, with the model of the last call kept loaded until another is asked for."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, overload

from abierto.errors import AbiertoError, EmptyPrompt
from abierto.runtime import schema as schemas
from abierto.runtime import sight
from abierto.runtime.choice import CHARACTERS_PER_TOKEN
from abierto.runtime.kept import CHAT, worded
from abierto.runtime.model import Model, Stats
from abierto.runtime.sight import Image
from abierto.tasks.chat import ChatRequest, Message, Sampling
from abierto.tasks.events import Event, Finish, Text

Prompt = str | Sequence[Mapping[str, Any]]
Images = Image | Iterable[Image]


class Answer(str):
    """The text of an answer, and what is known of it.

    finish_reason: `stop`, or `length` when a limit of tokens ended it. stats: what it cost. model: who gave it.
    """

    finish_reason: str
    stats: Stats | None
    model: str

    def _repr_markdown_(self) -> str:
        # Notebooks draw answers as what they are: Markdown.
        return str(self)


@overload
def chat(
    prompt: Prompt,
    *,
    model: str = "",
    system: str | None = None,
    stream: Literal[False] = False,
    schema: Mapping[str, Any] | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    min_p: float | None = None,
    repeat_penalty: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    context: int = 0,
    engine: str = "",
    images: Images = (),
    projector: str = "",
) -> Answer: ...


@overload
def chat(
    prompt: Prompt,
    *,
    model: str = "",
    system: str | None = None,
    stream: Literal[True],
    schema: Mapping[str, Any] | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    min_p: float | None = None,
    repeat_penalty: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    context: int = 0,
    engine: str = "",
    images: Images = (),
    projector: str = "",
) -> Iterator[str]: ...


def chat(
    prompt: Prompt,
    *,
    model: str = "",
    system: str | None = None,
    stream: bool = False,
    schema: Mapping[str, Any] | None = None,
    max_tokens: int | None = None,
    temperature: float | None = None,
    top_p: float | None = None,
    top_k: int | None = None,
    min_p: float | None = None,
    repeat_penalty: float | None = None,
    seed: int | None = None,
    stop: str | Sequence[str] = (),
    context: int = 0,
    engine: str = "",
    images: Images = (),
    projector: str = "",
) -> Answer | Iterator[str]:
    """Ask a model on this computer, and get its answer.

    >>> import abierto
    >>> abierto.chat("Say yes.", model="echo")
    'Say yes.'
    >>> for piece in abierto.chat("Count to three.", model="echo", stream=True):
    ...     print(piece, end="")
    Count to three.

    Args:
        prompt: What to ask; or a conversation, as a list of {"role": "user" | "assistant" | "system", "content": ...}.
        model: A name from `abierto models`, a path of a GGUF file, or a source. Default: the starter model.
        system: What the model is told before the conversation.
        stream: Return an iterator over the pieces of the answer, as they come. Closing it stops the model.
        schema: A JSON schema; the answer is JSON that follows it.
        max_tokens: The most tokens of the answer.
        temperature: 0 (always the likeliest token) to 5.
        top_p: Keep the likeliest tokens that make up this share of probability, 0 to 1.
        top_k: Keep this many of the likeliest tokens; 0 keeps all.
        min_p: Drop tokens below this share of the likeliest one's probability, 0 to 1.
        repeat_penalty: 1 for none; more makes repetition less likely.
        seed: 0 to 2**32 - 2. The same seed gives the same answer on the same machine.
        stop: A string, or several, before which the answer ends.
        context: Tokens that the conversation may hold; default: what is usual for the model and fits into memory.
        engine: A name from `abierto doctor`; default: the fastest by `abierto tune`, or the first that reads the file.
        images: What a model that sees is shown with the prompt: paths, or the bytes of whole files. In a conversation
            the earlier messages may have a key "images", too.
        projector: Path of the file that the model sees with; default: the one that came with it.

    Returns:
        The text, as an `Answer`: a `str` with `finish_reason` and `stats`; or, with `stream`, an iterator of `str`.

    Raises:
        abierto.AbiertoError: With what happened and what to do next in its note. Nothing of the prompt is stored.
    """
    try:
        sampling = Sampling(
            max_tokens=max_tokens,
            temperature=temperature,
            top_p=top_p,
            top_k=top_k,
            min_p=min_p,
            repeat_penalty=repeat_penalty,
            seed=seed,
            stop=(stop,) if isinstance(stop, str) else tuple(stop),
        )
        if schema is not None:
            schemas.check(schema, "schema")
        request = ChatRequest(_messages(prompt, system, images), sampling, schema)
        length = sum(len(message.content) for message in request.messages) // CHARACTERS_PER_TOKEN
        loaded = CHAT.get(length, name=model, engine=engine, context=context, projector=projector)
    except AbiertoError as error:
        raise worded(error) from error.__cause__
    events = _told(loaded, request)
    return _pieces(events) if stream else _whole(loaded, events, schema)


def _messages(prompt: Prompt, system: str | None, images: Images) -> tuple[Message, ...]:
    if isinstance(prompt, str):
        prompt = [{"role": "user", "content": prompt}]
    if not prompt or not prompt[-1]["content"].strip():
        raise EmptyPrompt()
    first = () if system is None else (Message("system", system),)
    # A role that does not exist is the engine's to refuse, with its chat template's own words.
    turns = [Message(turn["role"], turn["content"], sight.gather(turn.get("images", ()))) for turn in prompt]
    last = replace(turns[-1], images=(*turns[-1].images, *sight.gather(images)))
    return (*first, *turns[:-1], last)


def _told(model: Model, request: ChatRequest) -> Iterator[Event]:
    try:
        yield from model.run(request)
    except AbiertoError as error:
        raise worded(error) from error.__cause__


def _pieces(events: Iterator[Event]) -> Iterator[str]:
    for event in events:
        if isinstance(event, Text):
            yield event.text


def _whole(model: Model, events: Iterator[Event], schema: Mapping[str, Any] | None) -> Answer:
    said = list(events)
    answer = Answer("".join(event.text for event in said if isinstance(event, Text)))
    answer.finish_reason = next(event.reason for event in said if isinstance(event, Finish))
    answer.stats, answer.model = model.last, model.name
    if schema is not None:
        try:
            schemas.validate(answer, schema)
        except AbiertoError as error:
            raise worded(error) from error.__cause__
    return answer
