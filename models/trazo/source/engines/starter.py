# SPDX-License-Identifier: Apache-2.0
"""The engine of the starter model for images: folders of Diffusers with a latent diffusion model, by ONNX Runtime.

It reads pipelines of the class StableDiffusionPipeline that have their networks as ONNX files beside them, and takes
noise away by the schedule that the folder names. Where an image is to follow the words closely (`guidance_scale`), each
step looks at it twice in one batch, with the words and without, and goes on in the direction of the difference
(Ho and Salimans 2022, https://arxiv.org/abs/2207.12598).

The noise is numpy's (PCG64 by the seed), so that the same seed begins with the same noise on every computer.
"""

import base64
import os
import secrets
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

from abierto.engines import _starter_schedule
from abierto.engines._starter_networks import NAME, Networks, Pixels, Words, faults
from abierto.engines._starter_schedule import Schedule, Solver
from abierto.engines.session import LoadOptions, RefusesTasks
from abierto.errors import EngineBroken, EngineMissing, LoadFailed, MissingFeature, SizeNotDrawn
from abierto.formats import diffusers_folder, json_file, png
from abierto.formats.diffusers_folder import DiffusersFolder
from abierto.tasks import Request
from abierto.tasks.draw import SEEDS, DrawRequest
from abierto.tasks.events import Event, Finish, Image, ImagePreview, Progress, Usage

USUAL_STEPS, USUAL_GUIDANCE = 8, 4.0
# How much larger than it was trained with an image may be: beyond it models repeat themselves, and the memory that they
# take grows with the fourth power.
LARGEST = 2
_FAST = 1  # how much work is spent on making the file of a preview small


def load(files: list[str], options: LoadOptions) -> "StarterSession":
    """See `engines.load`."""
    try:
        import onnxruntime  # noqa: F401 - both are needed below
        import tokenizers  # noqa: F401
    except ModuleNotFoundError as error:
        raise EngineMissing(NAME, NAME) from error
    except ImportError as error:
        raise EngineBroken(NAME, str(error)) from error
    main = Path(files[0])
    folder = diffusers_folder.read(main)
    refusals: tuple[type[Exception], ...] = (*faults(), ValueError)
    try:
        schedule = _starter_schedule.read(json_file.read_object(main.parent / "scheduler" / "scheduler_config.json"))
        networks, words = Networks(main, options.threads), Words(main, folder.tokens)
    except refusals as error:
        raise LoadFailed(NAME, main.parent.name, str(error)) from error
    return StarterSession(folder, schedule, networks, words, options)


class StarterSession(RefusesTasks):
    """See `Session`. context: the tokens of a prompt."""

    engine = NAME
    features = frozenset({"draw", "seed"})

    def __init__(
        self, folder: DiffusersFolder, schedule: Schedule, networks: Networks, words: Words, options: LoadOptions
    ) -> None:
        self.context = words.most
        self.max_concurrent = options.max_concurrent
        self.pid = os.getpid()
        self._folder, self._schedule, self._networks, self._words = folder, schedule, networks, words
        self._pixels = Pixels(networks, folder)

    def count_tokens(self, request: Request) -> int:
        """Of the prompt and of what shall not be seen, each with the marks of its beginning and its end."""
        if not isinstance(request, DrawRequest):
            raise MissingFeature(NAME, request.task)
        return sum(self._words.count(text) for text in (request.prompt, request.negative_prompt) if text)

    def draw(self, request: DrawRequest) -> Iterator[Event]:
        """See `Session`. Raises TooManyWords, SizeNotDrawn."""
        size = self._size(request)
        steps = self._schedule.steps(request.num_inference_steps or USUAL_STEPS)
        guidance = USUAL_GUIDANCE if request.guidance_scale is None else request.guidance_scale
        told = self._told(request, guidance)
        seeds = request.seeds(secrets.randbelow(SEEDS) if request.seed is None else request.seed)
        done, total = 0, len(seeds) * (len(steps) - 1)
        for index, seed in enumerate(seeds):
            latent, solver = self._noise(seed, *size), Solver(self._schedule)
            for now, then in pairwise(steps):
                clean = self._schedule.clean(latent, self._predicted(latent, now.time, told, guidance), now)
                latent = solver.advance(latent, clean, now, then)
                done += 1
                yield Progress("steps", done, total)
                if request.previews and then is not steps[-1]:
                    yield ImagePreview(index, _file(self._pixels.seen(clean), _FAST))
            file = _file(self._pixels.decoded(latent))
            yield Image(index, file, *size, seed, len(steps) - 1, guidance, self._schedule.sampler)
        yield Usage(self.count_tokens(request), 0)
        yield Finish("stop")

    def close(self) -> None:
        """See `Session`."""
        self._networks.close()

    def _size(self, request: DrawRequest) -> tuple[int, int]:
        """Width and height in pixels. Raises SizeNotDrawn."""
        folder = self._folder
        width, height = request.width or folder.size, request.height or folder.size
        step, least, most = folder.step, folder.step, folder.size * LARGEST
        if self._networks.side:  # an export for images of one size
            step = least = most = self._networks.side * folder.scale
        for side in (width, height):
            if side % step or not least <= side <= most:
                raise SizeNotDrawn(width, height, step, least, most)
        return width, height

    def _told(self, request: DrawRequest, guidance: float) -> Any:
        """What the text encoder makes of the words, before it what it makes of those that shall not be seen, where both
        are looked at: [1 or 2, tokens, width]. Raises TooManyWords."""
        import numpy as np

        texts = (request.negative_prompt, request.prompt) if guidance > 1 else (request.prompt,)
        return self._networks.text.run(input_ids=np.array([self._words.numbers(text) for text in texts]))

    def _noise(self, seed: int, width: int, height: int) -> Any:
        import numpy as np

        shape = (1, self._folder.channels, height // self._folder.scale, width // self._folder.scale)
        return np.random.default_rng(seed).standard_normal(shape, "float32")

    def _predicted(self, latent: Any, time: int, told: Any, guidance: float) -> Any:
        predicted = self._networks.denoise(latent.repeat(len(told), axis=0), time, told)
        if len(told) == 1:
            return predicted
        without, with_words = predicted[:1], predicted[1:]
        return without + guidance * (with_words - without)


def _file(pixels: Any, level: int = 6) -> str:
    height, width, _ = pixels.shape
    return base64.b64encode(png.encode(width, height, pixels.tobytes(), level)).decode()
