"""The examples run: the scripts as a person calls them, the notebook's cells one after the other."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
EXAMPLES = REPOSITORY / "examples"


def run(*command: str | Path, **environment: str) -> str:
    """What a Python command writes. Fails with what it complained about."""
    done = subprocess.run(
        [sys.executable, *command],
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), **environment},
        capture_output=True,
        encoding="utf-8",
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def cells() -> list[str]:
    """The code of the notebook, cell by cell. Checks what a notebook program demands of the file."""
    body = json.loads((EXAMPLES / "first-answer.ipynb").read_text("utf-8"))
    assert (body["nbformat"], body["nbformat_minor"]) == (4, 5)
    names = [cell["id"] for cell in body["cells"]]
    assert len(set(names)) == len(names)
    code = [cell for cell in body["cells"] if cell["cell_type"] == "code"]
    assert not any(cell["outputs"] or cell["execution_count"] for cell in code), "kept without outputs"
    return ["".join(cell["source"]) for cell in code]


def test_the_notebook_runs_with_echo() -> None:
    written = run("-c", "\n".join(cells()), ABIERTO_MODEL="echo")
    assert written.splitlines()[0] == "Name three rivers."
    assert written.endswith("Tell me a very short story.")


@pytest.mark.model
def test_the_notebook_runs_with_the_starter(starter_home: Path) -> None:
    written = run("-c", "\n".join(cells()), ABIERTO_HOME=str(starter_home))
    assert "smollm2:135m" in written


def test_files_are_summarised(tmp_path: Path) -> None:
    short, long = tmp_path / "short.txt", tmp_path / "long.txt"
    short.write_text("The tide comes in twice a day.", "utf-8")
    long.write_text("word " * 5000, "utf-8")
    first, *rest = run(EXAMPLES / "summarise_files.py", short, long, "--model", "echo").splitlines()
    assert first == f"{short}: Summarise this text in one short sentence."
    assert "The tide comes in twice a day." in rest
    assert rest[-1].startswith(f"{long}: too long (50")


@pytest.mark.model
def test_answers_are_json(starter_home: Path) -> None:
    sentences = ["Ana is 31 years old and lives in Quito.", "Luis, 54, is from Cusco."]
    written = run(EXAMPLES / "json_answers.py", *sentences, ABIERTO_HOME=str(starter_home)).splitlines()
    assert len(written) == 2
    for line in written:
        person = json.loads(line)
        assert set(person) == {"name", "age", "city"}
        assert 0 <= person["age"] <= 150


def test_every_example_is_tested() -> None:
    mine = Path(__file__).read_text("utf-8")
    assert not [path.name for path in EXAMPLES.iterdir() if path.is_file() and path.name not in mine]
