"""Whether the next message fits into the context, and what to do when it does not. Nothing is cut in silence."""

from collections.abc import Callable

from abierto.cli import out
from abierto.cli.conversation import lines
from abierto.cli.conversation.desk import Desk
from abierto.cli.conversation.summary import sum_up
from abierto.errors import AbiertoError
from abierto.locale import text
from abierto.locale.numbers import count, decimal

# Tokens that an answer should have room for; in a small context a quarter of it.
ANSWER = 256
# From this share on, a person is told that the context fills up.
NEARLY = 0.8
# New contexts are multiples of this.
STEP = 256

Action = Callable[[], bool]


def make_room(desk: Desk, question: str) -> bool:
    """Make the question fit, by the person's choice. Returns whether it may be sent; if not, it is the draft again."""
    while True:
        tokens = desk.chosen.model.count_tokens(desk.request(question))
        over = tokens + space(desk) - desk.chosen.model.context
        if over <= 0:
            return True
        choices = _choices(desk, question, tokens)
        _tell(desk, question, tokens, over, bool(choices))
        taken = _ask(desk, [*choices, (text("chat.room.back"), lambda: False)]) if choices else False
        if not taken:
            desk.talk.draft = question
            return False


def space(desk: Desk) -> int:
    """Tokens that are held free for an answer."""
    limit = desk.talk.sampling.max_tokens or ANSWER
    return min(ANSWER, limit, desk.chosen.model.context // 4)


def tell_if_nearly_full(desk: Desk) -> None:
    """Say once that the context fills up; once more after it was emptied and filled again."""
    used, context = used_tokens(desk), desk.chosen.model.context
    full = used > NEARLY * context
    if full and not desk.talk.told_full:
        share = decimal(100 * used / context, 0)
        out.note(text("chat.room.nearly", used=count(used), context=count(context), share=share))
    desk.talk.told_full = full


def used_tokens(desk: Desk) -> int:
    """Tokens of all that the model is told with each message."""
    request = desk.request()
    return desk.chosen.model.count_tokens(request) if request.messages else 0


def _choices(desk: Desk, question: str, tokens: int) -> list[tuple[str, Action]]:
    choices: list[tuple[str, Action]] = []
    alone = _alone(desk, question)
    if alone <= 0 and desk.talk.exchanges:
        drop, left = _how_many(desk, question)
        freed = count(tokens - left)
        choices.append((text("chat.room.drop", number=drop, freed=freed), lambda: _drop(desk, drop)))
        choices.append((text("chat.room.sum_up"), lambda: sum_up(desk, space(desk))))
    longer = _longer(desk, tokens)
    if longer:
        choices.append((text("chat.room.longer", context=count(longer)), lambda: _lengthen(desk, longer)))
    if alone <= 0:
        choices.append((text("chat.room.anew"), lambda: _anew(desk)))
    return choices


def _tell(desk: Desk, question: str, tokens: int, over: int, choosable: bool) -> None:
    alone = _alone(desk, question)
    values = {"tokens": count(tokens), "context": count(desk.chosen.model.context), "room": count(space(desk))}
    if alone > 0:
        out.note(text("chat.room.too_long", **values, over=count(alone)))
    else:
        out.note(text("chat.room.full", **values, over=count(over)))
    if choosable:
        out.note(text("chat.room.choose"))


def _ask(desk: Desk, choices: list[tuple[str, Action]]) -> bool:
    lines.show([(str(number), told) for number, (told, _) in enumerate(choices, 1)])
    chosen = desk.reader.choice(len(choices))
    return choices[chosen - 1][1]() if chosen else False


def _alone(desk: Desk, question: str) -> int:
    """Tokens by which the message is too long even when nothing was said before."""
    everything = len(desk.talk.exchanges)
    tokens = desk.chosen.model.count_tokens(desk.request(question, skip=everything))
    return tokens + space(desk) - desk.chosen.model.context


def _how_many(desk: Desk, question: str) -> tuple[int, int]:
    """How many exchanges have to go so that a quarter of the context is free, and the tokens that are then left."""
    context, left = desk.chosen.model.context, 0
    for number in range(1, len(desk.talk.exchanges) + 1):
        left = desk.chosen.model.count_tokens(desk.request(question, skip=number))
        if left + context // 4 <= context:
            return number, left
    return len(desk.talk.exchanges), left


def _drop(desk: Desk, number: int) -> bool:
    del desk.talk.exchanges[:number]
    return True


def _longer(desk: Desk, tokens: int) -> int:
    """A context that would hold the message, if the model was trained for one; else 0."""
    model = desk.chosen.model
    wanted = max(2 * model.context, -(-(tokens + 2 * ANSWER) // STEP) * STEP)
    longest = min(model.trained, wanted)
    return longest if longest > model.context and longest >= tokens + space(desk) else 0


def _lengthen(desk: Desk, context: int) -> bool:
    try:
        desk.chosen.change_context(context)
    except AbiertoError as error:
        # The old context is back, and with it the same question.
        out.error(error)
    return True


def _anew(desk: Desk) -> bool:
    desk.keep()
    desk.talk.begin_anew()
    return True
