# SPDX-License-Identifier: Apache-2.0
"""Captions, made by program from what is known of a picture: its name, keywords, style, measured colours, background.

Parts are left out at random, so that a short prompt is as good as a long one. Some captions are sentences, as people
ask for pictures. Both languages say the same. What is not as one would expect it is always told: a turned hue, a
background that is not white, a style that no words stand for.
"""

import re
import unicodedata
from dataclasses import dataclass
from typing import TYPE_CHECKING

from abierto.recipes.trazo import colors
from abierto.recipes.trazo.concepts import Concept

if TYPE_CHECKING:
    import numpy as np

_AND = {"en": " and ", "es": " y "}
_GROUND = {"en": "on a {} background", "es": "sobre fondo {}"}
# Spanish articles come in either gender at random: what is shown may be of either, and people may be wrong.
_FORMS = {
    "en": ("a {}", "a {}", "the {}", "my {}", "one {}", "this is a {}", "a drawing of {}", "a drawing of a {}",
           "drawing of a {}", "a picture of a {}", "an image of {}", "an illustration of a {}", "an icon of a {}",
           "an emoji of {}", "{} emoji", "{} icon", "draw a {}", "draw {}", "draw me a {}", "please draw a {}",
           "can you draw a {}?", "make a drawing of a {}", "i want a {}", "show me a {}", "here is a {}",
           "there is a {}", "it is a {}", "something like a {}", "i would like to see a {}", "paint a {}",
           "a photo of a {}", "the picture of a {}, please"),
    "es": ("un {}", "una {}", "el {}", "la {}", "mi {}", "esto es un {}", "un dibujo de {}", "un dibujo de un {}",
           "dibujo de una {}", "una imagen de una {}", "una imagen de {}", "una ilustración de un {}",
           "un icono de {}", "un emoji de {}", "emoji de {}", "icono de {}", "dibuja un {}", "dibuja una {}",
           "dibuja {}", "dibújame una {}", "¿puedes dibujar un {}?", "haz un dibujo de una {}", "quiero un {}",
           "enséñame una {}", "aquí hay una {}", "hay un {}", "es una {}", "algo como un {}",
           "me gustaría ver una {}", "pinta un {}", "una foto de un {}", "la imagen de una {}, por favor",
           "una imagen en la que hay un {}", "una ilustración con una {}"),
}  # fmt: skip
_IN_A_FORM = 0.35
_SHORT = 0.3  # share of the captions that tell no more than they must, as most people ask
# Words that tell nothing of what is shown, and some that nobody knows, so that a name is found among any others.
_OTHERS = {
    "en": "hello please now just really very nice good pretty beautiful lovely simple great new favorite maybe need "
          "want could would let see look find give get have for with from about this these some any more here today",
    "es": "hola favor ahora solo muy bonito bonita lindo linda bueno buena simple gran nuevo nueva favorito quizás "
          "necesito podría quisiera vamos ver mira dame tengo para con desde sobre este esta estos algún alguna más "
          "aquí hoy gracias",
}  # fmt: skip
_AMONG_OTHERS = 0.15
# By how they are spoken: an hour, a unicorn, a euro.
_AFTER_AN = re.compile(r"hour|(?!eu|one\b|uni[cftv]|ut|ufo|u\b)[aeiou]")
# What evaluation asks with, and training never says.
UNSEEN_FORM = {"en": "a picture that shows {}", "es": "una imagen que muestra {}"}


@dataclass(frozen=True, slots=True)
class Shown:
    """What a picture shows. styles: ways to say its style, by language; colors and background: English names.

    styled: whether the style is always told, because a prompt that tells none is to mean another one. turned: whether
    its hues are not its own. taken: words that other things have, too, so that they never stand for this one.
    """

    concept: Concept
    styles: dict[str, tuple[str, ...]]
    colors: tuple[str, ...]
    background: str
    styled: bool = False
    turned: bool = False
    taken: frozenset[str] = frozenset()


