"""How many pictures a second the training of Trazo goes through, and how much of the processor's peak that is.

It needs the extra `training` and a folder in which `abierto recipe train` has worked, named by TRAZO_WORK. The peak is
what a product of large matrices of bfloat16 reaches with as many threads; operations are counted by PyTorch, two for a
product with its sum, in a step forwards and back.
"""

import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

from abierto import machine
from bench.measure import median, spread

STEPS, WARM = 14, 4
SIDE, TRIES = 3072, 9  # of the matrices
STAGES = ("autoencoder", "words", "denoiser")


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    folder = os.environ.get("TRAZO_WORK")
    if not folder:
        yield "Not measured: TRAZO_WORK names no folder in which `abierto recipe train` has worked."
        return
    yield "| stage | threads | pictures or crops per second | operations of one, in 10^9 | share of the peak |"
    yield "|---|---|---|---|---|"
    for threads in sorted({1, machine.cores().physical}):
        peak = _peak(threads)
        for name in STAGES:
            seconds, pictures, operations = _steps(Path(folder), name, threads)
            share = [operations / second / peak for second in seconds]
            rate = [pictures / second for second in seconds]
            each = f"{operations / pictures / 1e9:.2f}"
            yield f"| {name} | {threads} | {spread(rate, 1)} | {each} | {median(share):.0%} |"


def _steps(folder: Path, name: str, threads: int) -> tuple[list[float], int, float]:
    """Seconds of each step, pictures in it, and operations in it."""
    from torch.utils.flop_counter import FlopCounterMode

    from abierto.recipes.trazo import chain, pictures, segment, settings

    workshop = chain.Workshop(settings.read(), folder)
    data = pictures.open_set(workshop.place("data"))
    tokenizer = chain.open_vocabulary(workshop, data)
    trio = chain.begin(workshop, len(chain.records(workshop.manifest)), tokenizer)
    material = chain.learned_from(workshop, data, tokenizer, trio)
    plan = next(one for one in reversed(workshop.settings.plans) if one.stage == name and not one.trains)
    nowhere = folder / "state" / "bench"
    seconds: list[float] = []
    began = time.perf_counter()
    for _ in segment.run(replace(plan, steps=STEPS, threads=threads), 0, trio, material, nowhere):
        seconds.append(time.perf_counter() - began)
        began = time.perf_counter()
    with FlopCounterMode(display=False) as counter:
        for _ in segment.run(replace(plan, steps=1, threads=threads), 0, trio, material, nowhere):
            pass
    return seconds[WARM:], plan.batch, float(counter.get_total_flops())


def _peak(threads: int) -> float:
    """Operations per second."""
    import torch

    torch.set_num_threads(threads)
    left, right = (torch.randn(SIDE, SIDE, dtype=torch.bfloat16) for _ in range(2))
    found: list[float] = []
    for _ in range(TRIES):
        began = time.perf_counter()
        _used(left @ right)
        found.append(time.perf_counter() - began)
    return 2 * SIDE**3 / min(found)


def _used(result: Any) -> None:
    """Look at one number, so that the product is there."""
    float(result[0, 0])
