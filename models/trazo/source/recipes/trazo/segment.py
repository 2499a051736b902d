# SPDX-License-Identifier: Apache-2.0
"""One segment of the training: from a checkpoint to the next one.

It depends on its plan, its seed, the checkpoint before it and the data alone. What it has reached is kept on this disk
every now and then, so that a kill costs minutes; where it is taken up again changes nothing of the result.
"""

import os
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from time import process_time
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from abierto.errors import NoGraphicsCard
from abierto.recipes.trazo import hashes, optimizers
from abierto.recipes.trazo.networks import Trio
from abierto.recipes.trazo.optimizers import Optimizers
from abierto.recipes.trazo.settings import Plan
from abierto.recipes.trazo.stages import Material, Stage, batch, begin
from abierto.recipes.trazo.steps import Progress
from abierto.store import disk

KEPT_EVERY = 50  # steps
TOLD_EVERY = 20  # steps: the losses in the record are means over so many
_LARGEST_GRADIENT = 1.0


@dataclass(slots=True)
class _State:
    """step: how many are done. average: of the trained weights, over the steps. losses: of every step.

    busy: seconds of a processor that earlier processes have spent on it.
    """

    step: int
    optimizers: Optimizers
    average: dict[str, Tensor]
    losses: list[float]
    busy: float = 0.0


@dataclass(frozen=True, slots=True)
class Course:
    """What a segment was like. losses: means over TOLD_EVERY steps. busy: seconds of a processor, in all."""

    losses: list[float]
    busy: float


def run(plan: Plan, seed: int, trio: Trio, material: Material, state_file: Path) -> Generator[Progress, None, Course]:
    """Train the networks in place; they end with the averages of their weights. Raises NoGraphicsCard."""
    started = process_time()
    if plan.device == "cuda":
        if not torch.cuda.is_available():
            raise NoGraphicsCard
        os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # without it sums differ from run to run
    torch.set_num_threads(plan.threads)
    torch.use_deterministic_algorithms(True)
    torch.utils.deterministic.fill_uninitialized_memory = False  # nothing here reads what it has not written
    torch.manual_seed(seed)
    stage = begin(plan, trio, material)
    for module in stage.modules.values():
        module.to(plan.device)
    places = _often(plan, material)
    trained = _trained(stage, plan, places)
    average = {name: value.detach().clone() for name, value in trained.items()}
    state = _State(0, optimizers.begin(plan, trained), average, [])
    _take_up(state, stage, state_file)
    while state.step < plan.steps:
        state.losses.append(_step(plan, seed, stage, trained, state, material, places))
        state.step += 1
        if state.step % KEPT_EVERY == 0 and state.step < plan.steps:
            _keep(state, stage, state_file, state.busy + process_time() - started)
        yield Progress("train", state.step, plan.steps, state.losses[-1])
    with torch.no_grad():
        for name, value in trained.items():
            value.copy_(state.average[name])
    for module in stage.modules.values():
        module.to("cpu")
    parts = [state.losses[start : start + TOLD_EVERY] for start in range(0, plan.steps, TOLD_EVERY)]
    return Course([round(sum(part) / len(part), 5) for part in parts], state.busy + process_time() - started)


def _step(
    plan: Plan, seed: int, stage: Stage, trained: dict[str, nn.Parameter], state: _State, material: Material,
    places: list[int],
) -> float:  # fmt: skip
    chosen, rounds = batch(plan, seed, state.step, places)
    own_seed = hashes.number(seed, "step", state.step)
    torch.manual_seed(own_seed)
    variant = (hashes.number(seed, "first variant") + rounds) % material.settings.data.variants
    if plan.variants:
        variant = 1 + hashes.number(seed, "variant", state.step) % plan.variants
    if hashes.number(seed, "plain", state.step) / (1 << 63) < plan.plain:
        variant = 0
    with torch.autocast(plan.device, torch.bfloat16, enabled=plan.precision == "bfloat16"):
        loss = stage.loss(chosen, variant, np.random.default_rng(own_seed))
    loss.backward()
    nn.utils.clip_grad_norm_(trained.values(), _LARGEST_GRADIENT)
    state.optimizers.step(plan, state.step)
    kept = min(plan.average, (1 + state.step) / (10 + state.step))
    with torch.no_grad():
        for name, value in trained.items():
            state.average[name].lerp_(value, 1 - kept)
    return float(loss.detach())


def _often(plan: Plan, material: Material) -> list[int]:
    """The places of the drawings, each as often as it comes in a round."""
    data = material.data
    everyday, used = data.everyday(), data.used_for("train")
    common = [place for place in used if data.drawings[place].concept in everyday]
    places = used + common * (plan.everyday - 1)
    return places + [place for place in places if data.drawings[place].family == plan.house] * (plan.housed - 1)


def _trained(stage: Stage, plan: Plan, places: list[int]) -> dict[str, nn.Parameter]:
    if any(
        isinstance(value, nn.UninitializedParameter) for one in stage.modules.values() for value in one.parameters()
    ):
        stage.loss(batch(plan, 0, 0, places)[0], 0, np.random.default_rng(0))
    found: dict[str, nn.Parameter] = {}
    for part, module in stage.modules.items():
        for name, value in module.named_parameters():
            whole = f"{part}.{name}"
            value.requires_grad_(not plan.trains or any(word in whole for word in plan.trains))
            if value.requires_grad:
                found[whole] = value
    return found


def _keep(state: _State, stage: Stage, state_file: Path, busy: float) -> None:
    body = {
        "busy": busy,
        "step": state.step,
        "losses": state.losses,
        "average": state.average,
        "optimizers": state.optimizers.kept(),
        "modules": {part: module.state_dict() for part, module in stage.modules.items()},
    }
    with disk.writing(state_file.parent):
        state_file.parent.mkdir(parents=True, exist_ok=True)
        growing = state_file.with_suffix(".part")
        torch.save(body, growing)
        disk.replace(growing, state_file)


def _take_up(state: _State, stage: Stage, state_file: Path) -> None:
    if not state_file.is_file():
        return
    body: dict[str, Any] = torch.load(state_file, weights_only=True)
    for part, module in stage.modules.items():
        module.load_state_dict(body["modules"][part])
    state.optimizers.take_up(body["optimizers"])
    state.step, state.losses, state.average, state.busy = (body[name] for name in ("step", "losses", "average", "busy"))
