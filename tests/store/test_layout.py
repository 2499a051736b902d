"""Names of models as names of folders: safe everywhere, and told apart everywhere."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from abierto.store import layout


@pytest.mark.parametrize(
    ("name", "directory"),
    [
        ("smollm2:135m", "smollm2%3A135m"),
        ("qwen3.5", "qwen3.5"),
        ("org/model", "org%2Fmodel"),
        ("..", "%2E%2E"),
        (".hidden", "%2Ehidden"),
        ("con", "%63on"),
        ("com1.gguf", "%63om1.gguf"),
        ("console", "console"),
        ("Big", "%42ig"),
        ("niño", "ni%C3%B1o"),
    ],
)
def test_folder_of_a_model(name: str, directory: str) -> None:
    assert layout.directory_name(name) == directory
    assert layout.model_name(directory) == name


@given(st.text(min_size=1))
def test_every_name_comes_back(name: str) -> None:
    directory = layout.directory_name(name)
    assert layout.model_name(directory) == name
    assert re.fullmatch(r"[a-z0-9_+=@%A-F-][a-z0-9_+=@%.A-F-]*", directory)
    assert not directory.endswith(".")


@given(st.text(min_size=1), st.text(min_size=1))
def test_no_two_names_share_a_folder(one: str, other: str) -> None:
    same = layout.directory_name(one).lower() == layout.directory_name(other).lower()
    assert same == (one == other)


@pytest.mark.parametrize("directory", [".locks", "Big", "a:b", "%", "%zz", "%ff", "%FF", "a%2Eb", "ñ", "con"])
def test_other_folders_are_no_models(directory: str) -> None:
    assert layout.model_name(directory) is None


@pytest.mark.parametrize("filename", ["model.json", ".partial", "nul.gguf", "a.", "a "])
def test_names_that_a_file_cannot_keep(filename: str) -> None:
    assert not layout.is_plain_filename(filename)
    assert layout.is_plain_filename(f"0123abcd-{filename}x")
