"""FOLDER STEPS: trains a first segment of so many steps there, and tells each. A program, so that it can be killed."""

import sys
from dataclasses import replace
from pathlib import Path

from abierto.recipes.trazo import chain
from abierto.recipes.trazo.chain import Workshop
from tests.recipes.tiny_drawings import PLAN, data_of, settings_of


def main(folder: Path, steps: int) -> None:
    """Train, and print the number of every step."""
    plan = replace(PLAN, steps=steps)
    workshop = Workshop(settings_of(folder / "archives", plan), folder)
    for step in chain.extend(workshop, data_of(workshop), plan):
        if step.stage == "train":
            sys.stdout.write(f"{step.done}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
