"""Whether a model fits into this computer's memory, and with how long a context: decided before anything is loaded."""

from dataclasses import dataclass

from abierto import catalog, engines, machine
from abierto.config import Settings
from abierto.errors import NotEnoughMemory, OptionOutOfRange
from abierto.formats import footprint
from abierto.formats.gguf import GGUFHeader, read_parts
from abierto.runtime.resolve import Target

MB = 1_000_000
# A context that nobody asked for costs memory that nobody asked for.
USUAL_CONTEXT = 8192
LEAST_CONTEXT = 512
CHATS = ("text-generation", "image-text-to-text")


@dataclass(frozen=True, slots=True)
class Plan:
    """How a model is to be loaded. context: tokens, 0 where the engine decides. estimate: bytes, 0 when unknown."""

    context: int = 0
    trained: int = 0
    estimate: int = 0


def plan(target: Target, asked: int, settings: Settings) -> Plan:
    """The context to load a model with: what was asked for, else the setting, else what is usual and fits.

    Raises NotEnoughMemory with what would fit, OptionOutOfRange for a context the model was not trained for,
    and the errors of a file that is not what it should be.
    """
    if target.format != "gguf":
        return Plan(context=asked or settings.context)
    header = read_parts(target.files)
    trained = header.context_length or USUAL_CONTEXT
    wanted = asked or min(settings.context, trained)
    if wanted > trained:
        raise OptionOutOfRange("context", wanted, 1, trained)
    room = machine.room(machine.memory(), settings.memory_margin * MB)
    context = wanted or min(trained, USUAL_CONTEXT)
    estimate = footprint.estimate(header, context).total
    if estimate > room:
        largest = footprint.largest_context(header, room)
        if wanted or largest < LEAST_CONTEXT:
            raise NotEnoughMemory(target.name, estimate, max(room, 0), context, largest, smaller_models(room, header))
        context, estimate = largest, footprint.estimate(header, largest).total
    return Plan(context, trained, estimate)


def smaller_models(room: int, header: GGUFHeader) -> list[str]:
    """Models of the catalog to chat with that are smaller than this file and fit into `room` bytes, largest first.

    A card with several quantisations is named with the largest one of them that fits.
    """
    limit = min(room, header.file_size)
    sizes: dict[str, int] = {}
    for card in catalog.cards().values():
        fitting = {
            form: weights.size
            for form, weights in card.weights.items()
            if weights.size and weights.size < limit and engines.engines_for(weights.format)
        }
        if fitting and card.pipeline_tag in CHATS:
            form = max(fitting, key=lambda form: fitting[form])
            sizes[card.name if len(card.weights) == 1 else f"{card.name}:{form}"] = fitting[form]
    return sorted(sizes, key=lambda name: -sizes[name])[:3]
