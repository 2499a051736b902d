"""`make bench`: run every measurement and write down what was seen, whether or not it reaches its goal.

With names (`python -m bench engines`) only those; what RESULTS.md has of the others stays.
"""

import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path

from abierto import machine
from bench import choices, draw, engines, fit, media, overhead, peer, server, speed, start, studio, training

RESULTS = Path(__file__).with_name("RESULTS.md")
HEAD = """# Results

Written by `make bench`. Medians of runs in turn, least to most in brackets; ratios of neighbouring runs. Model, where
none is named: smollm2:135m (Q4_1).
"""
SOAK = 1800.0  # seconds
TITLES = {
    "start": "Waiting",
    "overhead": "What Abierto adds to its engine",
    "engines": "The engine that auto takes, against llama.cpp's own server",
    "choices": "How far auto is behind the best choice",
    "fit": "Memory, foretold and measured",
    "media": "Memory of models that listen, speak and draw, foretold and measured",
    "speed": "Speed, foretold and measured",
    "server": "The server",
    "soak": "The server, for a long time",
    "studio": "The studio in a browser",
    "draw": "Drawing",
    "training": "Training the image model",
}


def main() -> None:
    """Measure, print and write RESULTS.md."""
    for name in sys.argv[1:] or TITLES:
        lines = list(_lines(name))
        text = f"## {TITLES[name]}\n\n{_circumstances()}\n\n" + "\n".join(lines) + "\n"
        print(text)
        found = _sections() | {TITLES[name]: text}
        RESULTS.write_text("\n".join([HEAD, *(found[title] for title in TITLES.values() if title in found)]), "utf-8")


def _lines(name: str) -> Iterable[str]:
    if name == "start":
        return start.rows()
    if name == "overhead":
        return overhead.rows()
    if name == "fit":
        return fit.rows()
    if name == "media":
        return media.rows()
    if name == "speed":
        return speed.rows()
    if name == "server":
        return server.rows()
    if name == "soak":
        return server.soaked(SOAK)
    if name == "draw":
        return draw.rows()
    if name == "studio":
        return studio.rows()
    if name == "training":
        return training.rows()
    return choices.rows() if name == "choices" else _against_peer()


def _against_peer() -> Iterator[str]:
    if not peer.program():
        yield "Not measured: there is no `llama-server` on the PATH. How to build it: `bench/peer.py`."
        return
    with tempfile.TemporaryDirectory() as folder:
        best = Path(folder) / "best.gguf"
        made = [sys.executable, "-m", "abierto", "quantize", engines.MODEL, "q4_0", "--name", "bench-q4_0"]
        subprocess.run([*made, "--out", str(best)], check=True)
        try:
            yield from engines.rows(best)
        finally:
            subprocess.run([sys.executable, "-m", "abierto", "remove", "bench-q4_0", "--yes"], check=True)


def _circumstances() -> str:
    found = machine.describe()
    packages = [name for name in ("abierto", "xllamacpp", "openvino_genai", "onnxruntime") if find_spec(name)]
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in packages)
    memory = round(machine.memory().total / 1e9)
    computer = f"{found.processor}, {found.cores.physical} cores, {memory} GB of memory, {found.system}"
    return f"{datetime.now(UTC):%Y-%m-%d}; {computer}; Python {found.python}, {versions}."


def _sections() -> dict[str, str]:
    """What RESULTS.md has, by title."""
    if not RESULTS.exists():
        return {}
    parts = RESULTS.read_text("utf-8").split("\n## ")[1:]
    return {part.partition("\n")[0]: f"## {part.strip()}\n" for part in parts}


if __name__ == "__main__":
    main()
