"""`make bench`: run every measurement and write down what was seen, whether or not it reaches its goal."""

from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from abierto import machine
from bench import overhead, start

RESULTS = Path(__file__).with_name("RESULTS.md")


def main() -> None:
    """Measure, print and write RESULTS.md."""
    found = machine.describe()
    memory = round(machine.memory().total / 1e9)
    versions = ", ".join(f"{name} {metadata.version(name)}" for name in ("abierto", "xllamacpp"))
    lines = [
        "# Results",
        "",
        "Written by `make bench`. Medians of runs in turn; ratios of neighbouring runs. Model: smollm2:135m (Q4_1).",
        "",
        f"- date: {datetime.now(UTC):%Y-%m-%d}",
        f"- machine: {found.processor}, {found.cores.physical} cores, {memory} GB of memory, {found.system}",
        f"- versions: Python {found.python}, {versions}",
        "",
        "## Waiting",
        "",
        *start.rows(),
        "",
        "## What Abierto adds to its engine",
        "",
        *overhead.rows(),
    ]
    text = "\n".join(lines) + "\n"
    print(text)
    RESULTS.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
