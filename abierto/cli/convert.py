"""`abierto convert`: make a GGUF file of a model as its makers publish it."""

from pathlib import Path

from abierto.cli.making import make
from abierto.cli.words import argument, command, option
from abierto.recipes import convert as recipe
from abierto.recipes.quantize import default_name


@command("convert")
@argument("folder")
@option("--type", "kind", metavar="TYPE")
@option("--out", "file", metavar="FILE")
@option("--name", metavar="NAME")
def convert(folder: str, kind: str | None, file: str | None, name: str | None) -> None:
    """Make a GGUF file of config.json and safetensors files, in a folder or as they were pulled."""
    source = recipe.open_source(recipe.folder_of(folder))
    kind = kind.lower() if kind else source.usual_kind
    name = name or default_name(source.name, kind)
    make(name, kind, source.name, recipe.convert(source, kind, name, Path(file) if file else None))
