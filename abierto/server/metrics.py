"""What Prometheus reads, in its text format 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/.

No label takes values without end: routes are those of the tables, models those that were loaded here.
"""

from collections.abc import Iterator, Mapping
from time import time

from abierto import __version__, machine
from abierto.server.state import State

MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"

# What one line measures: its labels and its value.
Samples = Iterator[tuple[Mapping[str, str], float]]


def text(state: State) -> str:
    """All of it as it is now."""
    return "".join(_family(*family) for family in (*_of_server(state), *_of_residents(state), *_of_tally(state)))


def _of_server(state: State) -> Iterator[tuple[str, str, str, Samples]]:
    ended, seconds = state.requests.ended(), state.requests.seconds()
    yield "info", "gauge", "The version that runs.", iter([({"version": __version__}, 1)])
    yield "uptime_seconds", "gauge", "Since the server began.", iter([({}, time() - state.started)])
    yield (
        "requests_total",
        "counter",
        "Requests that have ended.",
        (
            ({"dialect": dialect, "method": method, "route": route, "status": str(status)}, value)
            for (dialect, method, route, status), value in sorted(ended.items())
        ),
    )
    yield (
        "request_seconds_total",
        "counter",
        "What these requests took together.",
        (({"dialect": dialect, "route": route}, value) for (dialect, route), value in sorted(seconds.items())),
    )
    memory = machine.memory()
    yield "memory_available_bytes", "gauge", "Free memory of this computer.", iter([({}, memory.available)])


def _of_residents(state: State) -> Iterator[tuple[str, str, str, Samples]]:
    all_ = state.residents.all()
    loaded = [(one, one.model) for one in all_ if one.model]
    labels = {id(one): {"model": one.name, "task": one.task, "needs": "+".join(sorted(one.needs))} for one in all_}
    yield (
        "model_memory_bytes",
        "gauge",
        "Measured memory of a model's process.",
        (({**labels[id(one)], "engine": model.engine}, model.memory()) for one, model in loaded),
    )
    yield "model_users", "gauge", "Answers that are computed now.", ((labels[id(one)], one.users) for one in all_)
    yield (
        "model_places",
        "gauge",
        "Answers that can be computed at once.",
        ((labels[id(one)], model.max_concurrent) for one, model in loaded),
    )
    yield "model_waiting", "gauge", "Requests that wait for a place.", ((labels[id(one)], one.waiting) for one in all_)


def _of_tally(state: State) -> Iterator[tuple[str, str, str, Samples]]:
    tally = state.residents.tally
    for name, help_, counter in (
        ("model_loads_total", "Times that a model was loaded.", tally.loads),
        ("model_evictions_total", "Times that a model was let go to make room.", tally.evictions),
        ("model_deaths_total", "Times that a model's process died.", tally.deaths),
        ("prompt_tokens_total", "Tokens that were read.", tally.prompt_tokens),
        ("completion_tokens_total", "Tokens that were written.", tally.completion_tokens),
    ):
        yield name, "counter", help_, (({"model": model}, value) for model, value in sorted(dict(counter).items()))


def _family(name: str, kind: str, help_: str, samples: Samples) -> str:
    lines = [f"abierto_{name}{_labels(labels)} {value:.15g}\n" for labels, value in samples]
    return f"# HELP abierto_{name} {help_}\n# TYPE abierto_{name} {kind}\n{''.join(lines)}"


def _labels(labels: Mapping[str, str]) -> str:
    if not labels:
        return ""
    return "{" + ",".join(f'{name}="{_escaped(value)}"' for name, value in labels.items()) + "}"


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
