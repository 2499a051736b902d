# SPDX-License-Identifier: Apache-2.0
"""Every number of the evaluation, each with its interval, from what the judges said of each picture."""

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abierto.recipes.trazo.evaluation.answers import Real, Seen
from abierto.recipes.trazo.evaluation.intervals import difference, share
from abierto.recipes.trazo.evaluation.panel import Drawings, Panel
from abierto.recipes.trazo.evaluation.questions import Question
from abierto.recipes.trazo.settings import LANGUAGES

if TYPE_CHECKING:
    from numpy.typing import NDArray

KINDS = ("label", "paraphrase", "keywords", "seen", "unseen", "style", "common")
_FIVE = 5
# Of 100 copies so many are no farther from what they are copies of. More of them reach farther than many real drawings
# of other families, by pixels, and would tell nothing.
_AS_A_COPY = 50


@dataclass(frozen=True, slots=True)
class Reading:
    """Real drawings of training families as they are: how many names each kind of judge finds nearer.

    places: of the drawings. readable: the things of which the judge apart names at least half of the drawings (top 5).
    """

    places: list[int]
    apart: "NDArray[np.int64]"
    others: "NDArray[np.int64]"
    readable: set[str]


def reading(panel_: Panel) -> Reading:
    """Let the judges look at the real drawings of what the judge apart knows."""
    drawings, data = panel_.drawings, panel_.drawings.data
    known = set(panel_.apart.names)
    places = [place for place in data.used_for("train") if data.drawings[place].concept in known]
    right = [data.drawings[place].concept for place in places]
    apart = panel_.apart.ranks(drawings.shapes[places], right)
    others = panel_.ranks_of_others(drawings.shapes[places], right, [drawings.group(place) for place in places])
    named = {key: [rank < _FIVE for rank, one in zip(apart, right, strict=True) if one == key] for key in set(right)}
    return Reading(places, apart, others, {key for key, found in named.items() if 2 * sum(found) >= len(found)})


