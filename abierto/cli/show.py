"""`abierto show`: what is known of a model, from its card and from the header of its file."""

from dataclasses import asdict
from typing import Any

from abierto import catalog, config, locale
from abierto.catalog import Card
from abierto.cli import out
from abierto.cli.words import argument, command, option
from abierto.errors import ModelNotPulled, NoEngineForFile, UnknownModel
from abierto.formats import footprint, openvino_model
from abierto.formats.gguf import GGUFHeader, read_header
from abierto.locale import text
from abierto.locale.numbers import count, size
from abierto.locale.wording import language as language_name
from abierto.runtime import resolve


@command("show")
@argument("model")
@option("--json", "as_json", is_flag=True)
def show(model: str, as_json: bool) -> None:
    """What is known of a model: its card, and the header of its file if it is here."""
    card, target, header, file = catalog.find(model), None, None, ""
    try:
        target = resolve.resolve(model, config.folders().models)
        header = read_header(target.files[0]) if target.format == "gguf" else None
    except (ModelNotPulled, UnknownModel):
        if card is None:
            raise
    except NoEngineForFile as unread:
        out.warn(unread)
        file = unread.path
    if as_json:
        body = asdict(card) if card else {"name": model}
        out.as_json({**body, "files": target.files if target else (), "header": _header(header) if header else None})
        return
    rows = [*(_card_rows(card) if card else ()), *(_header_rows(header) if header else ())]
    if target and target.files:
        rows += _openvino_rows(target.files[0]) if target.format == "openvino" else ()
        rows.append(("file", target.files[0]))
        rows.append(("vouched", text("show.yes" if target.vouched else "show.no")))
    elif file:
        rows.append(("file", file))
    elif card and card.weights:
        rows.append(("file", text("show.not_here", name=card.name)))
    for label, value in rows:
        out.say(f"{text(f'show.{label}')}: {value}")
    for said in (card.openness, card.chat_template) if card else ():
        for sentence in said.get(locale.current(), ()):
            out.say(f"- {sentence}")


def _card_rows(card: Card) -> list[tuple[str, str]]:
    rows = [("name", f"{card.name} ({card.title})")]
    if card.parameters:
        rows.append(("parameters", count(card.parameters)))
    if card.license:
        rows.append(("license", card.license))
    if card.languages:
        rows.append(("languages", ", ".join(language_name(code) for code in card.languages)))
    rows += [("source", weights.source) for weights in card.weights.values()]
    rows += [("evidence", f"{', '.join(item.facts)}: {item.url} ({item.read})") for item in card.evidence]
    return rows


def _header_rows(header: GGUFHeader) -> list[tuple[str, str]]:
    trained = header.context_length or 0
    tensors, parameters = count(len(header.tensors)), count(header.parameter_count)
    return [
        ("architecture", header.architecture),
        ("tensors", text("show.tensors_value", tensors=tensors, parameters=parameters)),
        ("context", count(trained)),
        *(("memory", _memory(header, context)) for context in sorted({min(trained, 2048), min(trained, 8192)} - {0})),
    ]


def _openvino_rows(path: str) -> list[tuple[str, str]]:
    model = openvino_model.read(path)
    context = min(model.context_length or 0, 8192)
    if not context:
        return []
    memory = text("show.memory_value", size=size(model.footprint(context)), tokens=count(context))
    return [("context", count(model.context_length or 0)), ("memory", memory)]


def _memory(header: GGUFHeader, context: int) -> str:
    needed = footprint.estimate(header, context).total
    return text("show.memory_value", size=size(needed), tokens=count(context))


def _header(header: GGUFHeader) -> dict[str, Any]:
    return {
        "version": header.version,
        "architecture": header.architecture,
        "parameters": header.parameter_count,
        "context": header.context_length,
        "tensors": len(header.tensors),
        "metadata": {
            key: value for key, value in header.metadata.items() if isinstance(value, str | int | float | bool)
        },
    }
