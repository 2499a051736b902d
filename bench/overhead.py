"""What Abierto adds to its engine: the same answers through `abierto.chat` and through xllamacpp's own Python API.

Time: one process holds both and answers in pairs, each side first in turn, so that what else the machine does meets
both alike. Memory: a process for each side. Both use the same file, context, threads, prompt, and greedy sampling, so
both write the same tokens.
"""

import json
import resource
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

from abierto.config import folders
from abierto.runtime import choice
from bench.measure import in_turn, median, ratios, run, spread

PROMPT = "Tell me a long story about a river, with many characters."
TOKENS = 256
CONTEXT = 2048
PAIRS = 40


def ours() -> str:
    """Answer through the Python API of Abierto, streaming."""
    import abierto

    return "".join(
        abierto.chat(PROMPT, engine="llamacpp", context=CONTEXT, max_tokens=TOKENS, temperature=0, stream=True)
    )


def theirs() -> Callable[[], str]:
    """Load the model through xllamacpp as its documentation shows; the result answers, streaming to a callback."""
    import xllamacpp

    from abierto import machine
    from abierto.runtime.resolve import resolve

    params = xllamacpp.CommonParams()
    params.model.path = resolve("smollm2:135m", folders().models).files[0]
    params.n_ctx, params.n_parallel, params.warmup, params.cache_ram_mib = CONTEXT, 1, False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = machine.cores().physical
    params.verbosity, params.fit_params, params.ui = -1, False, False
    return partial(_theirs, xllamacpp.Server(params))


def _theirs(server: Any) -> str:
    messages = [{"role": "user", "content": PROMPT}]
    # top_p is what the model's card sets; with temperature 0 it changes no token.
    body = {"messages": messages, "max_tokens": TOKENS, "temperature": 0, "top_p": 0.9, "stream": True}
    pieces: list[str] = []
    server.handle_chat_completions(body, partial(_add, pieces))
    return "".join(pieces)


def _add(pieces: list[str], chunk: dict[str, Any]) -> None:
    pieces.extend(choice["delta"].get("content") or "" for choice in chunk.get("choices", []))


def paired() -> dict[str, list[tuple[float, float]]]:
    """For each side, the seconds by the clock and of processor time of every answer, pair by pair."""
    sides = {"ours": ours, "theirs": theirs()}
    assert len({answer() for answer in sides.values()}) == 1, "both sides must do the same work"
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in sides}
    for pair in range(PAIRS):
        for name in sorted(sides, reverse=bool(pair % 2)):
            clock, processor = time.perf_counter(), time.process_time()
            sides[name]()
            found[name].append((time.perf_counter() - clock, time.process_time() - processor))
    return found


def _memory(answer: Callable[[], str]) -> int:
    answer()
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def rows() -> list[str]:
    """The lines of a Markdown table."""
    with _untuned():
        return _rows()


@contextmanager
def _untuned() -> Iterator[None]:
    """Without what `abierto tune` found, by which the engine might be set otherwise than the other side's."""
    tuned = folders().data / choice.FILE_NAME
    aside = tuned.with_suffix(".aside")
    if not tuned.exists():
        yield
        return
    tuned.replace(aside)
    try:
        yield
    finally:
        aside.replace(tuned)


def _rows() -> list[str]:
    command = [sys.executable, "-m", "bench.overhead"]
    pairs = json.loads(run([*command, "paired"]).output)
    runs = in_turn({name: [*command, name] for name in ("ours", "theirs")}, 3)
    memory = {name: [json.loads(each.output) / 1e6 for each in found] for name, found in runs.items()}
    heading = ["what", "Abierto", "xllamacpp directly", "compared", "goal", "reached"]
    table = [heading, ["---"] * len(heading)]
    for index, clock in enumerate((f"seconds for {TOKENS} tokens", "of processor time")):
        seconds = {name: [each[index] for each in found] for name, found in pairs.items()}
        slower = ratios(seconds["ours"], seconds["theirs"])
        goal = ["", ""] if index else ["at most 1.01", "yes" if median(slower) <= 1.01 else "no"]
        table.append([clock, *(spread(found) for found in seconds.values()), f"ratio {spread(slower, 3)}", *goal])
    larger = [mine - other for mine, other in zip(memory["ours"], memory["theirs"], strict=True)]
    goal = ["at most 60", "yes" if median(larger) <= 60 else "no"]
    cells = [*(spread(found, 0) for found in memory.values()), f"{spread(larger, 0)} MB more", *goal]
    table.append(["largest memory, MB", *cells])
    return [f"| {' | '.join(cells)} |" for cells in table]


if __name__ == "__main__":
    side = sys.argv[1]
    print(json.dumps(paired() if side == "paired" else _memory(ours if side == "ours" else theirs())))
