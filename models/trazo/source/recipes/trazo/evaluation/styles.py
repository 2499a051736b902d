# SPDX-License-Identifier: Apache-2.0
"""Names the family whose style a picture has, and measures how far the model draws in the style that was asked for.

The judge learns from real drawings of the training families after the autoencoder: what style is told by, how
sharp edges and how smooth areas are, is also what an autoencoder changes. What it gets right is measured by two judges,
each on the things that the other has learned from.
"""

from collections import Counter
from typing import TYPE_CHECKING, Any

from torch import Tensor

from abierto.recipes.trazo.evaluation import features, judges
from abierto.recipes.trazo.evaluation.answers import Real
from abierto.recipes.trazo.evaluation.intervals import share
from abierto.recipes.trazo.evaluation.judges import Judge
from abierto.recipes.trazo.evaluation.questions import Question
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

KIND = "style"


def measured(
    data: DataSet, real: Real, questions: list[Question], pictures: "NDArray[np.uint8]", resamples: int
) -> dict[str, Any]:
    """Whether each picture has the style that was asked for, by family and language, and what it was taken for."""
    known, families = features.textures(real.pictures), [data.drawings[place].family for place in real.places]
    judge = judges.taught(known, families)
    asked = [(at, one) for at, one in enumerate(questions) if one.kind == KIND]
    places = [at for at, _ in asked]
    told = named(judge, features.textures(pictures[places])) if places else []
    pairs = [(one, name) for (_, one), name in zip(asked, told, strict=True)]
    by_family = {
        family: {
            "right": share((name == family for one, name in pairs if one.family == family), resamples),
            "taken_for": dict(Counter(name for one, name in pairs if one.family == family)),
        }
        for family in dict.fromkeys(one.family for one, _ in pairs)
    }
    right = {language: share((name == one.family for one, name in pairs if one.language == language), resamples)
             for language in LANGUAGES}  # fmt: skip
    return {
        "all": share((name == one.family for one, name in pairs), resamples),
        **right,
        "families": by_family,
        "real": share(_of_real(data, real, known, families), resamples),
        "judge": judge.sha256,
    }


def named(judge: Judge, textures: Tensor) -> list[str]:
    """The family of each picture."""
    return [judge.names[int(at)] for at in judge.likeness(textures).argmax(1)]


def _of_real(data: DataSet, real: Real, textures: Tensor, families: list[str]) -> list[bool]:
    half = {key: at % 2 for at, key in enumerate(data.concepts)}
    rows = [
        [row for row, place in enumerate(real.places) if half[data.drawings[place].concept] == own] for own in (0, 1)
    ]
    right: list[bool] = []
    for learned, asked in (rows, rows[::-1]):
        if learned and asked:
            judge = judges.taught(textures[learned], [families[row] for row in learned])
            right += [name == families[row] for name, row in zip(named(judge, textures[asked]), asked, strict=True)]
    return right
