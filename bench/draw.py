"""One image: how long it takes with a model that is loaded, and from nothing; and how long Diffusers takes for it.

The model is the one in `models/trazo`; another folder is named by TRAZO. The peer is Diffusers with PyTorch on the same
weights, with the same steps and as many threads, in an environment of its own, because neither is a dependency here:
`python -m venv peer && peer/bin/pip install diffusers transformers torch`, and PEER=peer/bin/python. Without it nothing
is compared. Images of the peer are drawn by a program of it that stays loaded, in turn with ours.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from abierto import engines, machine
from abierto.engines.session import LoadOptions, Session
from abierto.tasks.draw import DrawRequest
from abierto.tasks.events import Image, ImagePreview
from bench.measure import median, ratios, spread

MODEL = Path(os.environ.get("TRAZO", Path(__file__).parent.parent / "models" / "trazo")).absolute()
PROMPT, STEPS, GUIDANCE = "a red apple", 8, 4.0
GOAL_LOADED, GOAL_COLD, GOAL_PEER = 0.25, 1.5, 0.5  # seconds, seconds, of the peer's time

_PEER = """
import json, sys, time
import torch
from diffusers import DiffusionPipeline
torch.set_num_threads(int(sys.argv[2]))
pipeline = DiffusionPipeline.from_pretrained(sys.argv[1], torch_dtype=torch.float32)
pipeline.set_progress_bar_config(disable=True)
for line in sys.stdin:
    prompt, steps, guidance = json.loads(line)
    began = time.perf_counter()
    pipeline(prompt, num_inference_steps=steps, guidance_scale=guidance)
    print(time.perf_counter() - began, flush=True)
"""


def rows(runs: int = 15) -> Iterator[str]:
    """The lines of a Markdown table."""
    if not (MODEL / "model_index.json").is_file():
        yield f"Not measured: there is no model in {MODEL.name}."
        return
    threads = machine.cores().physical
    yield f"{STEPS} steps with guidance, {threads} threads."
    yield ""
    yield "| what | measured, median (least to most) | goal, at most | reached |"
    yield "|---|---|---|---|"
    ours, previewed, theirs = _loaded(threads, runs)
    yield _row("one image, loaded, seconds", ours, GOAL_LOADED, 3)
    yield _row("the same with a preview of every step, seconds", previewed, None, 3)
    yield _row("`abierto draw`, from nothing to the file and its name, seconds", _cold(runs), GOAL_COLD, 2)
    if theirs:
        yield _row("Diffusers with PyTorch, loaded, seconds", theirs, None, 3)
        yield _row("our time for each second of Diffusers, run by run", ratios(ours, theirs), GOAL_PEER, 2)


def _loaded(threads: int, runs: int) -> tuple[list[float], list[float], list[float]]:
    """Seconds of ours without and with previews, and of the peer, one run of each in turn; the first does not count."""
    main = str(MODEL / "model_index.json")
    session = engines.load("starter", [main], LoadOptions(0, threads, 1, task="draw"))
    peer = _peer(threads)
    ours: list[float] = []
    previewed: list[float] = []
    theirs: list[float] = []
    for turn in range(runs + 1):
        found = (_ours(session, previews=False), _ours(session, previews=True), _asked(peer) if peer else 0.0)
        for times, seconds in zip((ours, previewed, theirs), found, strict=True):
            times += [seconds] if turn else []
    session.close()
    if peer and peer.stdin:
        peer.stdin.close()
        peer.wait()
    return ours, previewed, theirs if peer else []


def _ours(session: Session, *, previews: bool) -> float:
    request = DrawRequest(PROMPT, num_inference_steps=STEPS, guidance_scale=GUIDANCE, seed=1, previews=previews)
    began = time.perf_counter()
    events = list(session.draw(request))
    seconds = time.perf_counter() - began
    assert any(isinstance(event, Image) for event in events)
    assert previews == any(isinstance(event, ImagePreview) for event in events)
    return seconds


def _peer(threads: int) -> "subprocess.Popen[str] | None":
    program = os.environ.get("PEER")
    if not program:
        return None
    command = [program, "-c", _PEER, str(MODEL), str(threads)]
    quiet = subprocess.DEVNULL
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=quiet, text=True)


def _asked(peer: "subprocess.Popen[str]") -> float:
    assert peer.stdin
    assert peer.stdout
    peer.stdin.write(json.dumps([PROMPT, STEPS, GUIDANCE]) + "\n")
    peer.stdin.flush()
    return float(peer.stdout.readline())


def _cold(runs: int) -> list[float]:
    """Until the name of the file is told; what the program still has to write down then keeps nobody waiting."""
    found: list[float] = []
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "abierto", "draw", "--model", str(MODEL), "--steps", str(STEPS), PROMPT]
        home = {**os.environ, "ABIERTO_HOME": folder}
        for _ in range(runs + 1):
            began = time.perf_counter()
            # The file is named after the words and the seed, in the current folder.
            with subprocess.Popen(
                command, cwd=folder, env=home, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
            ) as run:
                assert run.stdout
                assert run.stdout.readline().strip().endswith(b".png")
                found.append(time.perf_counter() - began)
    return found[1:]


def _row(what: str, values: list[float], goal: float | None, digits: int) -> str:
    reached = "" if goal is None else "yes" if median(values) <= goal else "no"
    return f"| {what} | {spread(values, digits)} | {goal or ''} | {reached} |"
