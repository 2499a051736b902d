"""`abierto quantize`: make a GGUF file with fewer bits, or list what could be made."""

from dataclasses import asdict
from pathlib import Path

from abierto.cli import out
from abierto.cli.making import make
from abierto.cli.words import argument, command, option
from abierto.locale import text
from abierto.locale.numbers import decimal, size
from abierto.recipes import quantize as recipe
from abierto.recipes.quantize import Original


@command("quantize")
@argument("model")
@argument("type", required=False)
@option("--out", "file", metavar="FILE")
@option("--name", metavar="NAME")
@option("--json", "as_json", is_flag=True)
def quantize(model: str, type: str | None, file: str | None, name: str | None, as_json: bool) -> None:  # noqa: A002
    """Make a file of a type, or list the types that can be made."""
    original = recipe.open_original(model)
    if type is None:
        _list(original, as_json)
        return
    kind = type.lower()
    name = name or recipe.default_name(original.target.name, kind)
    if original.rounded:
        out.note(text("quantize.already", name=original.target.name, type=original.rounded))
        if recipe.is_no_gain(original, kind):
            out.note(text("quantize.no_gain", kind=kind))
    make(name, kind, original.target.name, recipe.quantize(original, kind, name, Path(file) if file else None))


def _list(original: Original, as_json: bool) -> None:
    offers = recipe.offers(original)
    if as_json:
        out.as_json([asdict(offer) for offer in offers])
        return
    headings = [text(f"quantize.{column}") for column in ("kind", "size", "bits")]
    out.table(headings, [(offer.kind, size(offer.size), decimal(offer.bits, 1)) for offer in offers])
