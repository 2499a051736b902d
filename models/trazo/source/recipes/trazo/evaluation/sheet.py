# SPDX-License-Identifier: Apache-2.0
"""Pictures for the report: the random grid, and the course of the losses."""

from typing import TYPE_CHECKING, Any
from xml.sax.saxutils import escape

import numpy as np

from abierto.formats import png
from abierto.recipes.trazo.evaluation.questions import Question

if TYPE_CHECKING:
    from numpy.typing import NDArray

ACROSS, DOWN, _GAP = 8, 8, 4
_WIDTH, _HEIGHT, _MARGIN = 720, 200, 48
_STAGES = {"autoencoder": "autoencoder · autocodificador", "words": "words · palabras",
           "sketch": "sketch · boceto", "denoiser": "denoiser · eliminador de ruido"}  # fmt: skip

_HEAD = """<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" viewBox="0 0 {width} {height}"
 font-family="sans-serif" font-size="12">
<rect width="{width}" height="{height}" fill="#fff"/>"""


def in_grid(questions: list[Question]) -> list[int]:
    """The places of the questions whose pictures are in the grid, row by row: the first common ones."""
    return [at for at, one in enumerate(questions) if one.kind == "common"][: ACROSS * DOWN]


def grid(questions: list[Question], pictures: "NDArray[np.uint8]", seed: int) -> bytes:
    """A PNG with the pictures, with the seed that chose their prompts, and the prompts, in its texts."""
    places = in_grid(questions)
    size = pictures.shape[1] + _GAP
    rows = max(1, -(-len(places) // ACROSS))
    sheet = np.full((rows * size + _GAP, ACROSS * size + _GAP, 3), 255, np.uint8)
    for at, place in enumerate(places):
        top, left = at // ACROSS * size + _GAP, at % ACROSS * size + _GAP
        sheet[top : top + size - _GAP, left : left + size - _GAP] = pictures[place]
    said = "\n".join(questions[place].said for place in places)
    file = png.encode(sheet.shape[1], sheet.shape[0], sheet.tobytes(), 9)
    return png.with_texts(file, {"seed": str(seed), "prompts": said})


def curves(records: list[dict[str, Any]]) -> str:
    """An SVG of the losses in the records, stage by stage; a dot where a segment begins."""
    stages = [stage for stage in _STAGES if any(record["plan"]["stage"] == stage for record in records)]
    height = len(stages) * (_HEIGHT + _MARGIN) + _MARGIN
    parts = [_HEAD.format(width=_WIDTH, height=height)]
    for at, stage in enumerate(stages):
        own = [record for record in records if record["plan"]["stage"] == stage]
        parts += _panel(_STAGES[stage], own, at * (_HEIGHT + _MARGIN) + _MARGIN)
    return "\n".join([*parts, "</svg>", ""])


def _panel(title: str, records: list[dict[str, Any]], top: int) -> list[str]:
    """One diagram: steps to the right, loss upwards from 0."""
    points: list[tuple[float, float]] = []
    begins, done = [], 0
    for record in records:
        losses, steps = record["loss"], record["plan"]["steps"]
        begins.append(len(points))
        points += [(done + steps * (at + 1) / len(losses), loss) for at, loss in enumerate(losses)]
        done += steps
    # The first values of an untrained network would press all others flat.
    most = float(np.percentile([loss for _, loss in points], 98)) * 1.1 or 1.0
    wide, bottom = _WIDTH - 2 * _MARGIN, top + _HEIGHT

    def place(point: tuple[float, float]) -> str:
        return f"{_MARGIN + wide * point[0] / done:.1f},{bottom - _HEIGHT * min(point[1] / most, 1):.1f}"

    line = " ".join(place(point) for point in points)
    dots = [place(points[at]).split(",") for at in begins]
    return [
        f'<text x="{_MARGIN}" y="{top - 8}">{escape(title)}</text>',
        f'<path d="M{_MARGIN} {top}V{bottom}H{_MARGIN + wide}" fill="none" stroke="#888"/>',
        f'<polyline points="{line}" fill="none" stroke="#1b6ac9" stroke-width="1.2"/>',
        *(f'<circle cx="{x}" cy="{y}" r="2" fill="#c2410c"/>' for x, y in dots),
        f'<text x="{_MARGIN - 6}" y="{top + 10}" text-anchor="end">{most:.2g}</text>',
        f'<text x="{_MARGIN - 6}" y="{bottom}" text-anchor="end">0</text>',
        f'<text x="{_MARGIN + wide}" y="{bottom + 16}" text-anchor="end">{done}</text>',
    ]
