"""Names that lead to other computers: which do, and which never."""

from pathlib import Path

import pytest

from abierto import config
from abierto.catalog.providers import PROVIDERS
from abierto.errors import (
    InvalidKey,
    InvalidSetting,
    KeyMissing,
    MissingFeature,
    NoEngineForFile,
    NotFoundError,
    RemotesOff,
    UnknownProvider,
)
from abierto.runtime import remotes
from abierto.runtime.choice import AUTO, candidates
from abierto.runtime.fit import plan
from abierto.runtime.model import load
from abierto.runtime.resolve import Target, resolve
from abierto.runtime.tune import tune
from abierto.store import keys

KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    """No key of whoever runs the tests, and no keyring."""
    for provider in PROVIDERS.values():
        monkeypatch.delenv(provider.variable, raising=False)
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", "keyring.backends.fail.Keyring")


def found(name: str, tmp_path: Path) -> Target:
    return resolve(name, tmp_path / "models")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_prefix_of_the_table_leads_to_its_provider(name: str, tmp_path: Path) -> None:
    target = found(f"{name}/maker/model-1:free", tmp_path)
    assert (target.format, target.files, target.vouched) == ("remote", (), False)
    assert target.remote
    assert (target.remote.provider, target.remote.model) == (PROVIDERS[name], "maker/model-1:free")
    assert target.remote.provider.address.startswith("https://")


@pytest.mark.parametrize("name", ["groq", "groq/", "Groq/x", "xgroq/x", "/groq/x", "grok/x", "qwen3:4b", "echo"])
def test_no_other_name_does(name: str, tmp_path: Path) -> None:
    assert remotes.find(name) is None


def test_a_file_of_that_name_is_nearer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "groq").mkdir()
    (tmp_path / "groq" / "model.gguf").write_bytes(b"GGUF")
    assert found("groq/model.gguf", tmp_path).remote is None


def test_computers_of_one_s_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABIERTO_REMOTES", "school=http://192.168.1.5:11435/v1/,lab=https://lab.example/v1")
    target = found("school/qwen3:4b", tmp_path)
    assert target.remote
    assert target.remote.provider.address == "http://192.168.1.5:11435/v1"
    assert target.remote.provider.host == "192.168.1.5:11435"
    assert target.remote.model == "qwen3:4b"
    assert remotes.key_of(target.remote.provider) == ""
    monkeypatch.setenv("ABIERTO_KEY_SCHOOL", KEY)
    assert remotes.key_of(target.remote.provider) == KEY
    with pytest.raises(NotFoundError):
        found("office/qwen3:4b", tmp_path)


@pytest.mark.parametrize(
    "entry",
    [
        "school", "=http://a/v1", "school=", "school=ftp://a/v1", "school=http://", "school=http://a b/v1",
        "school=http://user:secret@a/v1", "school=http://a/v1?key=1", "school=http://a:99999/v1", "groq=http://a/v1",
        "https=http://a/v1", "hf=http://a/v1", "a/b=http://a/v1", "School=http://a/v1", "school=http://[/v1",
    ],
)  # fmt: skip
def test_what_is_no_computer_of_one_s_own(entry: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABIERTO_REMOTES", entry)
    with pytest.raises(InvalidSetting):
        remotes.providers()


def test_it_is_never_the_model_when_none_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ABIERTO_MODEL", "groq/model")
    with pytest.raises(InvalidSetting):
        load()


def test_the_server_keeps_words_here_unless_the_settings_say_otherwise(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(RemotesOff):
        resolve("groq/model", tmp_path, anywhere=False)
    monkeypatch.setenv("ABIERTO_REMOTES_OVER_API", "yes")
    assert resolve("groq/model", tmp_path, anywhere=False).remote


def test_it_needs_no_memory_and_no_other_engine(tmp_path: Path) -> None:
    target = found("groq/model", tmp_path)
    settings = config.settings()
    assert plan(target, 0, settings).estimate == 0
    assert [variant.engine for variant in candidates(target, AUTO, settings, "one_shot")] == ["remote"]
    with pytest.raises(NoEngineForFile):
        candidates(target, "llamacpp", settings, "one_shot")


def test_measuring_is_refused(tmp_path: Path) -> None:
    """It would measure the network, and cost money."""
    with pytest.raises(MissingFeature):
        list(tune("groq/model"))


def test_without_a_key_nothing_is_asked(tmp_path: Path) -> None:
    with pytest.raises(KeyMissing) as caught:
        load("groq/model")
    assert caught.value.variable == "GROQ_API_KEY"


def test_the_variable_goes_before_the_key_that_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    keys.add(config.folders().config, "groq", "kept")
    assert remotes.key_of(PROVIDERS["groq"]) == "kept"
    monkeypatch.setenv("GROQ_API_KEY", f" {KEY}\n")
    assert remotes.key_of(PROVIDERS["groq"]) == KEY


@pytest.mark.parametrize("value", ["two words", "clave-ñ", "a\nb"])
def test_a_variable_that_holds_no_key(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setenv("GROQ_API_KEY", value)
    with pytest.raises(InvalidKey):
        load("groq/model")


def test_an_unknown_provider_is_told_with_those_that_are_known() -> None:
    with pytest.raises(UnknownProvider) as caught:
        remotes.provider("grok")
    assert caught.value.known == list(PROVIDERS)
    assert remotes.provider("groq/").name == "groq"


def test_the_table_says_where_each_fact_was_read() -> None:
    for name, provider in PROVIDERS.items():
        assert provider.name == name
        assert provider.documents
        assert provider.read
        assert provider.keys.startswith("https://")
        assert "chat" in provider.features