def caption(shown: Shown, language: str, random: "np.random.Generator") -> str:
    """One caption of a picture, in lower case. It always names what is shown, by label or by a keyword."""
    subject, told = _subject(shown, language, random)
    parts = []
    keywords = shown.concept.keywords[language]
    more = 0.0 if random.random() < _SHORT else 1.0
    if keywords and random.random() < 0.35 * more:
        count = min(len(keywords), int(random.integers(1, 4)))
        parts += [keywords[place] for place in random.choice(len(keywords), count, replace=False)]
    if (shown.styled or random.random() < 0.5 * more) and shown.styles.get(language):
        parts.append(str(random.choice(shown.styles[language])))
    if shown.colors and not told and (shown.turned or random.random() < 0.45 * more):
        parts.append(in_colors(shown.colors, language))
    if random.random() < 0.1 * more:
        parts.append(shown.concept.groups[language])
    if shown.background != "white" or random.random() < 0.15 * more:
        parts.append(on_ground(shown.background, language))
    parts.insert(0 if random.random() < 0.8 else int(random.integers(0, len(parts) + 1)), subject)
    said = ", ".join(parts)
    if random.random() < _IN_A_FORM:
        form = str(random.choice(_FORMS[language]))
        spoken = language == "en" and _AFTER_AN.match(said)
        said = (form.replace("a {}", "an {}") if spoken else form).format(said)
    if random.random() < _AMONG_OTHERS:
        said = _among_others(said, language, random)
    return without_accents(said) if language == "es" and random.random() < 0.15 else said


def of_color(label: str, color: str, language: str) -> str:
    """A thing of one colour. Spanish says `de color`, which fits words of either gender."""
    name = colors.NAMES[color][language]
    return f"{name} {label}" if language == "en" else f"{label} de color {name}"


def in_colors(names: tuple[str, ...], language: str) -> str:
    """Several colours."""
    said = [colors.NAMES[name][language] for name in names]
    listed = _AND[language].join(filter(None, (", ".join(said[:-1]), said[-1])))
    return listed if language == "en" else f"de color {listed}"


def on_ground(background: str, language: str) -> str:
    """The background."""
    return _GROUND[language].format(colors.NAMES[background][language])


def without_accents(said: str) -> str:
    """As many people type it. The ñ stays: it is another letter."""
    return "".join(
        letter if letter == "ñ" else unicodedata.normalize("NFD", letter)[0]
        for letter in unicodedata.normalize("NFC", said)
    )


def _subject(shown: Shown, language: str, random: "np.random.Generator") -> tuple[str, bool]:
    """What is shown, and whether its colour is told with it."""
    label = shown.concept.labels[language]
    own = [word for word in shown.concept.keywords[language] if word not in shown.taken]
    if own and random.random() < 0.12:
        label = own[int(random.integers(len(own)))]
    if shown.colors and random.random() < 0.3:
        if language == "es" and random.random() < 0.5:
            return _as_an_adjective(label, shown.colors[0], random), True
        return of_color(label, shown.colors[0], language), True
    return label, False


def _among_others(said: str, language: str, random: "np.random.Generator") -> str:
    known = _OTHERS[language].split()
    count = int(random.integers(1, 4))
    words = [str(random.choice(known)) if random.random() < 0.5 else _unknown(random) for _ in range(count)]
    before = int(random.integers(0, len(words) + 1))
    return " ".join([*words[:before], said, *words[before:]])


def _unknown(random: "np.random.Generator") -> str:
    """A word that is none, of two to eight letters that can be spoken."""
    return "".join(random.choice(list("bcdfghjlmnpqrstvyz")) + random.choice(list("aeiou"))
                   for _ in range(random.integers(1, 5)))  # fmt: skip


def _as_an_adjective(label: str, color: str, random: "np.random.Generator") -> str:
    """As people say it in Spanish, in either gender: nobody has told which one the label is of."""
    name = colors.NAMES[color]["es"]
    if name.endswith("o") and random.random() < 0.5:
        name = f"{name[:-1]}a"
    return f"{label} {name}"
