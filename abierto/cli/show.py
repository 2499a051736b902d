"""`abierto show`: what is known of a model, from its card and from the header of its file."""

from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from abierto import catalog, config, locale
from abierto.catalog import Card
from abierto.catalog.card import Evaluation
from abierto.cli import out
from abierto.cli.license_rows import license_body, license_rows, licensing_of
from abierto.cli.notices import claim_line
from abierto.cli.words import argument, command, option
from abierto.errors import ModelNotPulled, ModelNotShipped, NoEngineForFile, NothingToFetch, UnknownModel
from abierto.formats import footprint, openvino_model
from abierto.formats.gguf import GGUFHeader, read_parts
from abierto.locale import has, text
from abierto.locale.numbers import count, decimal, size
from abierto.locale.wording import language as language_name
from abierto.runtime import pulled, quantization, resolve
from abierto.runtime.remotes import Remote


@command("show")
@argument("model")
@option("--json", "as_json", is_flag=True)
def show(model: str, as_json: bool) -> None:
    """What is known of a model: its card, and the header of its file if it is here."""
    card, target, header, unread = catalog.find_form(model)[0], None, None, ""
    for fault in catalog.faults():
        out.warn(fault)
    try:
        target = resolve.resolve(model, config.folders().models)
        header = read_parts(target.files) if target.format == "gguf" else None
    except (ModelNotPulled, ModelNotShipped, NothingToFetch, UnknownModel):
        if card is None:
            raise
    except NoEngineForFile as error:
        out.warn(error)
        unread = error.path
    if target and target.remote:
        _show_remote(target.name, target.remote, as_json)
        return
    for claim in target.claims if target else ():
        out.note(claim_line(claim))
    files = (*target.files, *filter(None, [target.projector])) if target else tuple(filter(None, [unread]))
    licensing = licensing_of(card, files, header)
    if as_json:
        body = asdict(card) if card else {"name": model}
        place = {"files": target.files, "owner": target.owner or None} if target else {"files": (), "owner": None}
        told = license_body(licensing) if licensing else None
        out.as_json({**body, **place, "header": _header(header) if header else None, "licensing": told})
        return
    rows = [*(_card_rows(card) if card else ()), *(_header_rows(header) if header else ())]
    rows += license_rows(licensing) if licensing else ()
    if target and target.files:
        rows += _openvino_rows(target.files[0]) if target.format == "openvino" else ()
        rows += [("file", file) for file in target.files]
        rows += [("projector", target.projector)] if target.projector else []
        rows += [("owner", text(f"owner.{target.owner}"))] if target.owner else []
        rows.append(("vouched", text("show.yes" if target.vouched else "show.no")))
    elif unread:
        rows.append(("file", unread))
    elif card and card.package and not target:
        rows.append(("file", text("models.not_shipped")))
    elif card and card.weights:
        rows.append(("file", text("show.not_here", name=card.name)))
    for label, value in rows:
        out.say(f"{text(f'show.{label}')}: {value}")
    for said in (card.openness, card.chat_template) if card else ():
        for sentence in said.get(locale.current(), ()):
            out.say(f"- {sentence}")


def _show_remote(name: str, remote: Remote, as_json: bool) -> None:
    """What is known of a model on another computer without asking it."""
    provider = remote.provider
    if as_json:
        out.as_json({"name": name, "remote": provider.host, "address": provider.address, "files": []})
        return
    rows = [("name", name), ("address", provider.address), *(("documents", url) for url in provider.documents)]
    rows += [("read", provider.read)] if provider.read else []
    for label, value in rows:
        out.say(f"{text(f'show.{label}')}: {value}")
    out.say(f"- {text('remote.leaves', model=name, host=provider.host)}")


def _card_rows(card: Card) -> list[tuple[str, str]]:
    rows = [("name", f"{card.name} ({card.title})")]
    if card.parameters:
        rows.append(("parameters", count(card.parameters)))
    if card.license:
        rows.append(("license", card.license))
    if card.languages:
        rows.append(("languages", ", ".join(language_name(code) for code in card.languages)))
    several = len(card.weights) > 1
    sources = [weights.source for weights in card.weights.values()] or list(card.links.values())[:1]
    rows += _quantizations(card) if several else [("source", source) for source in sources]
    rows += [("lineage", f"{_lineage_label(key)}: {value}") for key, value in card.lineage.items()]
    results = [_result(one) for one in card.evaluations]
    rows += [("evaluations", ", ".join(results))] if results else []
    rows += [("evidence", f"{', '.join(item.facts)}: {item.url} ({item.read})") for item in card.evidence]
    return rows


def _result(one: Evaluation) -> str:
    """With as many decimals as its document states."""
    said = f"{one.benchmark} {decimal(one.value, len(str(one.value).partition('.')[2]))}"
    return said if one.better == "more" else text("show.less_is_better", result=said)


def _lineage_label(key: str) -> str:
    return text(f"lineage.{key}") if has(f"lineage.{key}") else key


def _quantizations(card: Card) -> Iterator[tuple[str, str]]:
    """The forms to choose from, which of them are here, and which one would be chosen on this computer."""
    folder = config.folders().models
    chosen = quantization.of_card(card).form
    for form, weights in card.weights.items():
        here = pulled.record_of(f"{card.name}:{form}", folder) is not None
        state = text("show.form_here") if here else text("show.form_chosen") if form == chosen else ""
        bytes_ = size(weights.size) if weights.size else text("word.unknown")
        yield (
            "quantization",
            text(
                "show.quantization_value", form=f"{card.name}:{form}", size=bytes_, state=state, source=weights.source
            ),
        )


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
    memory = text("show.memory_value", size=size(model.footprint(context).total), tokens=count(context))
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
