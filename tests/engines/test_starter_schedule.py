"""Steps and solvers: against what Diffusers computes, and against what can be computed exactly."""

from itertools import pairwise
from math import sqrt, tanh
from typing import Any

import pytest

from abierto.engines._starter_schedule import Schedule, Solver, read

DPM = "DPMSolverMultistepScheduler"
SCALED = {"beta_schedule": "scaled_linear", "beta_start": 0.00085, "beta_end": 0.012}
# With Diffusers 0.42.1: 0.7 after eight steps with a network that predicts tanh(1.3 x + time / 1000); and the times.
DIFFUSERS: list[tuple[dict[str, Any], float, list[int]]] = [
    (
        {"_class_name": DPM, "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, **SCALED}
        | {"timestep_spacing": "trailing"},
        -0.04452,
        [999, 874, 749, 624, 499, 374, 249, 124],
    ),
    (
        {"_class_name": DPM, "prediction_type": "epsilon", "timestep_spacing": "linspace", **SCALED},
        -0.24500,
        [999, 874, 749, 624, 500, 375, 250, 125],
    ),
    (
        {"_class_name": DPM, "prediction_type": "v_prediction", "beta_schedule": "squaredcos_cap_v2"}
        | {"timestep_spacing": "leading"},
        -0.02426,
        [889, 778, 667, 556, 445, 334, 223, 112],
    ),
    (
        {"_class_name": DPM, "prediction_type": "sample", "timestep_spacing": "trailing"},
        0.92220,
        [999, 874, 749, 624, 499, 374, 249, 124],
    ),
    (
        {"_class_name": "DDIMScheduler", "prediction_type": "v_prediction", "rescale_betas_zero_snr": True, **SCALED}
        | {"timestep_spacing": "trailing"},
        -0.07534,
        [999, 874, 749, 624, 499, 374, 249, 124],
    ),
    (
        {"_class_name": "DDIMScheduler", "prediction_type": "epsilon", "set_alpha_to_one": False, **SCALED},
        -0.19701,
        [876, 751, 626, 501, 376, 251, 126, 1],
    ),
    (
        {"_class_name": DPM, "prediction_type": "flow_prediction", "use_flow_sigmas": True, "flow_shift": 3.0},
        0.01110,
        [999, 954, 899, 832, 749, 642, 499, 299],
    ),
]


def drawn(schedule: Schedule, begin: float, network: Any, count: int) -> float:
    """One number where an image has many. network: (number, step) to what is predicted."""
    value, solver = begin, Solver(schedule)
    for now, then in pairwise(schedule.steps(count)):
        value = solver.advance(value, schedule.clean(value, network(value, now), now), now, then)
    return value


@pytest.mark.parametrize(("config", "expected", "times"), DIFFUSERS, ids=lambda one: str(one)[:60])
def test_the_same_as_diffusers(config: dict[str, Any], expected: float, times: list[int]) -> None:
    schedule = read(config)
    assert [step.time for step in schedule.steps(8)[:-1]] == times
    found = drawn(schedule, 0.7, lambda value, step: tanh(1.3 * value + step.time / 1000), 8)
    assert found == pytest.approx(expected, abs=1e-4)


@pytest.mark.parametrize("config", [config for config, _, _ in DIFFUSERS if config["prediction_type"] != "sample"])
@pytest.mark.parametrize("count", [1, 2, 7, 50])
def test_what_is_seen_from_the_beginning_is_what_comes_out(config: dict[str, Any], count: int) -> None:
    """Where the clean image is known at each step, both solvers lead to it, in any number of steps."""
    schedule = read({**config, "prediction_type": "sample", "use_flow_sigmas": False, "set_alpha_to_one": True})
    assert drawn(schedule, 1.7, lambda *_: 0.25, count) == pytest.approx(0.25, abs=1e-9)


def test_more_steps_lead_nearer_to_the_exact_end_and_the_second_order_faster() -> None:
    """Of images that are one normal distribution (deviation 0.5) the best prediction and the exact end are known."""
    spread, errors = 0.5, {}

    def network(value: float, step: Any) -> float:
        share = step.alpha * spread**2 / ((step.alpha * spread) ** 2 + step.sigma**2)
        return float((value - share * value) / step.sigma)

    for kind in ("DDIMScheduler", DPM):
        schedule = read({"_class_name": kind, "prediction_type": "flow_prediction", "use_flow_sigmas": True})
        first = schedule.steps(1)[0]
        exact = 1.3 * spread / sqrt((first.alpha * spread) ** 2 + first.sigma**2)
        errors[kind] = [abs(drawn(schedule, 1.3, network, count) - exact) for count in (20, 40)]
        assert errors[kind][0] > 1.8 * errors[kind][1]
    assert errors["DDIMScheduler"][1] > 5 * errors[DPM][1]


@pytest.mark.parametrize("count", [1, 3, 8, 200])
@pytest.mark.parametrize("spacing", ["trailing", "leading", "linspace"])
def test_each_step_has_less_noise_than_the_one_before(spacing: str, count: int) -> None:
    steps = read({"_class_name": DPM, "timestep_spacing": spacing, **SCALED}).steps(count)
    assert len(steps) == count + 1
    assert all(now.sigma > then.sigma for now, then in pairwise(steps))
    assert (steps[-1].alpha, steps[-1].sigma) == (1.0, 0.0)


@pytest.mark.parametrize(
    "config",
    [
        {"prediction_type": "flow"},
        {"timestep_spacing": "random"},
        {"beta_schedule": "sigmoid"},
        {"use_karras_sigmas": True},
        {"thresholding": True},
        {"num_train_timesteps": 0},
    ],
    ids=str,
)
def test_what_is_not_known_is_refused_and_not_passed_over(config: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        read({"_class_name": DPM, **config})
