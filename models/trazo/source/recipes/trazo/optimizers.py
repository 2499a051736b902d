# SPDX-License-Identifier: Apache-2.0
"""How weights learn from gradients: by AdamW (Loshchilov & Hutter 2019), and where a plan says `muon`, the matrices of
hidden layers by Muon (Jordan et al. 2024), which makes every direction of a step equally long."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from abierto.recipes.trazo.settings import Plan

_DECAY = 0.01  # of the weights, for each unit of the learning rate


@dataclass(frozen=True, slots=True)
class Optimizers:
    """One or two of PyTorch's, as if they were one. Each group of weights knows its learning rate as `initial_lr`."""

    parts: tuple[torch.optim.Optimizer, ...]

    def step(self, plan: Plan, number: int) -> None:
        """Change the weights by their gradients, and forget these. number: of the steps before it."""
        for part in self.parts:
            for group in part.param_groups:
                group["lr"] = _rate(group["initial_lr"], plan, number)
            part.step()
            part.zero_grad(set_to_none=True)

    def kept(self) -> list[dict[str, Any]]:
        """All that they remember."""
        return [part.state_dict() for part in self.parts]

    def take_up(self, kept: list[dict[str, Any]]) -> None:
        """Remember it again."""
        for part, state in zip(self.parts, kept, strict=True):
            part.load_state_dict(state)


def begin(plan: Plan, trained: Mapping[str, nn.Parameter]) -> Optimizers:
    """Those of a plan, for these weights by name."""
    hidden = [value for name, value in trained.items() if plan.muon and _hidden(name, value)]
    own = {id(value) for value in hidden}
    others = [value for value in trained.values() if id(value) not in own]
    parts: list[torch.optim.Optimizer] = []
    if others:
        group = {"params": others, "initial_lr": plan.rate}
        parts.append(torch.optim.AdamW([group], lr=plan.rate, weight_decay=_DECAY, fused=True))
    if hidden:
        group = {"params": hidden, "initial_lr": plan.muon}
        # With this measure a learning rate means about the same as for AdamW (Liu et al. 2025).
        parts.append(torch.optim.Muon([group], lr=plan.muon, weight_decay=_DECAY, adjust_lr_fn="match_rms_adamw"))
    return Optimizers(tuple(parts))


def _rate(highest: float, plan: Plan, step: int) -> float:
    """The learning rate of a step: it rises at the start, and with `decay` falls in a straight line to the end."""
    risen = min(1.0, (step + 1) / max(1, min(plan.warmup, plan.steps // 2)))
    return highest * risen * (1 - step / plan.steps if plan.decay else 1.0)


def _hidden(name: str, value: nn.Parameter) -> bool:
    return value.ndim == 2 and name.endswith("weight") and "embedding" not in name
