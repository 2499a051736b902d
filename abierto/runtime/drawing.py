"""What a drawing needs beside its engine: which models draw, what a card asks for, and the note in the file.

The note has the form that programs for Stable Diffusion read and write: a text `parameters` with the prompt, then what
shall not be seen, then the numbers. Beside it stands IPTC's term for images that a model made, so that others can tell.
"""

import base64
import json
from dataclasses import replace

from abierto import __version__, catalog
from abierto.catalog import Card
from abierto.errors import NoEngineForFile, NoImageModel
from abierto.formats import png
from abierto.runtime.resolve import is_installed
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image

PARAMETERS = "parameters"
# Forms of models that draw and that an engine here reads; of other forms some engines read what talks.
FORMATS = ("diffusers_onnx",)
# https://cv.iptc.org/newscodes/digitalsourcetype/
SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/trainedAlgorithmicMedia"


def require(card: Card) -> None:
    """Refuse a model that cannot draw here, before anybody fetches it for nothing. Raises NoImageModel for one that has
    another task, NoEngineForFile for one that no engine here reads."""
    if not card.draws:
        raise NoImageModel(card.name, card.pipeline_tag, able())
    if not (card.built_in or _is_read(card)):
        formats = sorted({weights.format for weights in card.weights.values()})
        raise NoEngineForFile(card.name, ", ".join(formats) or "?")


def able() -> list[str]:
    """The cards of models that draw, and that an engine here reads."""
    return [card.name for card in catalog.cards().values() if card.draws and _is_drawn(card)]


def _is_drawn(card: Card) -> bool:
    return is_installed(card) if card.built_in else _is_read(card)


def completed(request: DrawRequest, card: Card | None) -> DrawRequest:
    """The request with what the card's makers use where nothing is set."""
    usual = card.defaults if card and card.draws else {}
    steps, guidance = usual.get("steps"), usual.get("guidance")
    return replace(
        request,
        num_inference_steps=steps if request.num_inference_steps is None else request.num_inference_steps,
        guidance_scale=guidance if request.guidance_scale is None else request.guidance_scale,
    )


def noted(image: Image, request: DrawRequest, model: str) -> Image:
    """The image with the note in its file: how it was made, and that a model made it. One that has it stays."""
    file = base64.b64decode(image.png)
    if PARAMETERS in png.texts(file):
        return image
    texts = {
        PARAMETERS: parameters(image, request, model),
        "Software": f"Abierto {__version__}",
        "DigitalSourceType": SOURCE_TYPE,
    }
    return replace(image, png=base64.b64encode(png.with_texts(file, texts)).decode())


def parameters(image: Image, request: DrawRequest, model: str) -> str:
    """How an image was made. A value with a comma, a colon or a new line stands in quotes."""
    facts = {
        "Steps": image.num_inference_steps,
        "Sampler": image.sampler,
        "CFG scale": f"{image.guidance_scale:g}",
        "Seed": image.seed,
        "Size": f"{image.width}x{image.height}",
        "Model": model,
        "Version": f"Abierto {__version__}",
    }
    negative = [f"Negative prompt: {request.negative_prompt}"] if request.negative_prompt else []
    told = ", ".join(f"{name}: {_quoted(str(value))}" for name, value in facts.items() if value != "")
    return "\n".join([request.prompt, *negative, told])


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False) if set(value) & set(',:\n"') else value


def _is_read(card: Card) -> bool:
    return any(weights.format in FORMATS for weights in card.weights.values())
