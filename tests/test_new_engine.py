"""Following `docs/en/guides/add-an-engine.md` in a copy of the repository really adds an engine."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent
GUIDE = REPOSITORY / "docs" / "en" / "guides" / "add-an-engine.md"
COPIED = ("abierto", "tests", "pyproject.toml")


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the repository in which the guide was followed."""
    place = tmp_path / "copy"
    place.mkdir()
    for name in COPIED:
        source = REPOSITORY / name
        if source.is_dir():
            shutil.copytree(source, place / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, place)
    guide = GUIDE.read_text("utf-8")
    for name, code in re.findall(r"(?s)<!-- file: (\S+) -->\n```python\n(.*?)```", guide):
        (place / name).write_text(code, "utf-8")
    for name, before, line in re.findall(r"(?s)<!-- line: (\S+) after (.*?) -->\n```python\n(.*?)```", guide):
        text = (place / name).read_text("utf-8")
        assert text.count(f"{before}\n") == 1
        (place / name).write_text(text.replace(f"{before}\n", f"{before}\n{line}"), "utf-8")
    return place


def contents(root: Path) -> dict[str, str]:
    """The source files below a folder."""
    paths = [path for path in (root / "abierto").rglob("*") if path.suffix in (".py", ".json", ".yaml")]
    return {path.relative_to(root).as_posix(): path.read_text("utf-8") for path in [*paths, root / "pyproject.toml"]}


def run(copy: Path, *arguments: str) -> str:
    """What a Python command writes in the copy. Fails with what it complained about."""
    environment = {**os.environ, "PYTHONPATH": str(copy)}
    done = subprocess.run(
        [sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, encoding="utf-8"
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_one_new_file_and_one_line_are_touched(copy: Path) -> None:
    before, after = contents(REPOSITORY), contents(copy)
    assert {name for name in after if before.get(name) != after[name]} == {
        "abierto/engines/parrot.py",
        "abierto/engines/__init__.py",
    }
    table = "abierto/engines/__init__.py"
    assert len(after[table].splitlines()) == len(before[table].splitlines()) + 1


def test_the_new_engine_answers(copy: Path) -> None:
    said = run(copy, "-m", "abierto", "chat", "--model", "echo", "--engine", "parrot", "Good morning. How are you?")
    assert said.strip() == "Good morning."
    assert "parrot" in run(copy, "-m", "abierto", "doctor")


def test_the_new_engine_keeps_the_contract(copy: Path) -> None:
    written = run(copy, "-m", "pytest", "-q", "-rA", "-k", "parrot", "tests/engines/test_contract.py")
    assert len(re.findall(r"(?m)^PASSED .*parrot", written)) >= 10


def test_the_new_engine_follows_the_rules(copy: Path) -> None:
    assert run(copy, "-m", "ruff", "check", "--no-cache", "abierto/engines").strip() == "All checks passed!"
    assert "already formatted" in run(
        copy, "-m", "ruff", "format", "--no-cache", "--check", "abierto/engines/parrot.py"
    )
