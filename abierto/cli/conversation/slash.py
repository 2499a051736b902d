"""The commands of a conversation: one table, one function each."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from difflib import get_close_matches

from abierto import catalog, config
from abierto.cli import out
from abierto.cli.conversation import lines, pictures, saving, settings
from abierto.cli.conversation.answer import send
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.loading import choose
from abierto.cli.conversation.room import used_tokens
from abierto.cli.draft import harmless
from abierto.cli.notices import leaving, stats_line
from abierto.locale import text
from abierto.locale.numbers import count, decimal, duration, rate
from abierto.store import elsewhere, records
from abierto.store.foreign import trouble

NONE = "-"


@dataclass(frozen=True, slots=True)
class Slash:
    """A command. offers: the words that its argument may be. Its help is `slash.NAME`, its form `slash.NAME.form`."""

    run: Callable[[Desk, str], None]
    offers: Callable[[Desk], Iterable[str]] = lambda _: ()


def run(desk: Desk, line: str) -> None:
    """Do what a line that starts with a slash says."""
    name, _, argument = line[1:].strip().partition(" ")
    command = COMMANDS.get(name.lower())
    if command:
        command.run(desk, argument.strip())
        return
    near = get_close_matches(name.lower(), COMMANDS, n=1, cutoff=0.5)
    shown = harmless(name)
    told = text("slash.nearest", name=shown, near=near[0]) if near else text("slash.unknown", name=shown)
    out.note(f"{told} {text('slash.literal')}")


def complete(desk: Desk, typed: str) -> list[str]:
    """What the last word of a line may become."""
    if not typed.startswith("/") or typed.startswith("//"):
        return []
    name, blank, argument = typed[1:].partition(" ")
    if not blank:
        return [f"/{one}" for one in COMMANDS if one.startswith(name.lower())]
    command = COMMANDS.get(name.lower())
    if command is None or " " in argument:
        return []
    return [one for one in command.offers(desk) if one.startswith(argument)]


def _help(_desk: Desk, _argument: str) -> None:
    lines.show([(text(f"slash.{name}.form"), text(f"slash.{name}")) for name in COMMANDS])
    out.say()
    lines.show(
        [(text(f"chat.keys.{key}.form"), text(f"chat.keys.{key}")) for key in ("line", "block", "stop", "leave")]
    )


def _system(desk: Desk, argument: str) -> None:
    if argument:
        desk.talk.system = "" if argument == NONE else argument
        desk.keep()
    key = "chat.system" if desk.talk.system else "chat.system.none"
    out.say(text(key, system=harmless(desk.talk.system)))


def _model(desk: Desk, name: str) -> None:
    if not name:
        cards = catalog.cards()
        pulled = {record.name for record in records.all_records(config.folders().models)}
        lines.show([(one, _about(desk, one, one in pulled or one not in cards)) for one in _models()])
        return
    choice = choose(name)
    out.note(text("chat.model.loading", model=choice.name))
    desk.chosen.change(choice)
    desk.talk.told_language = False
    desk.keep()
    out.note(greeting(desk))
    if not desk.sees and any(exchange.pictures for exchange in desk.talk.exchanges):
        out.note(text("chat.image.blind", model=desk.chosen.model.name))


def greeting(desk: Desk) -> str:
    """Which model answers, with how long a context, and whether the words leave this computer."""
    model = desk.chosen.model
    ready = text("chat.model.ready", model=model.name, engine=model.engine, context=count(model.context))
    return " ".join(filter(None, (leaving(model), ready)))


def _models() -> list[str]:
    pulled = records.all_records(config.folders().models)
    foreign = [model.name for model in elsewhere.not_pulled(config.places(), pulled) if not trouble(model)]
    cards = [card.name for card in catalog.cards().values() if card.chats]
    return list(dict.fromkeys([*(record.name for record in pulled), *foreign, *cards]))


def _about(desk: Desk, name: str, pulled: bool) -> str:
    card = catalog.find_form(name)[0]
    state = text("chat.model.here" if pulled or (card and card.built_in) else "chat.model.not_here")
    current = text("chat.model.current") if name == desk.chosen.model.name else ""
    return " ".join(part for part in (card.title if card else "", f"({state})", current) if part)


def _retry(desk: Desk, _argument: str) -> None:
    """Ask the last question again: with a fixed seed, with the next one, since the same would give the same answer."""
    talk = desk.talk
    last = None if talk.question or not talk.exchanges else talk.exchanges.pop()
    question = last.question if last else talk.question
    if not question:
        out.note(text("chat.retry.nothing"))
        return
    talk.retries += 1 if last else 0
    if talk.sampling.seed is not None and last:
        out.note(text("chat.retry.seed", seed=desk.request(seed_shift=talk.retries).sampling.seed))
    waiting = talk.pictures
    if last:
        talk.pictures = last.pictures
    answered = False
    try:
        answered = send(desk, question)
    finally:
        if last:
            talk.pictures = waiting
        if last and not answered:
            talk.exchanges.append(last)
            talk.question = ""
            desk.keep()


def _undo(desk: Desk, _argument: str) -> None:
    if not desk.talk.exchanges:
        out.note(text("chat.undo.nothing"))
        return
    taken = desk.talk.exchanges.pop()
    desk.talk.retries = 0
    desk.keep()
    out.say(text("chat.undo.done", question=harmless(" ".join(taken.question.split()))[:60]))


def _stats(desk: Desk, _argument: str) -> None:
    model, totals = desk.chosen.model, desk.talk.totals
    if model.last:
        out.say(stats_line(model.last))
    reading = totals.prompt_tokens / totals.prompt_seconds if totals.prompt_seconds else 0.0
    writing = totals.completion_tokens / totals.generation_seconds if totals.generation_seconds else 0.0
    out.say(
        text(
            "chat.stats",
            answers=count(totals.answers),
            prompt=count(totals.prompt_tokens),
            prompt_speed=rate(reading, "token"),
            written=count(totals.completion_tokens),
            speed=rate(writing, "token"),
            time=duration(totals.prompt_seconds + totals.generation_seconds),
        )
    )
    used = used_tokens(desk)
    share = decimal(100 * used / model.context, 0)
    out.say(text("chat.stats.context", used=count(used), context=count(model.context), share=share))


def _image(desk: Desk, typed: str) -> None:
    """Put images beside the next message, list them, or put them away."""
    if typed == NONE:
        desk.talk.pictures = ()
    elif typed:
        desk.chosen.model.require_sight()
        desk.talk.pictures += tuple(pictures.take_typed(typed))
    names = ", ".join(harmless(picture.name) for picture in desk.talk.pictures)
    out.say(text("chat.image.waiting", names=names) if names else text("chat.image.none"))


def _exit(desk: Desk, _argument: str) -> None:
    desk.over = True


COMMANDS = {
    "help": Slash(_help),
    "system": Slash(_system),
    "model": Slash(_model, lambda _: _models()),
    "save": Slash(saving.save),
    "load": Slash(saving.load, lambda desk: desk.keeper.names()),
    "image": Slash(_image),
    "retry": Slash(_retry),
    "undo": Slash(_undo),
    "set": Slash(settings.change, lambda _: settings.NAMES),
    "stats": Slash(_stats),
    "exit": Slash(_exit),
}
