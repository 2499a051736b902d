"""The names of the files that one model is split over, and what their headers say of each other."""

from pathlib import Path

import pytest

from abierto import errors
from abierto.formats.gguf import read_header, read_parts
from abierto.formats.split import first_parts, part_names, whole_name
from tests.tiny_gguf import Tensor, TinyGGUF, Typed


def split(folder: Path, numbers: tuple[int, ...] = (0, 1)) -> list[str]:
    """A tiny model in two files; `numbers`: which part each says it is."""
    whole = TinyGGUF()
    weights = whole._weights()
    names = list(weights)
    paths = []
    for place, kept in enumerate((names[:10], names[10:])):
        numbered = {"split.no": Typed("u16", numbers[place]), "split.count": Typed("u16", 2)}
        numbered["split.tensors.count"] = Typed("i32", len(names))
        without: dict[str, Tensor | None] = {name: None for name in names if name not in kept}
        facts = dict.fromkeys(("general.architecture",)) if place else {}
        path = folder / f"m-0000{place + 1}-of-00002.gguf"
        paths.append(str(TinyGGUF(metadata={**numbered, **facts}, tensors=without).write(path)))
    return paths


@pytest.mark.parametrize("name", ["a.gguf", "a-00001-of-00001.gguf", "a-00001-of-99999.gguf", "a-1-of-2.gguf", "x"])
def test_a_whole_file_has_no_parts(name: str) -> None:
    assert part_names(name) == ()
    assert whole_name(name) == name


def test_every_part_leads_to_all() -> None:
    names = ("a-00001-of-00002.GGUF", "a-00002-of-00002.GGUF")
    assert part_names(names[1]) == names
    assert whole_name(names[1]) == "a.GGUF"
    assert first_parts([names[1], "b.gguf"]) == {names[0]: names, "b.gguf": ("b.gguf",)}


def test_the_memory_of_a_split_model_is_that_of_all_parts(tmp_path: Path) -> None:
    whole = read_header(TinyGGUF().write(tmp_path / "whole.gguf"))
    parts = read_parts(split(tmp_path))
    assert parts.weights_size == whole.weights_size
    assert parts.file_size > whole.file_size


def test_a_first_part_alone_is_not_taken_for_the_model(tmp_path: Path) -> None:
    first, _ = split(tmp_path)
    alone = Path(first).rename(tmp_path / "renamed.gguf")
    with pytest.raises(errors.PartMissing) as caught:
        read_parts([str(alone)])
    assert caught.value.path.endswith("renamed-00002-of-00002.gguf")


def test_parts_in_each_others_place_are_told(tmp_path: Path) -> None:
    with pytest.raises(errors.CorruptFile) as caught:
        read_parts(split(tmp_path, (1, 1)))
    assert caught.value.fault == "parts_disagree"
