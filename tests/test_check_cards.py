"""Cards against the hub, here a stand-in: what is wrong is told, and what could not be asked is no fault of a card."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from abierto.catalog import Card
from abierto.catalog.card import Weights
from docs.check_cards import differences
from tests.house.sources import ROOT
from tests.store.conftest import hub
from tests.store.stand_in_hub import Repository, StandInHub

__all__ = ["hub"]
FILE = "Tiny-Q4_0.gguf"


@pytest.fixture
def repository(hub: StandInHub) -> Repository:
    """A repository with a file."""
    return hub.add("maker/tiny", {FILE: b"weights", "README.md": b"# Tiny"})


def card(repository: Repository, **facts: object) -> Card:
    """A card that says the truth, but for what is told here."""
    told = {"source": f"hf:maker/tiny:{FILE}", "size": 7, "sha256": repository.sha256(FILE), **facts}
    return Card("tiny", "Tiny", "text-generation", weights={"q4_0": Weights(format="gguf", **told)})  # type: ignore[arg-type]


def test_a_card_that_says_the_truth_differs_in_nothing(repository: Repository) -> None:
    assert not list(differences([card(repository)]))


@pytest.mark.parametrize(
    ("facts", "about"),
    [
        ({"size": 8}, "size"),
        ({"sha256": "00" * 32}, "sha256"),
        ({"source": "hf:maker/tiny:Other.gguf"}, "file"),
        ({"source": f"hf:maker/gone:{FILE}"}, "repository"),
        ({"source": f"hf:maker/tiny@nowhere:{FILE}"}, "repository"),
    ],
)
def test_what_is_wrong_is_told(repository: Repository, facts: dict[str, object], about: str) -> None:
    [found] = differences([card(repository, **facts)])
    assert (found.card, found.form, found.about) == ("tiny", "q4_0", about)


def test_what_nobody_may_look_into_is_passed_over(hub: StandInHub, repository: Repository) -> None:
    repository.gated = True
    assert not list(differences([card(repository, size=8)]))


def run(home: Path, *names: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """The script as it is run."""
    command = [sys.executable, "-m", "docs.check_cards", *names]
    told = {**os.environ, "ABIERTO_HOME": str(home), **environment}
    return subprocess.run(command, cwd=ROOT, env=told, capture_output=True, text=True, check=False)


def test_a_repository_that_is_gone_ends_with_one(hub: StandInHub, tmp_path: Path) -> None:
    done = run(tmp_path, "qwen3:0.6b")
    assert done.returncode == 1, done.stderr
    assert "qwen3:0.6b, " in done.stdout
    assert "repository" in done.stdout


def test_a_hub_that_does_not_answer_is_no_fault_of_a_card(hub: StandInHub, tmp_path: Path) -> None:
    done = run(tmp_path, "qwen3:0.6b", HF_ENDPOINT="http://127.0.0.1:9")
    assert (done.returncode, done.stdout) == (3, "")
    assert run(tmp_path, "no-such-card").returncode == 2
