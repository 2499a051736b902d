"""The layers of the house (rule 1): import-linter holds them, and these tests show that it would notice."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.sources import PACKAGE, ROOT, project


def lint(folder: Path) -> tuple[int, str]:
    """What lint-imports says about the package in a folder, by that folder's own contracts."""
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(no_cache=True, no_logo=True))"
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, capture_output=True, text=True, encoding="utf-8")
    return done.returncode, done.stdout + done.stderr


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package and its contracts, to be broken."""
    shutil.copytree(PACKAGE, tmp_path / "abierto", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def add(folder: Path, file: str, line: str) -> None:
    with (folder / file).open("a", encoding="utf-8") as opened:
        opened.write(f"\n{line}\n")


def test_the_contracts_are_kept() -> None:
    status, said = lint(ROOT)
    assert status == 0, said


def test_an_import_from_above_breaks_them(copy: Path) -> None:
    add(copy, "abierto/errors.py", "import abierto.journal")
    status, said = lint(copy)
    assert status == 1
    assert "abierto.errors -> abierto.journal" in said


def test_an_import_within_a_function_breaks_them_too(copy: Path) -> None:
    add(copy, "abierto/machine.py", "def late() -> None:\n    import abierto.engines")
    status, said = lint(copy)
    assert status == 1
    assert "abierto.machine -> abierto.engines" in said


def test_a_cycle_breaks_them(copy: Path) -> None:
    (copy / "abierto/tasks/one.py").write_text("import abierto.tasks.two\n")
    (copy / "abierto/tasks/two.py").write_text("import abierto.tasks.one\n")
    status, said = lint(copy)
    assert status == 1
    assert "No import cycle anywhere BROKEN" in said


def test_a_room_without_a_line_breaks_them(copy: Path) -> None:
    (copy / "abierto/attic.py").write_text('"""Nobody said where this belongs."""\n')
    status, said = lint(copy)
    assert status == 1
    assert "attic" in said


def test_the_layers_are_those_of_the_folder() -> None:
    """Exhaustive for the other direction: no layer without a room."""
    layers = project()["tool"]["importlinter"]["contracts"][0]["layers"]
    missing = [name for name in layers if not (PACKAGE / name).is_dir() and not (PACKAGE / f"{name}.py").is_file()]
    assert not missing
