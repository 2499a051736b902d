"""Models of other programs, and the quantisations of a card, from the command line."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from abierto.catalog import Card, Weights
from abierto.cli.conversation.loading import choose
from abierto.cli.pull import tell_choice
from abierto.runtime import quantization
from tests.cli.conftest import Abierto, Result
from tests.store.foreign_trees import Ollama, in_hub_cache, put
from tests.tiny_gguf import TinyGGUF

TINY = TinyGGUF(says="abc").build()


@pytest.fixture
def person(tmp_path: Path) -> Path:
    """The home folder of a person who uses other programs."""
    return tmp_path / "person"


@pytest.fixture
def ollama(person: Path) -> Ollama:
    """The folder of Ollama."""
    return Ollama(person / ".ollama" / "models")


@pytest.fixture
def asked(abierto: Abierto, person: Path) -> Callable[..., Result]:
    """`abierto` as that person runs it."""

    def run(*arguments: str, **environment: str) -> Result:
        places = {"HOME": str(person), "ABIERTO_OTHER_PROGRAMS": "yes", "OLLAMA_MODELS": "", "HF_HOME": ""}
        places |= {"HF_HUB_CACHE": "", "HUGGINGFACE_HUB_CACHE": "", "XDG_CACHE_HOME": ""}
        return abierto(*arguments, **{**places, **environment})

    return run


def test_models_of_other_programs_are_listed_with_whose_they_are(
    asked: Callable[..., Result], person: Path, ollama: Ollama, tmp_path: Path
) -> None:
    blob = ollama.add("tiny:1", TINY)
    ollama.add("growing:1", TINY + b"x").write_bytes(b"GGUF")
    ollama.write("bad:1", b"no JSON")
    put(person, ".lmstudio/models/ana/Tiny/tiny.gguf", TINY)
    in_hub_cache(person / ".cache/huggingface/hub", "eva/Tiny", "t.gguf", TINY)
    put(tmp_path / "mine", "own.gguf", TINY)
    done = asked("models", ABIERTO_FOLDERS=str(tmp_path / "mine"))
    rows = {line.split("\t")[0]: line.split("\t")[1:] for line in done.out.splitlines()}
    assert rows["tiny:1"] == [f"{len(TINY) / 1000:.0f} kB", "here, of Ollama", "fits", f"file:{blob}"]
    assert rows["growing:1"][1] == "Ollama is downloading it"
    assert rows["bad:1"][1] == "of Ollama, cannot be used"
    assert rows["ana/Tiny/tiny.gguf"][1] == "here, of LM Studio"
    assert rows["eva/Tiny/t.gguf"][1] == "here, of the Hugging Face cache"
    assert rows["own"][1] == "here, of a folder of the settings"
    told = {model["name"]: model for model in json.loads(asked("models", "--json").out)}
    assert (told["tiny:1"]["owner"], told["tiny:1"]["usable"], told["tiny:1"]["size"]) == ("ollama", True, len(TINY))
    assert told["growing:1"]["problem"] == "being_downloaded"
    assert "Ollama: 3" in asked("doctor").out
    unplugged = asked("doctor", ABIERTO_FOLDERS=str(tmp_path / "unplugged"))
    assert unplugged.status == 3
    assert "unplugged" in unplugged.err


@pytest.mark.parametrize(("language", "word"), [("en", "means a model of Ollama"), ("es", "un modelo de Ollama")])
def test_a_name_with_two_meanings_is_answered_and_told(
    asked: Callable[..., Result], ollama: Ollama, language: str, word: str
) -> None:
    ollama.add("qwen3:4b", TINY)
    done = asked("chat", "-m", "qwen3:4b", "--max-tokens", "9", "hi", ABIERTO_LANGUAGE=language)
    assert (done.status, done.out) == (0, "abc")
    assert word in done.err
    assert "abierto pull qwen3:4b" in done.err
    shown = asked("show", "qwen3:4b")
    assert "kept by: Ollama" in shown.out
    assert "means a model of Ollama" in shown.err
    assert json.loads(asked("show", "qwen3:4b", "--json").out)["owner"] == "ollama"


def test_a_conversation_keeps_the_name_of_a_model_of_another_program(
    ollama: Ollama, person: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, value in {"HOME": str(person), "ABIERTO_OTHER_PROGRAMS": "yes", "HF_HOME": str(person)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OLLAMA_MODELS", str(ollama.folder))
    ollama.add("qwen3:4b", TINY)
    assert choose("qwen3:4b").name == "qwen3:4b"
    assert "means a model of Ollama" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("tiny:1", "ollama rm tiny:1"),
        ("ana/tiny/tiny", "My Models"),
        ("eva/Tiny/t.gguf", "hf cache rm model/eva/Tiny"),
        ("own", "own.gguf"),
    ],
)
def test_the_file_of_another_program_is_not_removed(
    asked: Callable[..., Result], person: Path, ollama: Ollama, tmp_path: Path, name: str, told: str
) -> None:
    files = [
        ollama.add("tiny:1", TINY),
        put(person, ".lmstudio/models/ana/Tiny/tiny.gguf", TINY),
        in_hub_cache(person / ".cache/huggingface/hub", "eva/Tiny", "t.gguf", TINY),
        put(tmp_path / "mine", "own.gguf", TINY),
    ]
    done = asked("remove", name, "--yes", ABIERTO_FOLDERS=str(tmp_path / "mine"))
    assert done.status == 2
    assert told in done.err
    assert all(file.read_bytes() == TINY for file in files)


@pytest.mark.model
def test_what_another_program_has_of_a_card_is_verified_and_not_fetched(
    asked: Callable[..., Result], ollama: Ollama, starter_path: Path
) -> None:
    nowhere = {"PIP_INDEX_URL": "http://127.0.0.1:9/simple", "PIP_NO_INDEX": "", "PIP_EXTRA_INDEX_URL": ""}
    blob = ollama.add("smollm2:135m", starter_path.read_bytes())
    pulled = asked("pull", "smollm2", **nowhere)
    assert pulled.status == 0, pulled.err
    assert "Ollama has this very file" in pulled.err
    assert "already here" in asked("pull", "smollm2:q4_1", **nowhere).err
    (listed,) = json.loads(asked("models", "--json").out)
    assert (listed["name"], listed["files"][0]["path"]) == ("smollm2:135m", str(blob))
    assert asked("remove", "smollm2:135m:q4_1", "--yes").status == 0
    assert blob.exists()


def test_a_blob_that_says_what_it_is_not_is_not_taken_for_the_cards(
    asked: Callable[..., Result], ollama: Ollama
) -> None:
    sha256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
    put(ollama.folder, f"blobs/sha256-{sha256}", TINY)
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": f"sha256:{sha256}", "size": len(TINY)}
    ollama.write("liar:1", {"layers": [layer]})
    done = asked("pull", "smollm2")
    assert done.status == 6
    assert "does not have the SHA-256" in done.err
    assert "smollm2:135m\t" not in asked("models").out


def test_the_form_that_suits_this_computer_is_chosen_and_told(capsys: pytest.CaptureFixture[str]) -> None:
    forms = {"q4_0": Weights("hf:a/b", "gguf", size=1000), "q8_0": Weights("hf:a/b", "gguf", size=2000)}
    huge = {form: Weights("hf:a/b", "gguf", size=size << 50) for form, size in (("q4_0", 1), ("q8_0", 2))}
    unknown = {form: Weights("hf:a/b", "gguf") for form in forms}
    cases = ((forms, "q8_0", "the best that fits"), (huge, "q4_0", "none fits"), (unknown, "q4_0", "not known"))
    for weights, form, reason in cases:
        card = Card("tiny:1b", "Tiny", "text-generation", weights=weights)
        choice = quantization.of_card(card)
        tell_choice(card, choice)
        assert choice.form == form
        said = capsys.readouterr().err
        assert reason in said
        assert f"tiny:1b:{'q4_0' if form == 'q8_0' else 'q8_0'}" in said
    single = Card("tiny:1b", "Tiny", "text-generation", weights={"q4_0": forms["q4_0"]})
    tell_choice(single, quantization.of_card(single))
    assert capsys.readouterr().err == ""


def test_a_form_that_no_card_has_lists_those_that_there_are(abierto: Abierto) -> None:
    for command in (("pull", "qwen3:q9_0"), ("show", "qwen3:q9_0"), ("chat", "-m", "qwen3:q9_0", "hi")):
        done = abierto(*command)
        assert done.status == 3
        assert "q4_k_m (2.5 GB)" in done.err
        assert "qwen3:4b:q4_k_m" in done.err


def test_looking_for_other_programs_reads_nothing_at_import(person: Path) -> None:
    code = "import sys, abierto.cli.chat; print(sorted({'psutil', 'platformdirs', 'yaml'} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
