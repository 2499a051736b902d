"""Summarise text files, one sentence or so for each: `python examples/summarise_files.py notes.txt report.md`.

A file that is longer than the model's context is told as such and skipped; nothing is cut.
"""

import argparse
from pathlib import Path

import abierto


def main() -> None:
    """Read the files that the command line names."""
    parser = argparse.ArgumentParser(description="Summarise text files with a model on this computer.")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    parser.add_argument("--model", default="", help="default: the model of the settings")
    arguments = parser.parse_args()
    for path in arguments.files:
        print(f"{path}: {summary(path.read_text('utf-8'), arguments.model)}")


def summary(text: str, model: str) -> str:
    """A summary, or why there is none."""
    try:
        answer = abierto.chat(
            f"Summarise this text in one short sentence.\n\n{text}", model=model, max_tokens=80, temperature=0
        )
    except abierto.AbiertoError as error:
        if error.code != "prompt_too_long":
            raise
        return f"too long ({error.facts['tokens']} tokens, the context holds {error.facts['context']})"
    return answer.strip()


if __name__ == "__main__":
    main()
