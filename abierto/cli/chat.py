"""`abierto chat`: one question and its answer, from the command line or a pipe; or a conversation."""

import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import click

from abierto import config
from abierto.cli import out
from abierto.cli.answer import Shown, show
from abierto.cli.notices import claim_line, language_notice, leaving, stats_line
from abierto.cli.words import argument, command, option
from abierto.errors import EmptyPrompt, InvalidEncoding, JournalUnavailable, ModelNotPulled
from abierto.locale import text
from abierto.locale.numbers import count
from abierto.runtime import schema as schemas
from abierto.runtime import sight
from abierto.runtime.choice import CHARACTERS_PER_TOKEN
from abierto.runtime.model import Model, load, write_runs
from abierto.tasks.chat import ChatRequest, Message, Sampling


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for, whether it becomes one answer or a conversation."""

    model: str
    engine: str
    context: int
    system: str | None
    sampling: Sampling
    schema: dict[str, Any] | None
    stats: bool
    projector: str
    images: tuple[str, ...]


@command("chat")
@argument("prompt", required=False)
@option("-m", "--model", default="", metavar="NAME")
@option("-e", "--engine", default="", metavar="NAME")
@option("-s", "--system", metavar="TEXT")
@option("--schema", metavar="FILE")
@option("--json", "as_json", is_flag=True)
@option("--stats", is_flag=True)
@option("--image", multiple=True, metavar="FILE")
@option("--projector", default="", metavar="FILE")
@option("--load", "kept", metavar="NAME")
@option("--seed", type=int, metavar="N")
@option("--temperature", type=float, metavar="N")
@option("--top-p", type=float, metavar="N")
@option("--top-k", type=int, metavar="N")
@option("--min-p", type=float, metavar="N")
@option("--repeat-penalty", type=float, metavar="N")
@option("--max-tokens", type=int, metavar="N")
@option("--stop", multiple=True, metavar="TEXT")
@option("--context", type=click.IntRange(min=1), default=None, metavar="N")
def chat(prompt: str | None, as_json: bool, kept: str | None, **asked: Any) -> None:
    """Decide between one answer and a conversation."""
    request = _asked(asked)
    piped = None if out.is_terminal(sys.stdin) else _piped()
    if prompt is None and piped is None:
        _converse(request, kept)
        return
    question = "\n\n".join(part for part in (_sound(prompt or "", "prompt"), piped) if part)
    if not question.strip():
        raise EmptyPrompt()
    _answer(request, question, as_json)


def _asked(options: dict[str, Any]) -> Asked:
    numbers = ("seed", "temperature", "top_p", "top_k", "min_p", "repeat_penalty", "max_tokens")
    sampling = Sampling(**{name: options[name] for name in numbers}, stop=tuple(options["stop"]))
    return Asked(
        model=options["model"],
        engine=options["engine"],
        context=options["context"] or 0,
        system=options["system"],
        sampling=sampling,
        schema=schemas.read(options["schema"]) if options["schema"] else None,
        stats=options["stats"],
        projector=options["projector"],
        images=tuple(options["image"]),
    )


def _piped() -> str:
    data = sys.stdin.buffer.read()
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidEncoding("pipe", error.start) from error


def _sound(prompt: str, where: str) -> str:
    # Python carries bytes of the command line that are no UTF-8 as lone surrogates.
    try:
        prompt.encode()
    except UnicodeEncodeError as error:
        raise InvalidEncoding(where, error.start) from error
    return prompt


def _open(asked: Asked, question: str) -> Model:
    needs = {"schema"} if asked.schema is not None else set()
    needs |= {sight.FEATURE} if asked.images else set()
    open_it = partial(
        load,
        asked.model,
        engine=asked.engine,
        context=asked.context,
        use="one_shot",
        needs=frozenset(needs),
        prompt=len(question) // CHARACTERS_PER_TOKEN,
        projector=asked.projector,
    )
    try:
        return open_it()
    except ModelNotPulled as missing:
        from abierto.cli.pull import offer

        offer(missing)
        return open_it()


def _answer(asked: Asked, question: str, as_json: bool) -> None:
    before = () if asked.system is None else (Message("system", asked.system),)
    images = sight.gather(asked.images)
    request = ChatRequest((*before, Message("user", question, images)), asked.sampling, asked.schema)
    with _open(asked, question) as model:
        for claim in model.claims:
            out.note(claim_line(claim))
        for notice in filter(None, (leaving(model), language_notice(model, question))):
            out.note(notice)
        shown = show(model.run(request), silent=as_json, plain=asked.schema is not None)
        _after(asked, model, shown, as_json)
    try:
        write_runs()
    except JournalUnavailable as error:
        out.warn(error)
    if asked.schema is not None:
        schemas.validate(shown.text, asked.schema)


def _after(asked: Asked, model: Model, shown: Shown, as_json: bool) -> None:
    if as_json:
        out.as_json(
            {
                "model": model.name,
                "engine": model.engine,
                "remote": model.remote or None,
                "text": shown.text,
                "reasoning": shown.reasoning,
                "finish_reason": shown.finish_reason,
                "context": model.context,
                "images": list(asked.images),
                "stats": asdict(model.last) if model.last else None,
            }
        )
    if shown.finish_reason == "length":
        out.note(_cut(asked.sampling, model))
    if asked.stats and model.last:
        out.note(stats_line(model.last))


def _cut(sampling: Sampling, model: Model) -> str:
    last = model.last
    if sampling.max_tokens and last and last.completion_tokens >= sampling.max_tokens:
        return text("answer.cut_by_limit", tokens=count(sampling.max_tokens))
    return text("answer.cut_by_context", tokens=count(model.context))


def _converse(asked: Asked, kept: str | None) -> None:
    from abierto.cli.conversation.loop import Opening, converse

    opening = Opening(
        model=asked.model,
        engine=asked.engine,
        context=asked.context,
        system=asked.system,
        sampling=asked.sampling,
        schema=asked.schema,
        stats=asked.stats,
        projector=asked.projector,
        images=asked.images,
        load=kept,
        keep=config.settings().keep_conversations,
    )
    converse(opening)
