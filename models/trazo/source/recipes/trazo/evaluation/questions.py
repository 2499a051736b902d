# SPDX-License-Identifier: Apache-2.0
"""What the model is asked for. Things, words and seeds are chosen by the seed of the recipe, before it has drawn.

label        the name of a thing, as training says it
paraphrase   the same name in a sentence that training never says
keywords     two keywords that belong to one thing only, in that sentence, without its name
seen         a thing in a colour that training has shown it in by turning its hue
unseen       a thing in a colour that training has kept from it, and that no drawing of it has
style        a name and the words of a style
common       a name of one or two words, of what nearly all sets draw
"""

from collections import Counter
from collections.abc import Generator, Iterator
from dataclasses import dataclass

import numpy as np

from abierto.recipes.trazo import captions, colors, hashes, variants
from abierto.recipes.trazo.evaluation.counts import Counts
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES, Settings
from abierto.recipes.trazo.steps import Progress

_SEEDS = 2**32 - 1  # what an engine takes


@dataclass(frozen=True, slots=True)
class Question:
    """said: the prompt. seed: of the noise. color, family: what was asked for beside the thing, else empty."""

    kind: str
    language: str
    said: str
    concept: str
    seed: int
    color: str = ""
    family: str = ""


@dataclass(frozen=True, slots=True)
class Asker:
    """Chooses the questions."""

    settings: Settings
    data: DataSet
    counts: Counts

    def questions(self) -> Generator[Progress, None, list[Question]]:
        """All of them, in a fixed order: those of a kind and language stand together."""
        colored: dict[str, list[tuple[str, str]]] = {"seen": [], "unseen": []}
        yield from self._colored(colored)
        return [
            *self._named(),
            *self._keywords(),
            *(one for kind, pairs in colored.items() for one in self._in_colors(kind, pairs)),
            *self._styled(),
            *self._everyday(),
        ]

    def pool(self) -> list[str]:
        """The things that can be asked for: those that both the model and its judge have drawings of, in Unicode's
        order."""
        shown = {
            use: {self.data.drawings[place].concept for place in self.data.used_for(use)} for use in ("train", "judge")
        }
        return [key for key in self.data.concepts if key in shown["train"] & shown["judge"]]

    def _order(self, kind: str) -> list[str]:
        pool = self.pool()
        random = np.random.default_rng(hashes.number(self.settings.seed, "evaluation", kind))
        return [pool[at] for at in random.permutation(len(pool))]

    def _seed(self, *parts: object) -> int:
        return hashes.number(self.settings.seed, "evaluation", *parts) % _SEEDS

    def _named(self) -> Iterator[Question]:
        """Labels and paraphrases: of the same things from the same noise, so that the words alone differ."""
        order = self._order("label")
        for kind, count in (("label", self.counts.labels), ("paraphrase", self.counts.paraphrases)):
            for language in LANGUAGES:
                for key in order[:count]:
                    label = self.data.concepts[key].labels[language]
                    said = captions.UNSEEN_FORM[language].format(label) if kind == "paraphrase" else label
                    yield Question(kind, language, said, key, self._seed("label", key))

    def _keywords(self) -> Iterator[Question]:
        belongs = {language: self._pairs_of_keywords(language) for language in LANGUAGES}
        able = [key for key in self._order("keywords") if all(belongs[language].get(key) for language in LANGUAGES)]
        for language in LANGUAGES:
            for key in able[: self.counts.keywords]:
                pairs = belongs[language][key]
                words = pairs[self._seed("keywords", language, key) % len(pairs)]
                said = captions.UNSEEN_FORM[language].format(", ".join(words))
                yield Question("keywords", language, said, key, self._seed("keywords", key))

    def _pairs_of_keywords(self, language: str) -> dict[str, list[tuple[str, str]]]:
        """Of every thing the pairs that no other thing has."""
        pairs = {key: list(_pairs(concept.keywords[language])) for key, concept in self.data.concepts.items()}
        times = Counter(pair for found in pairs.values() for pair in found)
        return {key: [pair for pair in found if times[pair] == 1] for key, found in pairs.items()}

    def _colored(self, found: dict[str, list[tuple[str, str]]]) -> Generator[Progress, None, None]:
        """Pairs of thing and colour, at most one of either kind for a thing."""
        wanted, order = self.counts.pairs, self._order("colors")
        for done, key in enumerate(order):
            yield Progress("ask", done + 1, len(order))
            if min(map(len, found.values())) >= wanted:
                return
            if variants.names_a_color(self.data.concepts[key]):
                continue
            first, turned, any_at_all = self._shown(key)
            able = {
                "seen": [color for color in colors.HUED if color in turned and color not in first],
                "unseen": [color for color in colors.HUED if color not in any_at_all
                           and variants.held_back(self.settings, key, color)],
            }  # fmt: skip
            for kind, names in able.items():
                if names and len(found[kind]) < wanted:
                    found[kind].append((key, names[self._seed(kind, key) % len(names)]))

    def _shown(self, key: str) -> tuple[set[str], set[str], set[str]]:
        """The main colours that training shows a thing in: as it is drawn, and by turned hues; and all its colours."""
        first: set[str] = set()
        turned: set[str] = set()
        any_at_all: set[str] = set()
        for place in self.data.used_for("train"):
            if self.data.drawings[place].concept != key:
                continue
            shown = {variants.chosen(self.settings, self.data, place, number).angle
                     for number in range(self.settings.data.variants)}  # fmt: skip
            for angle in shown:
                pixels = np.asarray(self.data.pixels[place])
                names = colors.named(colors.turned(pixels, angle) if angle else pixels)
                any_at_all.update(names)
                (turned if angle else first).update(names[:1])
        return first, turned, any_at_all

    def _in_colors(self, kind: str, pairs: list[tuple[str, str]]) -> Iterator[Question]:
        for language in LANGUAGES:
            for key, color in pairs:
                said = captions.of_color(self.data.concepts[key].labels[language], color, language)
                yield Question(kind, language, said, key, self._seed("colors", key), color)

    def _styled(self) -> Iterator[Question]:
        trained = [one for one in self.settings.sources if one.family and one.use == "train"]
        for language in LANGUAGES:
            for source in trained:
                for at, key in enumerate(self._order(f"style {source.family}")[: self.counts.styles]):
                    words = source.styles[language]
                    said = f"{self.data.concepts[key].labels[language]}, {words[at % len(words)]}"
                    yield Question("style", language, said, key, self._seed("style", key), family=source.family)

    def _everyday(self) -> Iterator[Question]:
        everyday = self.data.everyday()
        able = [key for key in self._order("common") if key in everyday]
        for at, key in enumerate(able[: self.counts.common]):
            language = LANGUAGES[at % len(LANGUAGES)]
            label = self.data.concepts[key].labels[language]
            yield Question("common", language, label, key, self._seed("common", key))


def _pairs(words: list[str]) -> Iterator[tuple[str, str]]:
    kept = sorted(set(words))
    return ((one, other) for at, one in enumerate(kept) for other in kept[at + 1 :])
