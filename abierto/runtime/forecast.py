"""Whether a model will run on this computer, told before anything is loaded: parts of its memory, and a verdict.

A model that is here is told by its header, for every installed engine that reads it, or by the arrays of its package;
one that is not, by the blocks and the sizes on its card, by the sizes alone, or by its number of parameters, which are
guesses and say so. It loads nothing and fetches nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal

from abierto import catalog, config, engines, graphics, machine
from abierto.catalog import Card
from abierto.catalog.card import Weights
from abierto.config import Settings
from abierto.errors import ModelNotPulled, NoEngineForFile, NotAModel, OptionOutOfRange
from abierto.formats import diffusers_folder, footprint_arrays, footprint_openvino, footprint_unread
from abierto.formats.footprint import Footprint, largest
from abierto.formats.gguf import read_parts
from abierto.formats.inspection import report
from abierto.runtime import choice, media, offload, quantization, rates, sight, speed
from abierto.runtime.fit import LEAST_CONTEXT, MB, Size, size_of
from abierto.runtime.offload import Offload
from abierto.runtime.quantization import USUAL_CONTEXT, Choice
from abierto.runtime.rates import Known
from abierto.runtime.resolve import Target, resolve
from abierto.runtime.speed import Speed
from abierto.store import package_folder

X86 = "SSE4.2"  # that any processor of this family has had since 2008
ToldBy = Literal["header", "package", "blocks", "card", "parameters"]
Word = Literal["fits", "fits_context", "needs_more", "needs_more_free"]


@dataclass(frozen=True, slots=True)
class Verdict:
    """largest_context: tokens for each conversation that would fit, 0 where none would. missing: bytes. largest_side:
    pixels of a square image that would fit where the one that was asked for does not; longest: seconds of speech
    likewise.

    word: `fits`; `fits_context`: with a context of at most `largest_context`; `needs_more`: the computer has `missing`
    bytes too few; `needs_more_free`: it has enough, but other programs hold `missing` bytes of it.
    """

    word: Word
    largest_context: int = 0
    missing: int = 0
    largest_side: int = 0
    longest: int = 0


@dataclass(frozen=True, slots=True)
class EngineFit:
    """What a model takes with one engine, and whether it fits. engine: empty for a guess from a card. speed: how fast
    it was here before, else what is to be expected; None where nothing is known."""

    engine: str
    footprint: Footprint
    verdict: Verdict
    speed: Speed | None = None


@dataclass(frozen=True, slots=True)
class Forecast:
    """What is to be expected of a model here.

    told_by: `header` of its file, the arrays of its `package`, the `blocks` on its card, the sizes on its `card` alone,
    or no more than its number of `parameters`. form: the quantisation of
    its card that this is about, empty where it is told by the header. format: of the file. size: bytes of the files.
    trained: tokens, 0 where unknown. users: how many conversations, each with `context` tokens; 0 for what is no
    conversation. memory: of the computer; room: what a model may take of it now. choice: of the forms of its card the
    one for this computer, None where there are not several. fits: for each engine, and nothing for a model without
    files. disk_free: bytes where it would lie, 0 for one that is here. gpus: graphics cards, by their driver. slow: the
    processor lacks AVX2, which engines count on. offload: what goes onto each card with a llama-server built for it.
    work: what a model makes or hears that has no conversations, where what it takes is known; image: width and height
    in pixels; seconds: of speech; parts: bytes of the weights of each part of a pipeline.
    """

    name: str
    told_by: ToldBy
    format: str
    size: int
    trained: int
    context: int
    users: int
    memory: machine.Memory
    room: int
    form: str = ""
    card: Card | None = None
    choice: Choice | None = None
    fits: tuple[EngineFit, ...] = ()
    disk_free: int = 0
    gpus: tuple[graphics.Card, ...] = ()
    slow: bool = False
    offload: tuple[Offload, ...] = ()
    work: media.Work | Literal[""] = ""
    image: tuple[int, int] = (0, 0)
    seconds: int = 0
    parts: Mapping[str, int] = field(default_factory=dict)


def forecast(
    name: str,
    context: int = 0,
    users: int = 1,
    *,
    side: tuple[int, int] = (0, 0),
    seconds: int = 0,
    anywhere: bool = True,
) -> Forecast:
    """What to expect of a model by name. context: tokens; 0: what is usual. users: conversations, images, recordings or
    texts at once. side: width and height of an image in pixels, seconds: of speech; 0 for what is usual. anywhere: as
    `resolve` takes it.

    Raises what `resolve` raises but for a card that is not pulled, OptionOutOfRange for a context that the model was
    not trained for, ModelNotPulled for a card that tells no size, and the errors of a file that is not what it should
    be.
    """
    settings, folder = config.settings(), config.folders().models
    made = media.Asked(*side, seconds, users)
    card = catalog.find_form(name)[0]
    several = quantization.of_card(card, (), context, users) if card and len(card.weights) > 1 else None
    try:
        target = sight.with_projector(resolve(name, folder, anywhere=anywhere), "", folder)
    except (NoEngineForFile, NotAModel) as unread:
        known = media.of(unread.path, made)
        if known is None:
            raise
        return replace(_of_media(name, known, users, settings), card=card, **_computer(None))
    except ModelNotPulled as missing:
        if card is None:
            raise
        found = _of_card(card, name, context, made, settings, missing)
        return replace(found, choice=several, disk_free=machine.disk_free(folder), **_computer(_card_parts(found)))
    found = _of_target(target, context, users, settings)
    return replace(found, card=card, choice=several, **_computer(_header_parts(target, found)))


def _of_media(name: str, known: media.Media, users: int, settings: Settings) -> Forecast:
    memory = machine.memory()
    room = machine.room(memory, settings.memory_margin * MB)
    verdict = _verdict(lambda _context: known.footprint, 0, 0, memory, room)
    if verdict.missing:
        verdict = replace(verdict, largest_side=known.largest_side(room), longest=known.longest(room))
    fits = (EngineFit("", known.footprint, verdict),)
    title = Path(name).name or name
    told = Forecast(title, "header", known.format, known.size, 0, 0, users, memory, room, fits=fits)
    return replace(
        told,
        work=known.work if known.whole else "",
        image=(known.width, known.height),
        seconds=known.seconds,
        parts=known.parts,
    )


def _computer(parts: offload.Parts | None) -> dict[str, Any]:
    known, cards = machine.instructions(), graphics.cards()
    onto = tuple(offload.on(card, parts) for card in cards) if parts else ()
    return {"gpus": cards, "slow": X86 in known and "AVX2" not in known, "offload": onto}


def _card_parts(found: Forecast) -> offload.Parts | None:
    if not found.card or not found.card.blocks or found.format != "gguf" or not found.context:
        return None
    return offload.of_shape(found.card.blocks, found.size, found.context, found.users)


def _header_parts(target: Target, found: Forecast) -> offload.Parts | None:
    if target.format != "gguf":
        return None
    return offload.of_header(read_parts(target.files), found.context, found.users)


def of_card(card: Card, known: Known | None = None) -> Forecast:
    """What to expect of a card's model with what is usual, by its sizes alone. known: of the computer, for whom several
    cards are told. Raises ModelNotPulled where no size is known."""
    return _of_card(card, card.name, 0, media.Asked(), config.settings(), ModelNotPulled(card.name), known)


def best(found: Forecast) -> Verdict | None:
    """The most hopeful of the verdicts, None where nothing can be said."""
    order = ("fits", "fits_context", "needs_more_free", "needs_more")
    verdicts = sorted((one.verdict for one in found.fits), key=lambda one: (order.index(one.word), one.missing))
    return verdicts[0] if verdicts else None


def _of_target(target: Target, asked: int, users: int, settings: Settings) -> Forecast:
    memory = machine.memory()
    room = machine.room(memory, settings.memory_margin * MB)
    told = Forecast(target.name, "header", target.format, 0, 0, asked, users, memory, room)
    if target.card and target.card.package == target.format:
        return _of_package(told, target.format)
    if target.format not in ("gguf", "openvino", "diffusers_onnx"):
        return told
    size = size_of(target, users)
    if target.format == "diffusers_onnx":
        return _of_images(told, target, size, settings)
    context = _context(asked, size.trained or 0, settings)
    beside = sight.size_of(target)  # the projector
    fits = []
    for engine in _able(target, settings):
        own = size_of(target, users, engine)
        needed = _with_more(own.estimate, beside)
        longest = own.largest_context(max(room - beside, 0))
        verdict = _verdict(needed, context, longest, memory, room)
        fits.append(EngineFit(engine, needed(context), verdict, _speed(target, engine)))
    return replace(
        told, size=size.weights + beside, trained=size.trained or 0, context=context, fits=tuple(fits)
    )  # fmt: skip


def _of_package(told: Forecast, package: str) -> Forecast:
    """Of a model that a package holds as arrays of numpy."""
    folder = package_folder.find(package)
    arrays = report.inspect(folder).size if folder else 0
    if not arrays:
        return told
    needed = footprint_arrays.estimate(arrays)
    fits = (EngineFit(package, needed, _verdict(lambda _context: needed, 0, 0, told.memory, told.room)),)
    return replace(told, told_by="package", size=arrays, context=0, fits=fits)


def _of_images(told: Forecast, target: Target, size: Size, settings: Settings) -> Forecast:
    """Of a model that an engine here draws with, an image of the size that it was trained with."""
    needed, side = size.estimate(0), diffusers_folder.read(target.files[0]).size
    verdict = _verdict(size.estimate, 0, 0, told.memory, told.room)
    fits = tuple(EngineFit(engine, needed, verdict) for engine in _able(target, settings))
    return replace(told, size=size.weights, context=0, fits=fits, work="images", image=(side, side))


def _speed(target: Target, engine: str) -> Speed | None:
    if (was := speed.of_engine(target, engine)) or target.format != "gguf":
        return was
    return rates.known().of_header(read_parts(target.files), engine)


def _able(target: Target, settings: Settings) -> list[str]:
    """The installed engines that read the file, in order of preference."""
    found = list(dict.fromkeys(variant.engine for variant in choice.installed(target, choice.AUTO, settings)))
    if target.format == "gguf" and read_parts(target.files).architecture not in footprint_openvino.ARCHITECTURES:
        found = [engine for engine in found if engine != "openvino"] or found
    return found


def _of_card(
    card: Card,
    name: str,
    asked: int,
    made: media.Asked,
    settings: Settings,
    missing: ModelNotPulled,
    known: Known | None = None,
) -> Forecast:
    users = made.together
    form = catalog.find_form(name)[1] or quantization.of_card(card, (), asked, users).form
    weights = card.weights[form]
    size = weights.size or footprint_unread.weights_size(form, card.parameters, weights.format)
    if not size:
        raise missing
    if card.voice:
        speaks = _of_media(card.name, media.of_voice(card.voice, size, made), users, settings)
        return replace(speaks, told_by=_told_by(card, weights), form=form, card=card)
    memory = machine.memory()
    room = machine.room(memory, settings.memory_margin * MB)
    trained = (card.context or 0) if card.chats else 0
    context = _context(asked, trained, settings) if card.chats else 0
    size += next((one.size or 0 for one in card.projectors.values()), 0)  # with the one that is pulled beside it
    needed = _card_formula(card, size, users)
    longest = largest(trained or USUAL_CONTEXT, room, needed) if card.chats else 0
    expected = (known or rates.known()).of_card(card, form, size) if card.chats and weights.format == "gguf" else None
    fit = EngineFit("", needed(context), _verdict(needed, context, longest, memory, room), expected)
    return Forecast(
        card.name,
        _told_by(card, weights),
        weights.format,
        size,
        trained,
        context,
        users,
        memory,
        room,
        form,
        card,
        fits=(fit,),
    )


def _told_by(card: Card, weights: Weights) -> ToldBy:
    if card.chats:
        return "blocks" if card.blocks else "card"
    return "card" if weights.size else "parameters"


def _card_formula(card: Card, size: int, users: int) -> Callable[[int], Footprint]:
    """From tokens to bytes, for a form of so many bytes."""
    if not card.chats:
        return partial(_weights_only, size)
    if card.blocks:
        return partial(card.blocks.footprint, size, max_concurrent=users)
    return partial(footprint_unread.estimate, size, card.parameters, max_concurrent=users)


def reads(format_: str) -> bool:
    """Whether an engine here reads files of this format."""
    return bool(engines.engines_for(format_))


def _context(asked: int, trained: int, settings: Settings) -> int:
    if asked and trained and asked > trained:
        raise OptionOutOfRange("context", asked, 1, trained)
    wanted = asked or settings.context or USUAL_CONTEXT
    return min(wanted, trained) if trained else wanted


def _with_more(estimate: Callable[[int], Footprint], more: int) -> Callable[[int], Footprint]:
    def needed(context: int) -> Footprint:
        found = estimate(context)
        return replace(found, weights=found.weights + more)

    return needed


def _weights_only(size: int, _context: int) -> Footprint:
    """What is known of a model for which no formula is here."""
    return Footprint(size, 0, 0, 0)


def _verdict(
    needed: Callable[[int], Footprint], context: int, longest: int, memory: machine.Memory, room: int
) -> Verdict:
    total = needed(context).total
    if total <= room:
        return Verdict("fits", longest)
    if context and longest >= LEAST_CONTEXT:
        return Verdict("fits_context", longest, total - room)
    margin = memory.available - room
    enough = total <= memory.total - margin
    return Verdict("needs_more_free" if enough else "needs_more", 0, total - room if enough else total - memory.total)
