"""What a name means, and whom it is trusted to."""

import os
from collections.abc import Iterable
from pathlib import Path

import pytest

from abierto import errors
from abierto.runtime import model
from abierto.runtime.resolve import resolve
from abierto.store import sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.tiny_gguf import TinyGGUF


def _run(steps: Iterable[PullProgress]) -> None:
    for _ in steps:
        pass


@pytest.fixture
def models(home: Path) -> Path:
    """Where this test's models are."""
    return home / "data" / "models"


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small sound model file."""
    return TinyGGUF(says="abc").write(tmp_path / "tiny.gguf")


def test_a_path_a_source_and_a_pulled_name_lead_to_the_same_file(
    models: Path, tiny: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _run(pull(sources.parse(f"file:{tiny}"), "mine", models))
    monkeypatch.chdir(tiny.parent)
    found = {resolve(name, models).files for name in (str(tiny), "tiny.gguf", f"file:{tiny}", "file:tiny.gguf", "mine")}
    assert found == {(str(tiny),)}


def test_a_card_without_files_needs_none(models: Path) -> None:
    assert resolve("echo", models).files == ()


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("nobody", errors.UnknownModel),
        ("smollm2", errors.ModelNotPulled),
        ("tts_models/es/mai/tacotron2-DDC", errors.NothingToFetch),
        ("pypi:a==1#b", errors.ModelNotPulled),
        ("file:/nowhere/x.gguf", errors.FileMissing),
        ("nowhere.gguf", errors.FileMissing),
        ("/nowhere/x", errors.FileMissing),
        ("/dev/null", errors.NotAModel),
        ("~/nowhere/x", errors.FileMissing),
        ("~nobody-is-called-so/x", errors.FileMissing),
        ("nowhere/x", errors.FileMissing),
        ("pypi:", errors.InvalidSource),
        ("", errors.UnknownModel),
    ],
)
def test_names_that_lead_nowhere(models: Path, name: str, error: type[errors.AbiertoError]) -> None:
    with pytest.raises(error):
        resolve(name, models)


def test_a_model_of_another_format_is_told_from_no_model(models: Path, tmp_path: Path) -> None:
    page, old = tmp_path / "page.gguf", tmp_path / "old.gguf"
    page.write_text("<!DOCTYPE html><html></html>")
    old.write_bytes(b"tjgg" + bytes(100))
    with pytest.raises(errors.NotAModel) as caught:
        resolve(str(page), models)
    assert caught.value.found == "html"
    with pytest.raises(errors.NoEngineForFile):
        resolve(str(old), models)


def test_a_file_that_nobody_vouches_for_runs_in_a_process_of_its_own(tiny: Path) -> None:
    with model.load(str(tiny)) as loaded:
        assert loaded.pid != os.getpid()


@pytest.mark.model
def test_the_file_that_the_card_names_runs_in_this_process(starter_home: Path) -> None:
    found = resolve("smollm2:135m", starter_home / "data" / "models")
    assert found.vouched
    with model.load("smollm2:135m", context=512) as loaded:
        assert loaded.pid == os.getpid()


def test_a_file_that_disappeared_is_told(models: Path, tiny: Path) -> None:
    _run(pull(sources.parse(f"file:{tiny}"), "mine", models))
    tiny.unlink()
    with pytest.raises(errors.FileMissing):
        resolve("mine", models)
