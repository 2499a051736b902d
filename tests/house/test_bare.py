"""The package in an environment with nothing but requirements/core.txt: no engine, no tools.

The environment is made once for the session, from the machine's own package index, with the wheel that a person
would get.
"""

import os
import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from abierto import errors
from tests.house.sources import PACKAGE, ROOT, project
from tests.tiny_gguf import TinyGGUF

HEAVY = set(project()["tool"]["ruff"]["lint"]["flake8-tidy-imports"]["banned-module-level-imports"])


def run(*command: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command outside the repository, so that the package there is not found by accident."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("ABIERTO_", "PYTHON"))}
    return subprocess.run(
        [*map(str, command)],
        cwd=Path(str(command[0])).parent,
        env={**inherited, "PYTHONUTF8": "1", **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        encoding="utf-8",
    )


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The package as it would be published."""
    folder = tmp_path_factory.mktemp("wheel")
    options = ["--quiet", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder)]
    made = run(sys.executable, "-m", "pip", "wheel", *options, ROOT)
    assert made.returncode == 0, made.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="session")
def bare(tmp_path_factory: pytest.TempPathFactory, wheel: Path) -> Path:
    """The folder of the programs of an environment with the core alone."""
    folder = tmp_path_factory.mktemp("bare")
    venv.create(folder, with_pip=False)
    programs = folder / ("Scripts" if os.name == "nt" else "bin")
    pip = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(programs / "python"),
        "install",
        "--quiet",
        "--only-binary",
        ":all:",
    ]
    for what in (
        ["--require-hashes", "--requirement", str(ROOT / "requirements" / "core.txt")],
        ["--no-deps", str(wheel)],
    ):
        done = run(*pip, *what)
        assert done.returncode == 0, done.stderr
    return programs


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """The environment variables of a person who has just installed Abierto and speaks English."""
    return {"ABIERTO_HOME": str(tmp_path / "home"), "ABIERTO_LANGUAGE": "en"}


def test_the_wheel_holds_every_file_of_the_package(wheel: Path) -> None:
    kept = set(zipfile.ZipFile(wheel).namelist())
    ours = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert ours <= kept
    assert {name.split("/")[0] for name in kept if ".dist-info/" not in name} == {"abierto"}
    assert [name for name in kept if name.endswith("licenses/LICENSE")]


def test_it_is_the_bare_environment(bare: Path) -> None:
    found = run(
        bare / "python", "-c", "import importlib.util as u, abierto; print(u.find_spec('xllamacpp'), abierto.__file__)"
    )
    spec, _, file = found.stdout.strip().partition(" ")
    assert spec == "None"
    assert Path(file).is_relative_to(bare.parent)


def test_nothing_is_missing_from_the_lock(bare: Path) -> None:
    assert run(bare / "python", "-m", "pip", "check").returncode == 0


@pytest.mark.parametrize("language", ["en", "es"])
def test_help(bare: Path, home: dict[str, str], language: str) -> None:
    done = run(bare / "abierto", "--help", **{**home, "ABIERTO_LANGUAGE": language})
    assert done.returncode == 0, done.stderr
    assert "chat" in done.stdout


def test_the_echo_engine_answers(bare: Path, home: dict[str, str]) -> None:
    done = run(bare / "abierto", "chat", "--model", "echo", "¡hola, mundo!", **home)
    assert (done.returncode, done.stdout.strip()) == (0, "¡hola, mundo!"), done.stderr


@pytest.mark.parametrize("engine", ["llamacpp", "openvino"])
def test_a_model_file_names_the_extra_to_install(bare: Path, home: dict[str, str], tmp_path: Path, engine: str) -> None:
    model = tmp_path / "tiny.gguf"
    TinyGGUF().write(model)
    done = run(bare / "abierto", "chat", "--model", f"file:{model}", "--engine", engine, "hola", **home)
    assert done.returncode == errors.EngineMissing.exit_status, done.stderr
    assert f"abierto[{engine}]" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_hub_names_the_extra_to_install(bare: Path, home: dict[str, str]) -> None:
    done = run(bare / "abierto", "pull", "hf:ana/tiny", **home)
    assert done.returncode == errors.PackageMissing.exit_status, done.stderr
    assert "abierto[hub]" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("command", ["models --all", "doctor", "licenses", "show smollm2:135m"])
def test_the_other_commands_work_without_an_engine(bare: Path, home: dict[str, str], command: str) -> None:
    done = run(bare / "abierto", *command.split(), **home)
    assert done.returncode == 0, done.stderr
    assert done.stdout


@pytest.mark.parametrize(
    "doing", ["", "from abierto.cli import run; run(['--help'])", "from abierto.cli import run; run(['--version'])"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(bare: Path, home: dict[str, str], doing: str) -> None:
    code = f"import sys, abierto\n{doing}\nprint(*sys.modules, file=sys.stderr)"
    done = run(bare / "python", "-c", code, **home)
    assert done.returncode == 0, done.stderr
    assert "abierto" in done.stderr.split()
    assert not HEAVY & set(done.stderr.split())


def test_what_is_heavy_is_named() -> None:
    """Every dependency, except click, which is needed to read any command line, and pip, which runs as a program."""
    asked = project()["project"]["dependencies"]
    names = {entry.split(">=")[0].lower().replace("-", "_") for entry in asked} - {"click", "pip"}
    assert {"yaml" if name == "pyyaml" else name for name in names} <= HEAVY
