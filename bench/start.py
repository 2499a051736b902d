"""How long a person waits: for the help, for `import abierto`, and from nothing to the first token of an answer."""

import sys

from bench.measure import Run, in_turn, spread

PYTHON = [sys.executable]
COMMANDS = {
    "python -c pass": [*PYTHON, "-c", "pass"],
    "abierto --help": [*PYTHON, "-m", "abierto", "--help"],
    "import abierto": [*PYTHON, "-c", "import abierto"],
    "abierto chat, first token": [
        *PYTHON, "-m", "abierto", "chat", "--model", "smollm2:135m", "--seed", "1", "--max-tokens", "16", "Say hello.",
    ],
}  # fmt: skip
GOALS = {"abierto --help": 0.150, "import abierto": 0.060, "abierto chat, first token": 1.2}


def rows(runs: int = 15) -> list[str]:
    """The lines of a Markdown table. The model's file is in the page cache after the first, uncounted run."""
    measured = in_turn(COMMANDS, runs)
    bare = [run.wall for run in measured["python -c pass"]]
    lines = ["| what | seconds, median (least to most) | goal, at most | reached |", "|---|---|---|---|"]
    for name, found in measured.items():
        values = _values(name, found, bare)
        goal = GOALS.get(name)
        reached = "" if goal is None else "yes" if sorted(values)[len(values) // 2] <= goal else "no"
        lines.append(f"| {name} | {spread(values, 3)} | {goal or ''} | {reached} |")
    return lines


def _values(name: str, found: list[Run], bare: list[float]) -> list[float]:
    if name == "import abierto":
        # What the import adds to an interpreter that starts anyway.
        return [run.wall - empty for run, empty in zip(found, bare, strict=True)]
    if name.endswith("first token"):
        return [run.first_output for run in found]
    return [run.wall for run in found]
