# SPDX-License-Identifier: Apache-2.0
"""How much is asked, and how the model draws. Every number has a part in what comes out, and is recorded."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Counts:
    """labels, paraphrases, keywords, pairs (as many seen as unseen): things, each asked for in either language.

    styles: for each family and language. common: prompts in all, half in each language. real: drawings that go through
    the autoencoder and back. steps, guidance: of the drawing; those that the engine `starter` takes by itself. portion:
    pictures that are drawn at once. resamples: of the bootstrap.
    """

    labels: int = 200
    paraphrases: int = 80
    keywords: int = 80
    pairs: int = 60
    styles: int = 10
    common: int = 100
    real: int = 1200
    steps: int = 8
    guidance: float = 4.0
    portion: int = 20
    resamples: int = 2000
