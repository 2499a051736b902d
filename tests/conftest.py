"""What all tests share: a home of their own for each, English, and the starter model, pulled once."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from abierto import locale
from abierto.store import records

REPOSITORY = Path(__file__).parent.parent
STARTER = "smollm2:135m"
# Stays between runs, so that the starter model is fetched once: in the clone, and never in the person's own folders.
SHARED_HOME = REPOSITORY / ".cache" / "tests"

# The tests start hundreds of processes; where this is set, each of them would compile the whole package anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# A shell that starts the tests in the background lets them ignore Ctrl-C, and every process they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty home for this test and every process that it starts."""
    for name in [name for name in os.environ if name.startswith("ABIERTO_")]:
        monkeypatch.delenv(name)
    place = tmp_path / "abierto-home"
    monkeypatch.setenv("ABIERTO_HOME", str(place))
    monkeypatch.setenv("ABIERTO_LANGUAGE", "en")
    # What other programs of whoever runs the tests keep on this disk is no concern of theirs.
    monkeypatch.setenv("ABIERTO_OTHER_PROGRAMS", "no")
    locale.use("en")
    yield place
    locale.use("en")


@pytest.fixture(scope="session")
def starter_path() -> Path:
    """The file of the starter model, pulled the way a person pulls it."""
    command = [sys.executable, "-m", "abierto", "pull", STARTER]
    subprocess.run(command, check=True, env={**os.environ, "ABIERTO_HOME": str(SHARED_HOME)})
    record = records.get(SHARED_HOME / "data" / "models", STARTER)
    assert record is not None
    return record.files[0].path


@pytest.fixture
def starter_home(home: Path, starter_path: Path) -> Path:
    """A home of this test's own in which the starter model has been pulled."""
    models = home / "data" / "models"
    models.parent.mkdir(parents=True)
    models.symlink_to(starter_path.parent.parent, target_is_directory=True)
    return home
