"""Which form of a model suits this computer: the largest that fits into its free memory. It opens no file.

What fits is guessed from sizes alone, because it is wanted before anything is fetched; `fit` computes it exactly from
the header of the file that is then there.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import partial

from abierto import config, engines, machine
from abierto.catalog import Card
from abierto.formats import footprint_unread

# A context that nobody asked for costs memory that nobody asked for.
USUAL_CONTEXT = 8192
MB = 1_000_000
# What a conversation of the usual length takes beside the weights: 8192 tokens in models of 0.6 to 8 billion parameters
# take 0.9 to 1.2 GB (for each token, block and head: 2 vectors of 64 to 128 numbers of 2 bytes); in smaller ones less.
CONVERSATION = 1000 * MB
_MOST_FOR_CONVERSATION = 2  # times the weights
# Twice the memory of 8 bits, and so twice the time for each token on a processor: only where there is nothing else.
_UNQUANTIZED = re.compile(r"(?i)(?<![a-z0-9])(bf16|fp?16|fp?32)(?![a-z0-9])")


@dataclass(frozen=True, slots=True)
class Choice:
    """form: the key that was chosen. size: its bytes, None where unknown. fits: whether it fits into `room` bytes.
    guessed: nothing tells its size, and it was chosen by what files like it have."""

    form: str
    size: int | None
    fits: bool
    room: int
    guessed: bool = False


def needed(size: int) -> int:
    """About how many bytes of memory weights of this size take, with a conversation of the usual length."""
    return size + min(CONVERSATION, _MOST_FOR_CONVERSATION * size)


def best(sizes: Mapping[str, int | None], room: int, needed: Callable[[int], int] = needed) -> Choice:
    """The largest quantisation that fits into `room` bytes; where none fits, the smallest; unknown sizes last. needed:
    from the bytes of a form to those that it takes with its conversations."""
    known = {form: size for form, size in sizes.items() if size}
    fitting = [form for form, size in known.items() if needed(size) <= room]
    small = [form for form in fitting if not _UNQUANTIZED.search(form)]
    if fitting:
        form = max(small or fitting, key=lambda form: known[form])
    elif known:
        form = min(known, key=lambda form: known[form])
    else:
        form = next(iter(sizes))
    return Choice(form, sizes[form], bool(fitting), room)


def of_card(card: Card, among: Iterable[str] = (), context: int = 0, users: int = 1) -> Choice:
    """The form of a card's model that suits this computer, of all or of some; formats that an engine reads first. Where
    none fits whose size is told, sizes are guessed, lest a form that would fit be passed over.

    context: tokens of each of `users` conversations; 0: what is usual.
    """
    forms = {form: card.weights[form] for form in among or card.weights}
    readable = {form: weights for form, weights in forms.items() if engines.engines_for(weights.format)}
    forms = readable or forms
    sizes = {form: weights.size for form, weights in forms.items()}
    room, needed_by = free_memory(), partial(_needed_with, card, context, users)
    choice = best(sizes, room, needed_by)
    if choice.fits:
        return choice
    guess = footprint_unread.weights_size
    about = {form: one.size or guess(form, card.parameters, one.format) for form, one in forms.items()}
    found = best(about, room, needed_by)
    return replace(found, size=sizes[found.form], guessed=about[found.form] != sizes[found.form])


def _needed_with(card: Card, context: int, users: int, size: int) -> int:
    """What a form of this size takes: by the blocks that the card tells, else a guess."""
    if not card.blocks and not context and users == 1:
        return needed(size)
    tokens = context or min(USUAL_CONTEXT, card.context or USUAL_CONTEXT)
    if card.blocks:
        return card.blocks.footprint(size, tokens, users).total
    return footprint_unread.estimate(size, card.parameters, tokens, users).total


def free_memory() -> int:
    """The bytes that a model may take now."""
    return machine.room(machine.memory(), config.settings().memory_margin * MB)
