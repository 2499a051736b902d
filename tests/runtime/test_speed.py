"""How fast a model was here: tune before the journal, and nothing where nothing is known."""

from pathlib import Path
from typing import Any

import pytest

from abierto import config
from abierto.journal import Journal
from abierto.runtime import choice
from abierto.runtime.choice import Measured, Speeds, Variant
from abierto.runtime.resolve import Target, resolve
from abierto.runtime.speed import Speed, of_engine
from tests.tiny_gguf import TinyGGUF


@pytest.fixture
def target(tmp_path: Path) -> Target:
    """A model that never ran."""
    return resolve(str(TinyGGUF().write(tmp_path / "tiny.gguf")), tmp_path / "models")


def run(tokens: int | None, seconds: float | None, engine: str = "llamacpp", model: str = "tiny") -> dict[str, Any]:
    """A row of the journal."""
    facts = {"model": model, "engine": engine, "task": "chat", "outcome": "stop"}
    return {**facts, "completion_tokens": tokens, "generation_seconds": seconds}


def test_of_a_model_that_never_ran_nothing_is_known_and_no_journal_is_made(target: Target, home: Path) -> None:
    assert of_engine(target, "llamacpp") is None
    assert not (config.folders().data / "journal.db").exists()


def test_answers_of_the_journal_are_told_by_their_median(target: Target) -> None:
    journal = Journal.at(config.folders().data)
    told = [run(100, 1.0), run(100, 2.0), run(100, 10.0), run(2, 1e-6), run(None, None), run(100, 0.0)]
    journal.add_runs([*told, run(100, 1e-3, engine="openvino"), run(100, 1e-3, model="other")])
    journal.close()
    assert of_engine(target, "llamacpp") == Speed(0.0, 50.0, "runs", 3)
    assert of_engine(target, "echo") is None


def test_what_tune_measured_comes_first(target: Target) -> None:
    journal = Journal.at(config.folders().data)
    journal.add_runs([run(100, 1.0)])
    journal.close()
    slow = Measured(Variant("llamacpp"), Speeds(1.0, 300.0, 40.0, 40.0, 90.0))
    fast = Measured(Variant("llamacpp", 2), Speeds(1.0, 400.0, 50.0, 50.0, 90.0))
    choice.keep(target, [slow, fast])
    assert of_engine(target, "llamacpp") == Speed(400.0, 50.0, "tune")
    assert of_engine(target, "openvino") is None


def test_an_unreadable_journal_knows_nothing(target: Target) -> None:
    folder = config.folders().data
    folder.mkdir(parents=True)
    (folder / "journal.db").write_bytes(b"no database" * 100)
    assert of_engine(target, "llamacpp") is None
