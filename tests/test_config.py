"""Settings come from the environment, then the file, then the defaults; a bad one is named, never ignored."""

import os
from pathlib import Path

import pytest

from abierto import config
from abierto.errors import InvalidSetting


def test_one_variable_puts_everything_into_one_place(tmp_path: Path) -> None:
    folders = config.folders({"ABIERTO_HOME": str(tmp_path / "mine")})
    assert (folders.data, folders.config) == (tmp_path / "mine" / "data", tmp_path / "mine")
    assert folders.models.is_relative_to(folders.data)


def test_environment_wins_over_file_over_default(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('language = "es"\ncontext = 1024\nkeep_conversations = false\n')
    environment = {"ABIERTO_HOME": str(tmp_path), "ABIERTO_CONTEXT": "2048"}
    found = config.settings(environment)
    assert (found.language, found.context, found.keep_conversations, found.engine) == ("es", 2048, False, "auto")


def test_folders_are_a_list_in_the_file_and_a_path_in_the_environment(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text('folders = ["/a", "~/b"]\n')
    environment = {"ABIERTO_HOME": str(tmp_path)}
    assert config.settings(environment).folders == ("/a", "~/b")
    assert config.places(environment=environment).folders == (Path("/a"), Path.home() / "b")
    environment["ABIERTO_FOLDERS"] = f"/c{os.pathsep}{os.pathsep}/d"
    assert config.settings(environment).folders == ("/c", "/d")


@pytest.mark.parametrize(
    "written",
    ["folders = [1]", 'folders = "/a"', 'context = "long"', "context = true", "nonsense = 1", "context = ", "\x00"],
    ids=["a list of numbers", "no list", "wrong type", "a switch for a number", "unknown", "no TOML", "no text"],
)
def test_a_bad_file_is_named(tmp_path: Path, written: str) -> None:
    (tmp_path / "config.toml").write_text(written)
    with pytest.raises(InvalidSetting) as caught:
        config.settings({"ABIERTO_HOME": str(tmp_path)})
    assert caught.value.where == str(tmp_path / "config.toml")


def test_a_bad_variable_is_named(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting) as caught:
        config.settings({"ABIERTO_HOME": str(tmp_path), "ABIERTO_KEEP_CONVERSATIONS": "perhaps"})
    assert caught.value.setting == "ABIERTO_KEEP_CONVERSATIONS"


def test_the_language_is_asked_for_in_the_order_of_posix() -> None:
    assert config.system_language({"LANG": "es_ES.UTF-8", "LC_ALL": "en_GB.UTF-8"}) == "en_GB.UTF-8"
    assert config.system_language({"LANG": "es_ES.UTF-8", "LC_ALL": ""}) == "es_ES.UTF-8"


def test_a_switch_is_changed_and_the_rest_of_the_file_stays(tmp_path: Path) -> None:
    environment = {"ABIERTO_HOME": str(tmp_path / "new")}
    config.change("remotes_over_api", True, environment)
    assert config.settings(environment).remotes_over_api
    written = '# mine\ncontext = 1024\n"remotes_over_api" = true\nremotes = ["a=http://b"]\n'
    (tmp_path / "new" / "config.toml").write_text(written)
    config.change("remotes_over_api", False, environment)
    found = config.settings(environment)
    assert (found.remotes_over_api, found.context, found.remotes) == (False, 1024, ("a=http://b",))
    assert "# mine" in (tmp_path / "new" / "config.toml").read_text()


def test_a_bad_file_is_not_written_over(tmp_path: Path) -> None:
    (tmp_path / "config.toml").write_text("context = ")
    with pytest.raises(InvalidSetting):
        config.change("remotes_over_api", True, {"ABIERTO_HOME": str(tmp_path)})
    assert (tmp_path / "config.toml").read_text() == "context = "
