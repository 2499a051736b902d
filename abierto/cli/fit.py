"""`abierto fit`: whether a model will run here: its memory in parts against this computer's, and a verdict in words."""

from dataclasses import asdict
from typing import Any

import click

from abierto.cli import out
from abierto.cli.doctor import graphics_card
from abierto.cli.draw import sides
from abierto.cli.pull import why_chosen
from abierto.cli.words import argument, command, option
from abierto.formats.footprint_voice import LONGEST
from abierto.locale import text
from abierto.locale.numbers import count, decimal, rate, size
from abierto.runtime import forecast as forecasting
from abierto.runtime.forecast import EngineFit, Forecast
from abierto.runtime.offload import Offload
from abierto.runtime.speed import Speed

PARTS = ("weights", "kv_cache", "compute", "overhead")
BAR = 32  # columns that stand for all memory of the computer
EIGHTHS = " ▏▎▍▌▋▊▉█"


@command("fit")
@argument("model")
@option("--context", type=click.IntRange(min=1), metavar="N", says="fit_context")
@option("--users", type=click.IntRange(min=1), default=1, metavar="N", says="fit_users")
@option("--size", "image", says="fit_size", metavar="SIZE")
@option("--seconds", type=click.IntRange(1, LONGEST), metavar="N", says="fit_seconds")
@option("--json", "as_json", is_flag=True)
def fit(model: str, context: int | None, users: int, image: str | None, seconds: int | None, as_json: bool) -> None:
    """Compute and show."""
    width, height = sides(image)
    found = forecasting.forecast(model, context or 0, users, side=(width or 0, height or 0), seconds=seconds or 0)
    if as_json:
        out.as_json(facts(found))
        return
    for line in _about(found):
        out.say(line)
    if not found.fits:
        out.say(text("fit.no_file", name=found.name))
        return
    headings = [text(f"fit.{column}") for column in ("engine", "part", "memory", "share")]
    out.table(headings, [row for one in found.fits for row in _rows(one, found)])
    for one in found.fits:
        out.say(verdict(one, found))
        if one.speed:
            out.say(speed(_engine(one), one.speed))
    if found.context and not any(one.speed for one in found.fits):
        out.say(text("fit.speed.unknown"))


def verdict(one: EngineFit, found: Forecast) -> str:
    """What is to be expected with an engine, as a sentence."""
    word = one.verdict.word
    # Of what is no conversation, and no other work that is known, only the weights are.
    whole = found.work or found.told_by == "package"
    other = f"fit.verdict.work_{word}" if whole else f"fit.verdict.weights_{word}"
    told = text(
        f"fit.verdict.{word}" if found.context else other,
        engine=_engine(one),
        needed=size(one.footprint.total),
        room=size(found.room),
        missing=size(one.verdict.missing),
        context=count(found.context),
        largest=count(one.verdict.largest_context),
        users=count(found.users),
    )
    if side := one.verdict.largest_side:
        return f"{told} {text('fit.smaller_images', side=count(side))}"
    longest = one.verdict.longest
    return f"{told} {text('fit.shorter_speech', seconds=count(longest))}" if longest else told


def onto(one: Offload) -> str:
    """What of the model goes onto a graphics card, as a sentence."""
    sizes = {"needed": size(one.needed), "room": size(one.room)}
    return text(
        f"fit.onto.{one.word}", gpu=one.card.name, layers=count(one.layers), blocks=count(one.blocks), **sizes
    )  # fmt: skip


def speed(engine: str, was: Speed) -> str:
    """How fast it was here, as a sentence that says how that is known."""
    generation, prompt = rate(was.generation, "token"), rate(was.prompt, "token")
    return text(
        f"fit.speed.{was.by}", engine=engine, generation=generation, prompt=prompt, answers=count(was.answers)
    )  # fmt: skip


def facts(found: Forecast) -> dict[str, Any]:
    """The same for a program. Sizes in bytes."""
    body = asdict(found)
    del body["card"]
    if found.choice and found.card:
        body["choice"]["reason"] = why_chosen(found.card, found.choice)
    for one, told in zip(body["fits"], found.fits, strict=True):
        one["footprint"]["total"] = told.footprint.total
        one["says"] = verdict(told, found)
    return body


def _about(found: Forecast) -> list[str]:
    lines = [_told_by(found)] if found.fits else []
    if found.fits and not forecasting.reads(found.format):
        lines.append(text("fit.no_engine", format=found.format))
    if found.context and found.fits:
        lines.append(text("fit.for", context=count(found.context), users=count(found.users)))
    if found.work:
        width, height = map(count, found.image)
        sizes = {"width": width, "height": height, "seconds": count(found.seconds)}
        lines.append(text(f"fit.for_{found.work}", users=count(found.users), **sizes))
    memory = {"total": size(found.memory.total), "available": size(found.memory.available), "room": size(found.room)}
    lines.append(text("fit.computer", **memory))
    if found.disk_free:
        word = "disk" if found.size <= found.disk_free else "disk_short"
        lines.append(text(f"fit.{word}", size=size(found.size), free=size(found.disk_free)))
    if found.gpus:
        lines.append(text("fit.gpus", gpus=", ".join(map(graphics_card, found.gpus))))
    lines += [onto(one) for one in found.offload]
    if found.slow:
        lines.append(text("fit.slow"))
    if found.card and found.choice:
        why = why_chosen(found.card, found.choice)
        lines.append(text("fit.chosen", name=f"{found.card.name}:{found.choice.form}", reason=why))
    return lines


def _told_by(found: Forecast) -> str:
    """The sentence that says where the numbers are from."""
    name = f"{found.card.name}:{found.form}" if found.card and found.form else found.name
    about = {"name": name, "size": size(found.size)}
    if found.work == "speech":
        return text(f"fit.speech_told_by.{found.told_by}", **about)
    whole = found.context or found.told_by in ("package", "parameters")
    return text(f"fit.told_by.{found.told_by if whole else found.work or 'weights'}", **about)


def _rows(one: EngineFit, found: Forecast) -> list[list[str]]:
    """The parts, their sum, and what the system counts beside them."""
    parts = [(part, getattr(one.footprint, part)) for part in PARTS]
    if not found.context:  # nothing, or not known
        parts = [("kept" if part == "kv_cache" else part, bytes_) for part, bytes_ in parts if bytes_]
    parts.append(("total", one.footprint.total))
    if one.footprint.spare:
        parts.append(("spare", one.footprint.spare))
    rows = [[_engine(one), *_row(*part, found)] for part in parts]
    of_pipeline = [[_engine(one), f"- {name}", size(bytes_), ""] for name, bytes_ in found.parts.items()]
    return [*rows[:1], *of_pipeline, *rows[1:]]


def _row(part: str, bytes_: int, found: Forecast) -> list[str]:
    share = bytes_ / max(found.memory.total, 1)
    return [text(f"fit.{part}"), size(bytes_), f"{decimal(100 * share)} % {bar(share)}".rstrip()]


def bar(share: float) -> str:
    """A share of all memory as blocks; one that is more than all ends in an arrow."""
    if share > 1:
        return "█" * BAR + "▶"
    eighths = round(share * BAR * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()


def _engine(one: EngineFit) -> str:
    return one.engine or text("fit.any_engine")