@dataclass(frozen=True, slots=True)
class Measures:
    """All there is to measure on."""

    questions: list[Question]
    seen: Seen
    real: Real
    reading: Reading
    resamples: int

    def places(self, kind: str, language: str = "") -> list[int]:
        """Of the questions of a kind, in one language or all."""
        return [
            at
            for at, one in enumerate(self.questions)
            if one.kind == kind and one.language in (language or one.language)
        ]

    def retrieval(self) -> dict[str, Any]:
        """By kind and language: whether what was asked for is the nearest name, or among five, by either judge."""
        found: dict[str, Any] = {}
        for kind in KINDS:
            found[kind] = {language: self._named(self.seen, self.places(kind, language)) for language in LANGUAGES}
            found[kind]["all"] = self._named(self.seen, self.places(kind))
        return found

    def ceiling(self) -> dict[str, Any]:
        """The same of real drawings: as they are, through the autoencoder, and with turned hues through it."""
        reading = self.reading
        keys = [self.real.back.right, self.real.turned.right if self.real.turned else []]
        whole = {"top1": self._share(reading.apart < 1), "top5": self._share(reading.apart < _FIVE),
                 "top1_by_others": self._share(reading.others < 1),
                 "top5_by_others": self._share(reading.others < _FIVE)}  # fmt: skip
        found = {"real": whole, "readable_things": len(reading.readable),
                 "returned": self._named(self.real.back, list(range(len(keys[0]))))}  # fmt: skip
        if self.real.turned:
            found["turned"] = self._named(self.real.turned, list(range(len(keys[1]))))
        return found

    def differences(self) -> dict[str, Any]:
        """English less Spanish, of the same things; paraphrases less labels, of the same things and noise. In top 5."""
        found = {kind: self._less(self.places(kind, "en"), self.places(kind, "es"))
                 for kind in ("label", "paraphrase", "keywords", "seen", "unseen")}  # fmt: skip
        told = {(one.concept, one.language): at for at, one in enumerate(self.questions) if one.kind == "label"}
        again = [at for at in self.places("paraphrase") if self._key(at) in told]
        return {"english_less_spanish": found,
                "paraphrase_less_label": self._less(again, [told[self._key(at)] for at in again])}  # fmt: skip

    def colors(self) -> dict[str, Any]:
        """Whether the largest colour of the picture is the one that was asked for, or it is there at all.

        by_chance: how often pictures that were asked for without a colour have it as their largest. measured_right: of
        real drawings with turned hues, how often the largest colour is the same after the autoencoder as before.
        """
        found: dict[str, Any] = {}
        for kind in ("seen", "unseen"):
            found[kind] = {}
            for language in (*LANGUAGES, "all"):
                places = self.places(kind, "" if language == "all" else language)
                largest = [self.seen.colors[at][:1] == [self.questions[at].color] for at in places]
                there = [self.questions[at].color in self.seen.colors[at] for at in places]
                both = [right and self.seen.apart[at] < _FIVE for right, at in zip(largest, places, strict=True)]
                found[kind][language] = {"largest": self._share(largest), "there": self._share(there),
                                         "largest_and_thing": self._share(both)}  # fmt: skip
        plain = Counter(self.seen.colors[at][0] if self.seen.colors[at] else "" for at in self.places("label"))
        asked = [self.questions[at].color for kind in ("seen", "unseen") for at in self.places(kind)]
        found["by_chance"] = self._share([plain[color] / max(1, plain.total()) for color in asked])
        turned = self.real.turned.colors if self.real.turned else []
        same = [after[:1] == before[:1] for after, before in zip(turned, self.real.true_colors, strict=True)]
        found["measured_right"] = self._share(same)
        return found

    def memory(self, drawings: Drawings, panel_: Panel) -> dict[str, Any]:
        """How far pictures are from the nearest training drawing: those that were drawn for labels, real ones of
        families that the model has not seen, and copies: training drawings through the autoencoder."""
        data = drawings.data
        held = data.used_for("judge")
        pictures = self.places("label")
        known = drawings.small[data.used_for("train")]
        kinds = {
            "shapes": (self.seen.near[pictures], panel_.nearest(drawings.shapes[held])[0], self.real.copied),
            "pixels": (self.seen.near_pixels[pictures],
                       (torch.cdist(drawings.small[held], known).min(1).values / known.shape[1] ** 0.5).numpy(),
                       self.real.copied_pixels),
        }  # fmt: skip
        found: dict[str, Any] = {}
        for kind, (drawn, real, copies) in kinds.items():
            limit = float(np.percentile(copies, _AS_A_COPY))
            found[kind] = {
                "median": {"drawn": _middle(drawn), "real": _middle(real), "copies": _middle(copies)},
                "as_near_as_a_copy": {"distance": round(limit, 4), "drawn": self._share(drawn <= limit),
                                      "real": self._share(real <= limit)},
            }  # fmt: skip
        return found

    def groups(self, drawings: Drawings) -> dict[str, Any]:
        """By group of things: top 5 of the pictures drawn for labels, and of real drawings."""
        concepts, reading = drawings.data.concepts, self.reading
        found = {}
        for group in dict.fromkeys(concept.group for concept in concepts.values()):
            drawn = [self.seen.apart[at] < _FIVE for at in self.places("label")
                     if concepts[self.questions[at].concept].group == group]  # fmt: skip
            real = [rank < _FIVE for rank, place in zip(reading.apart, reading.places, strict=True)
                    if concepts[drawings.data.drawings[place].concept].group == group]  # fmt: skip
            if drawn:
                found[group] = {"drawn": self._share(drawn), "real": self._share(real)}
        return found

    def _named(self, seen: Seen, places: list[int]) -> dict[str, Any]:
        readable = [at for at in places if seen.right[at] in self.reading.readable]
        return {
            "top1": self._share(seen.apart[at] < 1 for at in places),
            "top5": self._share(seen.apart[at] < _FIVE for at in places),
            "top1_by_others": self._share(seen.others[at] < 1 for at in places),
            "top5_by_others": self._share(seen.others[at] < _FIVE for at in places),
            "top5_readable": self._share(seen.apart[at] < _FIVE for at in readable),
        }

    def _key(self, at: int) -> tuple[str, str]:
        return self.questions[at].concept, self.questions[at].language

    def _less(self, one: list[int], other: list[int]) -> dict[str, Any]:
        named = self.seen.apart < _FIVE
        return difference(named[one], named[other], self.resamples)

    def _share(self, values: Any) -> dict[str, Any]:
        return share(values, self.resamples)


def _middle(values: "NDArray[np.float32]") -> float:
    return round(float(np.median(values)), 4)
