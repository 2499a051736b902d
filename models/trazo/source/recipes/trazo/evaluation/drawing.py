# SPDX-License-Identifier: Apache-2.0
"""Lets the networks of a checkpoint draw what is asked, in portions that are kept: a stop costs one of them.

By DDIM (Song et al. 2021) with guidance (Ho & Salimans 2022), from the noise that the engine `starter` makes of the
same seed.
"""

from collections.abc import Generator
from pathlib import Path
from time import process_time
from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from abierto.recipes.trazo import networks, vocabulary
from abierto.recipes.trazo.evaluation.counts import Counts
from abierto.recipes.trazo.evaluation.questions import Question
from abierto.recipes.trazo.networks import Trio
from abierto.recipes.trazo.settings import Settings
from abierto.recipes.trazo.steps import Progress
from abierto.store import disk

if TYPE_CHECKING:
    from numpy.typing import NDArray

_AT_ONCE = 32


def drawn(
    settings: Settings, trio: Trio, tokenizer: Any, questions: list[Question], counts: Counts, folder: Path
) -> Generator[Progress, None, tuple["NDArray[np.uint8]", float]]:
    """A picture for each question, [question, size, size, 3], and the seconds of a processor that all of them took.

    folder: for these networks and these questions alone.
    """
    found, busy = [], 0.0
    for start in range(0, len(questions), counts.portion):
        asked = questions[start : start + counts.portion]
        kept = folder / f"{start:05}.npz"
        if not kept.is_file():
            began = process_time()
            pictures = _portion(settings, trio, tokenizer, asked, counts)
            with disk.writing(folder):
                folder.mkdir(parents=True, exist_ok=True)
                growing = kept.with_suffix(".part")
                with growing.open("wb") as file:
                    np.savez(file, pictures=pictures, seconds=np.float64(process_time() - began))
                disk.replace(growing, kept)
        with np.load(kept) as portion:
            found.append(portion["pictures"])
            busy += float(portion["seconds"])
        yield Progress("picture", start + len(asked), len(questions))
    return np.concatenate(found), busy


def returned(trio: Trio, pictures: "NDArray[np.uint8]") -> Generator[Progress, None, "NDArray[np.uint8]"]:
    """What the autoencoder makes of pictures, [picture, size, size, 3], at its best: no denoiser has a part in it."""
    found = []
    for start in range(0, len(pictures), _AT_ONCE):
        given = torch.from_numpy(np.ascontiguousarray(pictures[start : start + _AT_ONCE])).permute(0, 3, 1, 2)
        with torch.no_grad():
            found.append(_pixels(trio.vae.decode(trio.vae.encode(given.float() / 127.5 - 1).latents).sample))
        yield Progress("return", min(start + _AT_ONCE, len(pictures)), len(pictures))
    return np.concatenate(found)


def _portion(
    settings: Settings, trio: Trio, tokenizer: Any, asked: list[Question], counts: Counts
) -> "NDArray[np.uint8]":
    from diffusers import DDIMScheduler

    schedule = DDIMScheduler(**networks.NOISE)
    schedule.set_timesteps(counts.steps)
    tokens = vocabulary.encode(tokenizer, [*[""] * len(asked), *(one.said for one in asked)])
    side, channels = networks.latent_side(settings), settings.networks.latent_channels
    noise = [np.random.default_rng(one.seed).standard_normal((channels, side, side), np.float32) for one in asked]
    latent = torch.from_numpy(np.stack(noise))
    with torch.no_grad():
        words = trio.text_encoder(tokens).last_hidden_state
        for time in schedule.timesteps:
            without, told = trio.unet(torch.cat([latent, latent]), time, words).sample.chunk(2)
            latent = schedule.step(without + counts.guidance * (told - without), time, latent).prev_sample
        return _pixels(trio.vae.decode(latent / trio.scale).sample)


def _pixels(values: Any) -> "NDArray[np.uint8]":
    """From -1 to 1, [picture, 3, size, size], to whole numbers, [picture, size, size, 3]."""
    whole = ((values + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    return np.asarray(whole.permute(0, 2, 3, 1).contiguous().numpy())
