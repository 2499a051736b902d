"""What a name means where several could answer to it: which one wins, what is said of the others."""

import shutil
from collections.abc import Iterable
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from abierto import catalog, config, errors
from abierto.catalog import Card, Weights
from abierto.runtime import model
from abierto.runtime.pulled import record_of, record_of_card
from abierto.runtime.resolve import resolve
from abierto.store import sources
from abierto.store.progress import PullProgress
from abierto.store.pull import pull
from tests.formats.test_split import split
from tests.store.foreign_trees import Ollama, in_hub_cache, put
from tests.tiny_gguf import TinyGGUF

TINY = TinyGGUF(says="abc").build()
OTHER = TinyGGUF(says="xyz").build()


@pytest.fixture
def models(home: Path) -> Path:
    """Where this test's models are."""
    return home / "data" / "models"


@pytest.fixture
def person(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The home folder of a person who may use other programs, and whose settings name a folder."""
    place = tmp_path / "person"
    for name in ("HF_HUB_CACHE", "HUGGINGFACE_HUB_CACHE", "HF_HOME", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(place))
    monkeypatch.setenv("OLLAMA_MODELS", str(place / "ollama"))
    monkeypatch.setenv("ABIERTO_OTHER_PROGRAMS", "yes")
    monkeypatch.setenv("ABIERTO_FOLDERS", str(place / "mine"))
    return place


@pytest.fixture
def ollama(person: Path) -> Ollama:
    """The folder of Ollama."""
    return Ollama(person / "ollama")


def _run(steps: Iterable[PullProgress]) -> None:
    for _ in steps:
        pass


def test_a_model_of_each_other_program_is_used_where_it_lies(person: Path, ollama: Ollama, models: Path) -> None:
    places = {
        "lumina:3b": ("ollama", ollama.add("lumina:3b", TINY)),
        "ana/Tiny/tiny.gguf": ("lm_studio", put(person, ".lmstudio/models/ana/Tiny/tiny.gguf", TINY)),
        "eva/Tiny/tiny": ("hub", in_hub_cache(person / ".cache/huggingface/hub", "eva/Tiny", "tiny.gguf", TINY)),
        "own": ("folder", put(person, "mine/below/own.gguf", TINY)),
    }
    for name, (owner, path) in places.items():
        target = resolve(name, models)
        assert (target.owner, target.files, target.vouched, target.claims) == (owner, (str(path),), False, ())
    assert not models.exists()


def test_a_model_of_another_program_answers_in_a_process_of_its_own(ollama: Ollama) -> None:
    ollama.add("tiny:1", TINY)
    with model.load("tiny:1") as loaded:
        assert loaded.name == "tiny:1"
        assert loaded.features >= {"chat"}


def test_the_projector_of_another_program_comes_along(person: Path, ollama: Ollama, models: Path) -> None:
    ollama.add("eyes:1", TINY, projector=b"GGUF eyes")
    beside = put(person, ".lmstudio/models/ana/Eyes/mmproj-eyes.gguf", b"GGUF")
    put(person, ".lmstudio/models/ana/Eyes/eyes.gguf", TINY)
    assert resolve("eyes:1", models).projector == str(ollama.blob(b"GGUF eyes"))
    assert resolve("ana/Eyes/eyes", models).projector == str(beside)


def test_other_programs_can_be_left_alone(ollama: Ollama, models: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ollama.add("tiny:1", TINY)
    monkeypatch.setenv("ABIERTO_OTHER_PROGRAMS", "no")
    with pytest.raises(errors.UnknownModel):
        resolve("tiny:1", models)


def test_a_pulled_model_goes_before_one_of_another_program(ollama: Ollama, models: Path, tmp_path: Path) -> None:
    blob = ollama.add("mine:latest", OTHER)
    _run(pull(sources.parse(f"file:{put(tmp_path, 'a.gguf', TINY)}"), "mine", models))
    target = resolve("mine", models)
    (claim,) = target.claims
    assert target.record == "mine"
    assert (claim.winner, claim.other, claim.command) == ("pulled", "ollama", f"abierto chat -m file:{blob}")
    assert resolve(f"file:{blob}", models).files == (str(blob),)


def test_the_same_content_twice_is_no_question(ollama: Ollama, models: Path, tmp_path: Path) -> None:
    ollama.add("mine:latest", TINY)
    _run(pull(sources.parse(f"file:{put(tmp_path, 'a.gguf', TINY)}"), "mine", models))
    assert resolve("mine", models).claims == ()


def test_what_is_here_goes_before_a_card_that_is_not(ollama: Ollama, models: Path) -> None:
    blob = ollama.add("qwen3:4b", TINY)
    target = resolve("qwen3:4b", models)
    (claim,) = target.claims
    assert (target.files, target.card) == ((str(blob),), None)
    assert (claim.winner, claim.other, claim.reason, claim.command) == (
        "ollama",
        "card",
        "here",
        "abierto pull qwen3:4b",
    )


def test_two_other_programs_are_asked_in_one_order(person: Path, ollama: Ollama, models: Path) -> None:
    ollama.add("own:latest", TINY)
    second = put(person, "mine/own.gguf", OTHER)
    target = resolve("own", models)
    assert target.owner == "ollama"
    assert [claim.command for claim in target.claims] == [f"abierto chat -m file:{second}"]


def test_a_file_goes_before_a_card_and_says_so(models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    put(tmp_path, "smollm2", TINY)
    (claim,) = resolve("smollm2", models).claims
    assert (claim.winner, claim.other, claim.command) == ("file", "card", "abierto chat -m smollm2:135m")


def test_a_damaged_model_of_another_program_does_not_stand_in_a_cards_way(ollama: Ollama, models: Path) -> None:
    ollama.write("qwen3:4b", b"no JSON")
    with pytest.raises(errors.ModelNotPulled):
        resolve("qwen3:4b", models)
    ollama.write("nocard:1", b"no JSON")
    with pytest.raises(errors.CorruptFile):
        resolve("nocard:1", models)


@pytest.mark.parametrize("name", ["qwen3:4b", "nocard:1"])
def test_a_blob_that_is_being_written_is_told(ollama: Ollama, models: Path, name: str) -> None:
    blob = ollama.add(name, TINY)
    partial = blob.rename(f"{blob}-partial")
    with pytest.raises(errors.BeingDownloaded):
        resolve(name, models)
    with pytest.raises(errors.BeingDownloaded):
        resolve(str(partial), models)


def test_a_blob_that_is_no_model_is_told(ollama: Ollama, models: Path) -> None:
    ollama.add("page:1", b"<!DOCTYPE html><html></html>")
    with pytest.raises(errors.NotAModel):
        resolve("page:1", models)


def test_near_names_are_those_of_other_programs_too(ollama: Ollama, models: Path) -> None:
    ollama.add("lumina-nemo:12b", TINY)
    with pytest.raises(errors.UnknownModel) as caught:
        resolve("lumina-nem:12b", models)
    assert "lumina-nemo:12b" in caught.value.nearest


def test_a_source_of_the_hub_is_found_in_the_cache(person: Path, models: Path) -> None:
    cache = person / ".cache/huggingface/hub"
    shown = in_hub_cache(cache, "ana/Tiny", "Tiny-Q8_0.gguf", TINY)
    assert resolve("hf:ana/Tiny", models).files == (str(shown),)
    in_hub_cache(cache, "ana/Tiny", "Tiny-Q4_0.gguf", OTHER)
    assert resolve("hf:ana/Tiny:q8_0", models).files == (str(shown),)
    assert resolve("ana/Tiny:Q8_0", models).files == (str(shown),)
    for several in ("hf:ana/Tiny", "ana/Tiny"):
        with pytest.raises(errors.AmbiguousFile) as caught:
            resolve(several, models)
        assert set(caught.value.choices) == {"Q4_0", "Q8_0"}
    for absent in ("hf:ana/Tiny:Q2_K", "hf:ana/Tiny@v2:Q8_0", "hf:ana/Other"):
        with pytest.raises(errors.ModelNotPulled):
            resolve(absent, models)


@pytest.mark.model
def test_the_file_of_a_card_is_used_from_another_program(
    person: Path, ollama: Ollama, models: Path, starter_path: Path
) -> None:
    content = starter_path.read_bytes()
    assert catalog.cards()["smollm2:135m"].weights["q4_1"].sha256 == sha256(content).hexdigest()
    blob = ollama.add("another-name:1", content)
    target = resolve("smollm2", models)
    assert (target.name, target.files, target.vouched) == ("smollm2:135m", (str(blob),), False)
    assert target.card
    assert resolve("smollm2:Q4_1", models).name == "smollm2:135m:q4_1"
    shutil.rmtree(ollama.folder)
    with pytest.raises(errors.ModelNotPulled):
        resolve("smollm2", models)


def test_a_form_of_a_card_by_any_name_in_any_capitals(models: Path) -> None:
    for name in ("qwen3:4b:q4_k_m", "QWEN3:Q4_K_M", "qwen3-4b:q4_k_m"):
        with pytest.raises(errors.ModelNotPulled) as caught:
            resolve(name, models)
        assert caught.value.name == "qwen3:4b:q4_k_m"


def test_a_form_that_no_card_has_is_told_with_those_that_it_has(models: Path) -> None:
    with pytest.raises(errors.UnknownQuantization) as caught:
        resolve("qwen3:q9_0", models)
    assert caught.value.choices["q4_k_m"] == 2497280256
    with pytest.raises(errors.UnknownModel):
        resolve("qwen3:9000b", models)


def test_of_the_pulled_forms_of_a_card_the_largest_that_fits_is_meant(models: Path, tmp_path: Path) -> None:
    small, large = put(tmp_path, "small.gguf", TINY), put(tmp_path, "large.gguf", OTHER)
    forms = {
        "q4": Weights(f"file:{small}", "gguf", size=1000),
        "q8": Weights(f"file:{large}", "gguf", size=2000),
        "huge": Weights("file:/nowhere", "gguf", size=1 << 60),
    }
    card = Card("two:1b", "Two", "text-generation", weights=forms)
    assert record_of_card(card, "", models) is None
    _run(pull(sources.parse(f"file:{small}"), "two:1b:q4", models))
    assert found(card, "", models) == "two:1b:q4"
    _run(pull(sources.parse(f"file:{large}"), "two:1b:q8", models))
    assert found(card, "", models) == "two:1b:q8"
    assert found(card, "q4", models) == "two:1b:q4"
    _run(pull(sources.parse(f"file:{small}"), "two:1b", models))
    assert found(card, "", models) == "two:1b"
    assert record_of_card(card, "huge", models) is None


def test_a_form_is_also_what_a_pull_chose_by_itself(models: Path, tmp_path: Path) -> None:
    path = put(tmp_path, "small.gguf", TINY)
    by_source = Card("a:1", "A", "text-generation", weights={"q4": Weights(f"file:{path}", "gguf")})
    by_hash = replace(by_source, weights={"q4": Weights("file:/x", "gguf", sha256=sha256(TINY).hexdigest())})
    _run(pull(sources.parse(f"file:{path}"), "a:1", models))
    for card in (by_source, by_hash):
        assert found(card, "q4", models) == "a:1"


def found(card: Card, form: str, models: Path) -> str:
    """The name of the record that a card's form leads to."""
    record = record_of_card(card, form, models)
    assert record
    return record.name


def test_a_split_model_is_opened_with_all_its_parts(models: Path, tmp_path: Path) -> None:
    first, second = split(tmp_path)
    for name in (first, second, f"file:{second}"):
        assert resolve(name, models).files == (first, second)
    _run(pull(sources.parse(f"file:{first}"), "both", models))
    record = record_of("both", models)
    assert record
    assert [str(file.path) for file in record.files] == [first, second]
    with model.load("both") as loaded:
        assert loaded.context == 512


def test_a_split_model_with_a_missing_part_is_told_before_any_engine_starts(models: Path, tmp_path: Path) -> None:
    first, second = split(tmp_path)
    Path(second).unlink()
    for attempt in (lambda: resolve(first, models), lambda: _run(pull(sources.parse(f"file:{first}"), "m", models))):
        with pytest.raises(errors.PartMissing) as caught:
            attempt()
        assert caught.value.path == second
    alone = Path(first).rename(tmp_path / "alone.gguf")
    with pytest.raises(errors.PartMissing):
        model.load(str(alone))


def test_an_architecture_that_no_engine_knows_is_named(tmp_path: Path) -> None:
    facts = {name.replace("llama", "mamba9"): fact for name, fact in TinyGGUF()._facts().items() if "llama" in name}
    path = TinyGGUF(metadata={**facts, "general.architecture": "mamba9"}).write(tmp_path / "new.gguf")
    with pytest.raises(errors.UnknownArchitecture) as caught:
        model.load(str(path))
    assert (caught.value.model, caught.value.architecture) == ("new.gguf", "mamba9")
    assert any(tried.startswith("llamacpp (xllamacpp 20") for tried in caught.value.tried)
    with pytest.raises(errors.UnknownArchitecture) as caught:
        model.load(str(path), engine="llamacpp")
    assert {tried.split()[0] for tried in caught.value.tried} == {"llamacpp"}


def test_a_model_of_another_program_that_no_engine_loads_is_called_by_its_name(ollama: Ollama) -> None:
    ollama.add("odd:1", TinyGGUF(tensors={"output_norm.weight": None}).build())
    with pytest.raises(errors.LoadFailed) as caught:
        model.load("odd:1")
    assert caught.value.model == "odd:1"
    assert caught.value.detail


def test_the_places_of_other_programs_follow_their_variables(tmp_path: Path) -> None:
    home = {"ABIERTO_HOME": str(tmp_path), "HOME": "/home/ana"}
    places = config.places(environment=home)
    assert places.ollama[0] == Path("/home/ana/.ollama/models")
    assert places.hub == (Path("/home/ana/.cache/huggingface/hub"),)
    moved = {"OLLAMA_MODELS": "/big/ollama", "HF_HOME": "/big/hf"}
    places = config.places(environment={**home, **moved})
    assert (places.ollama, places.hub) == ((Path("/big/ollama"),), (Path("/big/hf/hub"),))
    assert config.places(environment={**home, "HF_HUB_CACHE": "/big/cache"}).hub == (Path("/big/cache"),)
    assert config.places(environment={**home, "XDG_CACHE_HOME": "/c"}).hub == (Path("/c/huggingface/hub"),)


def test_a_model_of_another_task_is_refused_before_it_is_fetched() -> None:
    with pytest.raises(errors.NoChatModel) as caught:
        model.load("whisper:tiny")
    assert caught.value.facts == {"name": "whisper:tiny", "task": "automatic-speech-recognition"}
