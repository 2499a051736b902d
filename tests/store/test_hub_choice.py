"""Which file of a repository is meant."""

import pytest

from abierto.errors import AmbiguousFile, FileNotInRepository
from abierto.store import sources
from abierto.store.hub_choice import HubFile, choose
from abierto.store.sources import HubSource

UNSLOTH = ["a-Q4_K_M.gguf", "a-Q4_K_S.gguf", "a-UD-Q4_K_XL.gguf", "a-Q8_0.gguf", "a-BF16.gguf", "mmproj-F16.gguf"]
FOLDERS = ["Q4/a-00001-of-00002.gguf", "Q4/a-00002-of-00002.gguf", "Q8/a.gguf", "a.gguf"]


def chosen(pattern: str, paths: list[str]) -> list[str]:
    source = sources.parse("hf:ana/a" + (f":{pattern}" if pattern else ""))
    assert isinstance(source, HubSource)
    return [file.path for file in choose(source, [HubFile(path, len(path), None, "") for path in paths])]


@pytest.mark.parametrize(
    ("pattern", "paths", "expected"),
    [
        ("", ["a-Q4_0.gguf"], ["a-Q4_0.gguf"]),
        ("", ["a-Q4_0.gguf", "mmproj-a.gguf", "imatrix.gguf"], ["a-Q4_0.gguf"]),
        ("", ["mmproj-a.gguf"], ["mmproj-a.gguf"]),
        ("", FOLDERS[:2], FOLDERS[:2]),
        ("Q4_K_M", UNSLOTH, ["a-Q4_K_M.gguf"]),
        ("q4_k_m", UNSLOTH, ["a-Q4_K_M.gguf"]),
        ("UD-Q4_K_XL", UNSLOTH, ["a-UD-Q4_K_XL.gguf"]),
        ("bf16", UNSLOTH, ["a-BF16.gguf"]),
        ("*q8*", UNSLOTH, ["a-Q8_0.gguf"]),
        ("mmproj*", UNSLOTH, ["mmproj-F16.gguf"]),
        ("a-Q8_0.gguf", UNSLOTH, ["a-Q8_0.gguf"]),
        # A file at the top is meant by its name alone, though another folder has one of the same name.
        ("a.gguf", FOLDERS, ["a.gguf"]),
        ("Q8/a.gguf", FOLDERS, ["Q8/a.gguf"]),
        ("Q4/*", FOLDERS, FOLDERS[:2]),
        ("Q4/a-00002-of-00002.gguf", FOLDERS, FOLDERS[:2]),
        ("a[1].gguf", ["a[1].gguf", "a1.gguf"], ["a[1].gguf"]),
    ],
)
def test_what_is_meant(pattern: str, paths: list[str], expected: list[str]) -> None:
    assert chosen(pattern, paths) == expected


@pytest.mark.parametrize(
    ("pattern", "paths", "choices"),
    [
        ("", UNSLOTH, ["BF16", "Q8_0", "Q4_K_M", "Q4_K_S", "UD-Q4_K_XL"]),
        ("*Q4_K*", UNSLOTH, ["Q4_K_M", "Q4_K_S", "UD-Q4_K_XL"]),
        # Where the quantisation alone does not tell them apart.
        ("", ["a-Q8_0.gguf", "ab-Q8_0.gguf"], ["a-Q8_0.gguf", "ab-Q8_0.gguf"]),
        ("", FOLDERS, ["a.gguf", "Q8/a.gguf", "Q4/a-00001-of-00002.gguf"]),
    ],
)
def test_several_are_listed_the_smallest_first(pattern: str, paths: list[str], choices: list[str]) -> None:
    with pytest.raises(AmbiguousFile) as raised:
        chosen(pattern, paths)
    assert list(raised.value.choices) == choices
    assert raised.value.source == "hf:ana/a"
    # What is listed can be typed.
    for choice in choices:
        assert chosen(choice, paths)


@pytest.mark.parametrize(
    ("pattern", "paths", "missing"),
    [
        ("", [], "*.gguf"),
        ("Q2_K", UNSLOTH, "Q2_K"),
        ("*.bin", UNSLOTH, "*.bin"),
        ("", ["a-00002-of-00002.gguf"], "a-00001-of-00002.gguf"),
        ("a-00001-of-00003.gguf", ["a-00001-of-00003.gguf", "a-00002-of-00003.gguf"], "a-00003-of-00003.gguf"),
    ],
)
def test_what_is_missing_is_named(pattern: str, paths: list[str], missing: str) -> None:
    with pytest.raises(FileNotInRepository) as raised:
        chosen(pattern, paths)
    assert raised.value.path == missing
    assert set(raised.value.nearest) <= set(paths)
    assert bool(raised.value.nearest) == bool(paths)
