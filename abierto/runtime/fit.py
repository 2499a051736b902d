"""Whether a model fits into this computer's memory, and with how long a context: decided before anything is loaded."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from abierto import catalog, engines, machine
from abierto.config import Settings
from abierto.errors import NotEnoughMemory, OptionOutOfRange
from abierto.formats import diffusers_folder, footprint, footprint_openvino, openvino_model, projector
from abierto.formats.footprint import Footprint
from abierto.formats.gguf import read_parts
from abierto.runtime import sight
from abierto.runtime.choice import Variant
from abierto.runtime.quantization import USUAL_CONTEXT
from abierto.runtime.resolve import Target

MB = 1_000_000
LEAST_CONTEXT = 512
# Conversations at once, where nobody said how many: as many as take no more than this share of the free memory.
USUAL_USERS = (16, 8, 4, 2)
USERS_SHARE = 1 / 8


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be loaded. context: tokens, 0 where the engine decides. estimate: bytes, 0 when unknown.

    together: conversations at once.
    """

    context: int = 0
    trained: int = 0
    estimate: int = 0
    together: int = 1


def plan(target: Target, asked: int, settings: Settings, together: int = 1, engine: str = "") -> Plan:
    """The context to load a model with: what was asked for, else the setting, else what is usual and fits.

    together: so many conversations at once have this context each; 0: as many as take little of the memory. engine:
    what is to load it; empty: the first that reads its format.
    Raises NotEnoughMemory with what would fit, OptionOutOfRange for a context the model was not trained for,
    and the errors of a file that is not what it should be.
    """
    if target.format not in ("gguf", "openvino", "diffusers_onnx"):
        return Plan(context=asked or settings.context, together=together or USUAL_USERS[0])
    if not together:
        together = _users(target, asked or settings.context, settings, engine)
    size = size_of(target, together, engine)
    trained = size.trained or USUAL_CONTEXT
    wanted = asked or min(settings.context, trained)
    if wanted > trained:
        raise OptionOutOfRange("context", wanted, 1, trained)
    room = machine.room(machine.memory(), settings.memory_margin * MB) - sight.size_of(target)
    context = wanted or min(trained, USUAL_CONTEXT)
    estimate = size.estimate(context).total
    if estimate > room:
        largest = size.largest_context(room)
        if wanted or largest < LEAST_CONTEXT:
            smaller = smaller_models(room, size.weights)
            raise NotEnoughMemory(target.name, estimate, max(room, 0), context, largest, smaller)
        context, estimate = largest, size.estimate(largest).total
    return Plan(context, trained, estimate, together)


def plan_first(
    target: Target, variants: Sequence[Variant], asked: int, settings: Settings, together: int
) -> tuple[list[Variant], Plan]:
    """The variants from the first on whose engine has the memory for the model, and its plan. Raises as `plan` does
    for the engine that would need the least."""
    refused: list[NotEnoughMemory] = []
    for index, variant in enumerate(variants):
        try:
            return list(variants[index:]), plan(target, asked, settings, together, variant.engine)
        except NotEnoughMemory as error:
            refused.append(error)
    raise min(refused, key=lambda error: error.needed)


def _users(target: Target, asked: int, settings: Settings, engine: str) -> int:
    room = machine.room(machine.memory(), settings.memory_margin * MB)
    alone = size_of(target, 1, engine)
    context = min(asked or USUAL_CONTEXT, alone.trained or USUAL_CONTEXT)
    for users in USUAL_USERS:
        more = size_of(target, users, engine).estimate(context).total - alone.estimate(context).total
        if more <= room * USERS_SHARE:
            return users
    return 1


@dataclass(frozen=True, slots=True)
class Size:
    """What a model takes. weights: bytes of its files. estimate: from tokens to bytes; largest_context: from bytes to
    tokens."""

    trained: int | None
    weights: int
    estimate: Callable[[int], Footprint]
    largest_context: Callable[[int], int]


def size_of(target: Target, together: int = 1, engine: str = "") -> Size:
    """What a model takes with an engine, from its header. engine: empty: the first that reads its format.

    Raises the errors of a file that is not what it should be.
    """
    if target.format == "openvino":
        model = openvino_model.read(target.files[0])
        return Size(
            model.context_length,
            model.weights_size,
            lambda context: model.footprint(context, together),
            lambda room: model.largest_context(room, together),
        )
    if target.format == "diffusers_onnx":
        folder = diffusers_folder.read(target.files[0])
        needed = folder.footprint()
        return Size(
            folder.tokens,
            folder.weights_size,
            lambda _context: needed,
            lambda room: folder.tokens if needed.total <= room else 0,
        )
    header = read_parts(target.files)
    projector.refuse(header, target.files[0])
    formula = footprint_openvino if engine == "openvino" else footprint
    return Size(
        header.context_length,
        header.file_size,
        lambda context: formula.estimate(header, context, together),
        lambda room: formula.largest_context(header, room, together),
    )


def smaller_models(room: int, file_size: int) -> list[str]:
    """Models of the catalog to chat with that are smaller than so many bytes and fit into `room`, largest first.

    A card with several quantisations is named with the largest one of them that fits.
    """
    limit = min(room, file_size)
    sizes: dict[str, int] = {}
    for card in catalog.cards().values():
        fitting = {
            form: weights.size
            for form, weights in card.weights.items()
            if weights.size and weights.size < limit and engines.engines_for(weights.format)
        }
        if fitting and card.chats:
            form = max(fitting, key=lambda form: fitting[form])
            sizes[card.name if len(card.weights) == 1 else f"{card.name}:{form}"] = fitting[form]
    return sorted(sizes, key=lambda name: -sizes[name])[:3]
