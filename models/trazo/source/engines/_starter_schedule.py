# SPDX-License-Identifier: Apache-2.0
"""How noise is taken away step by step: the schedules that Diffusers writes into `scheduler_config.json`, and two
solvers for them. Numbers only: of an image it knows that it can be multiplied and added.

An image `x` at a step is `alpha * clean + sigma * noise`. What a network predicts of it is turned into the clean image,
and each solver goes from one step to the next by that.

Sources: the first-order solver is DDIM with eta 0 (Song et al. 2021, https://arxiv.org/abs/2010.02502, equation 12), in
the form that Lu et al. show it to be, DPM-Solver++ of order 1; the second is DPM-Solver++(2M) (Lu et al. 2022,
https://arxiv.org/abs/2211.01095, algorithm 2). The v-prediction: Salimans and Ho 2022,
https://arxiv.org/abs/2202.00512. Betas that end in pure noise: Lin et al. 2023, https://arxiv.org/abs/2305.08891,
algorithm 1. The flow: Liu et al. 2022, https://arxiv.org/abs/2209.03003. Which steps are taken follows Diffusers.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, inf, log, pi, sqrt
from typing import Any

# Pure noise has no place on the scale of the solvers; this is Diffusers' value for what is next to it.
_LEAST_SIGNAL = 2.0**-24
# `StableDiffusionPipeline` sets it so, whatever the file says.
_OFFSET = 1
_MOST_BETA = 0.999


@dataclass(frozen=True, slots=True)
class Step:
    """time: what the network is told. alpha, sigma: the shares of the clean image and of the noise."""

    time: int
    alpha: float
    sigma: float

    @property
    def scale(self) -> float:
        """The logarithm of signal to noise, half of it."""
        if self.sigma == 0:
            return inf
        return log(self.alpha / self.sigma) if self.alpha > 0 else -inf


@dataclass(frozen=True, slots=True)
class Schedule:
    """prediction: `v_prediction`, `epsilon`, `sample` or `flow_prediction`. order: of the solver, 1 or 2. total: the
    times that the network was trained with. signal: for each of them alpha squared; empty for a flow. spacing:
    `trailing`, `leading` or `linspace`. last: alpha squared of the image at the end. shift: of a flow towards noise."""

    prediction: str
    order: int
    total: int
    signal: tuple[float, ...]
    spacing: str
    last: float = 1.0
    shift: float = 1.0

    @property
    def sampler(self) -> str:
        """What the solver is commonly called."""
        return "DDIM" if self.order == 1 else "DPM++ 2M"

    def steps(self, count: int) -> list[Step]:
        """So many steps from noise on, and where the last of them leads to."""
        if self.prediction == "flow_prediction":
            return [*(self._flowing(index, count) for index in range(count)), Step(0, 1.0, 0.0)]
        found = [self._at(time) for time in self._times(count)]
        return [*found, Step(0, sqrt(self.last), sqrt(1 - self.last))]

    def clean(self, image: Any, predicted: Any, step: Step) -> Any:
        """The clean image, by what the network predicts of the image at this step."""
        match self.prediction:
            case "v_prediction":
                return step.alpha * image - step.sigma * predicted
            case "epsilon":
                return (image - step.sigma * predicted) / step.alpha
            case "flow_prediction":
                return image - step.sigma * predicted
            case _:
                return predicted

    def _at(self, time: int) -> Step:
        signal = self.signal[time]
        return Step(time, sqrt(signal), sqrt(1 - signal))

    def _flowing(self, index: int, count: int) -> Step:
        most = 1 - 1 / self.total
        share = most * (count - index) / count
        sigma = self.shift * share / (1 + (self.shift - 1) * share)
        return Step(int(sigma * self.total), 1 - sigma, sigma)

    def _times(self, count: int) -> list[int]:
        more = self.order - 1  # the second order lays out one time more, and leaves out the last
        if self.spacing == "trailing":
            return [round(self.total * (count - index) / count) - 1 for index in range(count)]
        if self.spacing == "leading":
            apart = self.total // (count + more)
            return [apart * index + _OFFSET for index in reversed(range(more, count + more))]
        between = (self.total - 1) / max(count - 1 + more, 1)
        return [round(between * index) for index in reversed(range(more, count + more))]


class Solver:
    """Goes through the steps of one image."""

    def __init__(self, schedule: Schedule) -> None:
        self._order = schedule.order
        self._before: tuple[Any, float] | None = None

    def advance(self, image: Any, clean: Any, now: Step, then: Step) -> Any:
        """The image at the next step, by the clean image as it is seen at this one."""
        towards = clean
        if self._order == 2 and self._before and then.sigma > 0:
            earlier, scale = self._before
            share = (then.scale - now.scale) / (2 * (now.scale - scale))  # 0 after a step from pure noise
            towards = (1 + share) * clean - share * earlier
        self._before = clean, now.scale
        kept = now.alpha * then.sigma / (now.sigma * then.alpha)
        return then.sigma / now.sigma * image + then.alpha * (1 - kept) * towards


def read(config: Mapping[str, Any]) -> Schedule:
    """The schedule that a `scheduler_config.json` describes. Raises ValueError for what is not known here."""
    kind = str(config.get("_class_name", ""))
    prediction = str(config.get("prediction_type", "epsilon"))
    if config.get("use_flow_sigmas") or "FlowMatch" in kind:
        prediction = "flow_prediction"
    order = 1 if kind == "DDIMScheduler" else 2
    total = int(config.get("num_train_timesteps", 1000))
    spacing = str(config.get("timestep_spacing", "leading" if order == 1 else "linspace"))
    known = (("v_prediction", "epsilon", "sample", "flow_prediction"), ("trailing", "leading", "linspace"))
    for value, able in zip((prediction, spacing), known, strict=True):
        if value not in able:
            raise ValueError(value)
    for name in ("use_karras_sigmas", "use_exponential_sigmas", "use_beta_sigmas", "use_lu_lambdas", "thresholding"):
        if config.get(name):
            raise ValueError(name)
    if not 1 < total <= 100_000:
        raise ValueError(str(total))
    if prediction == "flow_prediction":
        return Schedule(prediction, order, total, (), spacing, shift=float(config.get("flow_shift", 1.0)))
    signal = _signal(config, total)
    to_one = order == 2 or config.get("set_alpha_to_one", True)
    return Schedule(prediction, order, total, signal, spacing, 1.0 if to_one else signal[0])


def _signal(config: Mapping[str, Any], total: int) -> tuple[float, ...]:
    left, found = 1.0, []
    for beta in _betas(config, total):
        left *= 1 - beta
        found.append(left)
    if config.get("rescale_betas_zero_snr"):
        first, last = sqrt(found[0]), sqrt(found[-1])
        found = [((sqrt(value) - last) * first / (first - last)) ** 2 for value in found]
        found[-1] = _LEAST_SIGNAL
    return tuple(found)


def _betas(config: Mapping[str, Any], total: int) -> Sequence[float]:
    if trained := config.get("trained_betas"):
        return [float(beta) for beta in trained]
    low, high = float(config.get("beta_start", 0.0001)), float(config.get("beta_end", 0.02))
    kinds: dict[str, Callable[[int], float]] = {
        "linear": lambda index: low + (high - low) * index / (total - 1),
        "scaled_linear": lambda index: (sqrt(low) + (sqrt(high) - sqrt(low)) * index / (total - 1)) ** 2,
        "squaredcos_cap_v2": lambda index: min(1 - _cosine((index + 1) / total) / _cosine(index / total), _MOST_BETA),
    }
    kind = str(config.get("beta_schedule", "linear"))
    if kind not in kinds:
        raise ValueError(kind)
    return [kinds[kind](index) for index in range(total)]


def _cosine(share: float) -> float:
    """Nichol and Dhariwal 2021, https://arxiv.org/abs/2102.09672, equation 17."""
    return cos((share + 0.008) / 1.008 * pi / 2) ** 2
