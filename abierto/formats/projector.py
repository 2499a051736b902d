"""Projectors: GGUF files (`mmproj-….gguf`) that turn an image into tokens of one model; and which model one fits.

A projector says how many numbers its tokens have, and only a model whose tokens have as many can read them. That it
was made for that very model is not in the file: two models of one width cannot be told apart but by their names.
"""

from pathlib import Path

from abierto.errors import AbiertoError, NotAProjector, ProjectorIsNoModel, ProjectorMismatch
from abierto.formats.gguf import read_header
from abierto.formats.gguf_header import GGUFHeader

ARCHITECTURE = "clip"
_WIDTH = "clip.vision.projection_dim"
# Tensors of its last step, which makes tokens of the model: one side of one of them is the model's width.
_LAST_STEP = ("mm.", "resampler.", "adapter.", "v.proj_blk.")
_MOST_BESIDE = 32  # files that are looked into; a folder may hold thousands


def check(model: GGUFHeader, model_path: str, path: str) -> GGUFHeader:
    """The header of a projector that fits a model. Raises NotAProjector, ProjectorMismatch, and as `read_header`."""
    header = read_header(path)
    if header.architecture != ARCHITECTURE:
        raise NotAProjector(path, header.architecture)
    if not _fits(header, model):
        width = header.number(_WIDTH) or 0
        raise ProjectorMismatch(path, Path(model_path).name, width, model.embedding_length)
    return header


def refuse(model: GGUFHeader, path: str) -> None:
    """Raise ProjectorIsNoModel for a projector in the place of a model."""
    if model.architecture == ARCHITECTURE:
        raise ProjectorIsNoModel(path)


def beside(model_path: str) -> str:
    """The projector in the same folder that fits a model, if there is just one; else nothing.

    One whose makers call it otherwise than the model is left to the person to name.
    """
    path = Path(model_path)
    found = [file for file in sorted(path.parent.glob("*.gguf")) if "mmproj" in file.name.lower() and file != path]
    if not found:
        return ""
    model = read_header(model_path)
    fitting = [file for file in found[:_MOST_BESIDE] if _is_of(model, model_path, str(file))]
    return str(fitting[0]) if len(fitting) == 1 and len(found) <= _MOST_BESIDE else ""


def _is_of(model: GGUFHeader, model_path: str, path: str) -> bool:
    try:
        header = check(model, model_path, path)
    except AbiertoError:
        return False
    names = {_plain(one.text("general.basename") or "") for one in (header, model)} - {""}
    return len(names) < 2


def _fits(header: GGUFHeader, model: GGUFHeader) -> bool:
    width = model.embedding_length
    if header.number(_WIDTH) == width:
        return True
    # Files from before 2025 give here the width of something else.
    return any(width in tensor.shape for tensor in header.tensors if tensor.name.startswith(_LAST_STEP))


def _plain(name: str) -> str:
    return "".join(letter for letter in name.lower() if letter.isalnum())
