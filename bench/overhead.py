"""What Abierto adds to its engine: the same answers through `abierto.chat` and through xllamacpp's own Python API.

Each process loads the model, answers once to warm up, then three times; both use the same file, context, threads,
prompt, and greedy sampling, so both write the same tokens.
"""

import json
import resource
import sys
import time
from functools import partial
from typing import Any

from bench.measure import in_turn, median, ratios, spread

PROMPT = "Tell me a long story about a river, with many characters."
TOKENS = 256
CONTEXT = 2048
ROUNDS = 3


def ours() -> None:
    """Answer through the Python API of Abierto, streaming."""
    import abierto

    seconds, pieces = [], []
    for _ in range(1 + ROUNDS):
        started = time.perf_counter()
        pieces = list(abierto.chat(PROMPT, context=CONTEXT, max_tokens=TOKENS, temperature=0, stream=True))
        seconds.append(time.perf_counter() - started)
    _tell(seconds, "".join(pieces))


def theirs() -> None:
    """Answer through xllamacpp, as its documentation shows, streaming to a callback."""
    import xllamacpp

    from abierto import machine
    from abierto.config import folders
    from abierto.runtime.resolve import resolve

    params = xllamacpp.CommonParams()
    params.model.path = resolve("smollm2:135m", folders().models).files[0]
    params.n_ctx, params.n_parallel, params.warmup, params.cache_ram_mib = CONTEXT, 1, False, 0
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = machine.cores().physical
    params.verbosity, params.fit_params, params.ui = -1, False, False
    server = xllamacpp.Server(params)
    messages = [{"role": "user", "content": PROMPT}]
    # top_p is what the model's card sets; with temperature 0 it changes no token.
    body = {"messages": messages, "max_tokens": TOKENS, "temperature": 0, "top_p": 0.9, "stream": True}
    seconds = []
    pieces: list[str] = []
    for _ in range(1 + ROUNDS):
        pieces.clear()
        started = time.perf_counter()
        server.handle_chat_completions(body, partial(_add, pieces))
        seconds.append(time.perf_counter() - started)
    _tell(seconds, "".join(pieces))


def _add(pieces: list[str], chunk: dict[str, Any]) -> None:
    pieces.extend(choice["delta"].get("content") or "" for choice in chunk.get("choices", []))


def _tell(seconds: list[float], text: str) -> None:
    usage = resource.getrusage(resource.RUSAGE_SELF)
    print(json.dumps({"seconds": seconds[1:], "memory": usage.ru_maxrss * 1024, "text": text}))


def rows(runs: int = 7) -> list[str]:
    """The lines of a Markdown table."""
    commands = {name: [sys.executable, "-m", "bench.overhead", name] for name in ("ours", "theirs")}
    measured = {name: [json.loads(run.output) for run in found] for name, found in in_turn(commands, runs).items()}
    texts = {body["text"] for found in measured.values() for body in found}
    assert len(texts) == 1, "both sides must do the same work"
    seconds = {name: [median(body["seconds"]) for body in found] for name, found in measured.items()}
    memory = {name: [body["memory"] / 1e6 for body in found] for name, found in measured.items()}
    slower = ratios(seconds["ours"], seconds["theirs"])
    larger = [mine - other for mine, other in zip(memory["ours"], memory["theirs"], strict=True)]
    time_cells = [
        f"seconds for {TOKENS} tokens",
        *(spread(seconds[side]) for side in commands),
        f"ratio {spread(slower, 3)}",
        "at most 1.01",
        "yes" if median(slower) <= 1.01 else "no",
    ]
    memory_cells = [
        "largest memory, MB",
        *(spread(memory[side], 0) for side in commands),
        f"{spread(larger, 0)} MB more",
        "at most 60",
        "yes" if median(larger) <= 60 else "no",
    ]
    heading = ["what", "Abierto", "xllamacpp directly", "compared", "goal", "reached"]
    return [f"| {' | '.join(cells)} |" for cells in (heading, ["---"] * 6, time_cells, memory_cells)]


if __name__ == "__main__":
    {"ours": ours, "theirs": theirs}[sys.argv[1]]()
