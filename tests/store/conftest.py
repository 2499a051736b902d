"""An index that pip on this computer uses instead of its own, and nothing else."""

import os
from collections.abc import Iterator

import pytest

from tests.store.stand_in_index import StandInIndex


@pytest.fixture
def index(monkeypatch: pytest.MonkeyPatch) -> Iterator[StandInIndex]:
    """An empty index, which pip and its children are told to use, and to be impatient with."""
    with StandInIndex() as stand_in:
        for name in [name for name in os.environ if name.startswith("PIP_") or name.lower().endswith("_proxy")]:
            monkeypatch.delenv(name)
        monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
        monkeypatch.setenv("PIP_INDEX_URL", stand_in.simple)
        monkeypatch.setenv("PIP_RETRIES", "0")
        monkeypatch.setenv("PIP_TIMEOUT", "5")
        yield stand_in
