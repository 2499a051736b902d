"""How near the memory that is foretold for models that listen, speak and draw comes to what a process of theirs takes
at most: models of random weights, with Python packages that Abierto does not need.

It needs a Python with ctranslate2, numpy, torch (for processors), diffusers with transformers, onnx, onnxruntime, and
piper-tts and kokoro (without what they need, but for attrs and loguru), named by the variable ABIERTO_BENCH_PYTHON;
without one nothing is measured, and that is what is written down. The constants of the formulas
were frozen before: `CHOSEN_BY` are cases that they were chosen by, and `HELD_BACK` cases that nobody had looked at.
"""

import json
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from abierto.formats import footprint_images, footprint_whisper, voice_graph
from abierto.formats.footprint import Footprint
from abierto.formats.footprint_images import Pipeline

MB = 1_000_000
GOAL_SHARE, GOAL_BYTES = 0.05, 100 * (1 << 20)
PYTHON = "ABIERTO_BENCH_PYTHON"
RUN = Path(__file__).with_name("media_run.py")
VOICE_RUN = Path(__file__).with_name("voice_run.py")
VOICES = ("piper", "kokoro")
LENGTHS = ("1", "4", "8", "13", "24", "35")  # seconds that no constant was chosen by
LONGEST = 1200.0  # seconds that a case may take


@dataclass(frozen=True, slots=True)
class Case:
    """kind: of the network. arguments: as `media_run` or `voice_run` takes them after the folder or file."""

    kind: str
    arguments: tuple[str, ...]


CHOSEN_BY = (
    Case("whisper", ("512", "6", "float16")),
    Case("whisper", ("512", "6", "int8")),
    Case("whisper", ("1280", "4", "int8")),
    Case("unet", ("128,256,512", "64", "1")),
    Case("unet", ("320,640", "64", "2")),
    Case("vae", ("64,128,256,256", "64", "1")),
    Case("vae", ("96,192,384", "64", "1")),
    Case("vae", ("64,128", "128", "1")),
    Case("dit", ("2,768", "64", "2")),
    Case("piper", ("x_low", "20")),
    Case("piper", ("medium", "10")),
    Case("piper", ("high", "10")),
    Case("kokoro", ("82m", "10")),
    Case("kokoro", ("82m", "20")),
)
HELD_BACK = (
    Case("whisper", ("768", "4", "float16")),
    Case("whisper", ("1024", "2", "int8")),
    Case("unet", ("192,384", "64", "1")),
    Case("unet", ("128,256", "96", "1")),
    Case("vae", ("64,128,256", "64", "1")),
    Case("vae", ("128,256", "48", "1")),
    Case("dit", ("2,1536", "64", "1")),
    Case("dit", ("3,1024", "96", "1")),
    Case("piper", ("low", "7")),
    Case("piper", ("medium", "15")),
    Case("piper", ("medium,904", "3")),
    Case("piper", ("high", "30")),
    Case("piper", ("x_low", "40")),
    Case("kokoro", ("82m", "4")),
    Case("kokoro", ("82m", "15")),
    *(Case("piper", (shape, seconds)) for shape in ("x_low", "low", "medium", "high") for seconds in LENGTHS),
    *(Case("piper", (shape, seconds)) for shape in ("low,20", "medium,50", "high,109") for seconds in ("4", "13")),
    *(Case("kokoro", ("82m", seconds)) for seconds in ("3", "7", "12", "18", "23", "27")),
)


def rows() -> Iterator[str]:
    """The lines of a Markdown table."""
    python = os.environ.get(PYTHON)
    if not python:
        yield f"Not measured: {PYTHON} names no Python with ctranslate2, torch and diffusers. See `bench/media.py`."
        return
    yield "| case | network | shape | foretold, MB | measured at most, MB | away | goal | reached |"
    yield "|---|---|---|---|---|---|---|---|"
    with tempfile.TemporaryDirectory() as folder:
        for name, cases in (("held back", HELD_BACK), ("chosen by", CHOSEN_BY)):
            for number, case in enumerate(cases):
                place = Path(folder) / f"{name}-{number}"
                run = VOICE_RUN if case.kind in VOICES else RUN
                command = [python, str(run), case.kind, str(place), *case.arguments]
                done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=LONGEST)
                yield _row(name, case, place, done)


def _row(name: str, case: Case, place: Path, done: subprocess.CompletedProcess[str]) -> str:
    shape = ", ".join(case.arguments)
    if done.returncode:
        why = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        return f"| {name} | {case.kind} | {shape} | | not measured: {why} | | | |"
    told = json.loads(done.stdout.splitlines()[-1])
    measured = int(told["peak"])
    foretold = (_foretold_voice(place, told["seconds"]) if case.kind in VOICES else _foretold(case, place)).total
    away = foretold - measured
    reached = "yes" if abs(away) <= max(GOAL_SHARE * measured, GOAL_BYTES) else "no"
    numbers = f"{foretold / MB:.0f} | {measured / MB:.0f} | {away / MB:+.0f} MB, {away / measured:+.1%}"
    return f"| {name} | {case.kind} | {shape} | {numbers} | 5 % or 100 MiB | {reached} |"


def _foretold_voice(place: Path, seconds: float) -> Footprint:
    voice = voice_graph.read(place)
    assert voice is not None, place
    return voice.footprint(place.stat().st_size, seconds)


def _foretold(case: Case, place: Path) -> Footprint:
    if case.kind == "whisper":
        model = footprint_whisper.read(place)
        assert model is not None, place
        return model.footprint()
    channels, side, images = case.arguments
    numbers, size = tuple(map(int, channels.split(","))), int((place / "size").read_text())
    parts, places = {case.kind: size}, int(side)
    if case.kind == "vae":
        pixels = places * 2 ** (len(numbers) - 1)
        return Pipeline(parts, unet=(1,), vae=numbers).footprint(pixels, pixels, int(images))
    network = Pipeline(parts, unet=numbers) if case.kind == "unet" else Pipeline(parts, width=numbers[1], patch=4)
    compute = network.denoising(places * places, int(images))
    return Footprint(size, 0, compute, footprint_images.ENGINE_BYTES)
