"""Which file is a projector, and which model it fits: told before an engine opens either."""

from pathlib import Path

import pytest

from abierto.errors import CorruptFile, NotAModel, NotAProjector, ProjectorIsNoModel, ProjectorMismatch
from abierto.formats import projector
from abierto.formats.gguf import read_header
from tests.tiny_gguf import Tensor, TinyGGUF
from tests.tiny_projector import TinyProjector


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return TinyGGUF(metadata={"general.basename": "Tiny-Chat"}).write(tmp_path / "tiny.gguf")


def test_a_projector_that_fits(model: Path) -> None:
    path = TinyProjector().write(model.with_name("mmproj-tiny.gguf"))
    assert projector.check(read_header(model), str(model), str(path)).architecture == "clip"


def test_a_projector_of_a_wider_model_names_both(model: Path) -> None:
    path = TinyProjector(embedding=96).write(model.with_name("mmproj-wide.gguf"))
    with pytest.raises(ProjectorMismatch) as told:
        projector.check(read_header(model), str(model), str(path))
    assert told.value.facts == {
        "path": str(path),
        "model": "tiny.gguf",
        "projector_width": 96,
        "model_width": 64,
    }


def test_an_old_projector_is_known_by_its_last_tensor(model: Path) -> None:
    path = TinyProjector(metadata={"clip.vision.projection_dim": 768}).write(model.with_name("mmproj-old.gguf"))
    projector.check(read_header(model), str(model), str(path))
    other = TinyProjector(embedding=96, metadata={"clip.vision.projection_dim": 768}).write(path)
    with pytest.raises(ProjectorMismatch):
        projector.check(read_header(model), str(model), str(other))


def test_a_model_is_no_projector_and_a_projector_no_model(model: Path) -> None:
    header = read_header(model)
    with pytest.raises(NotAProjector) as told:
        projector.check(header, str(model), str(model))
    assert told.value.architecture == "llama"
    path = TinyProjector().write(model.with_name("mmproj-tiny.gguf"))
    projector.refuse(header, str(model))
    with pytest.raises(ProjectorIsNoModel):
        projector.refuse(read_header(path), str(path))


def test_a_projector_that_is_no_gguf_or_cut_short(model: Path) -> None:
    path = model.with_name("mmproj.gguf")
    path.write_bytes(b"{}")
    with pytest.raises(NotAModel):
        projector.check(read_header(model), str(model), str(path))
    path.write_bytes(TinyProjector().build()[:-400])
    with pytest.raises(CorruptFile):
        projector.check(read_header(model), str(model), str(path))
    liar = {"v.patch_embd.weight": Tensor((8, 8, 3, 16), "f32", bytes(12288), offset=2**40)}
    path.write_bytes(TinyProjector(tensors=liar).build())
    with pytest.raises(CorruptFile):
        projector.check(read_header(model), str(model), str(path))


def test_the_only_one_beside_that_fits_is_found(model: Path) -> None:
    assert projector.beside(str(model)) == ""
    TinyProjector(embedding=96).write(model.with_name("mmproj-wide.gguf"))
    TinyGGUF().write(model.with_name("no-mmproj-at-all.gguf"))
    assert projector.beside(str(model)) == ""
    mine = TinyProjector(metadata={"general.basename": "tiny_chat"}).write(model.with_name("Tiny-mmproj-F16.gguf"))
    assert projector.beside(str(model)) == str(mine)
    TinyProjector(metadata={"general.basename": "Other-Model"}).write(model.with_name("mmproj-other.gguf"))
    assert projector.beside(str(model)) == str(mine)
    TinyProjector().write(model.with_name("mmproj-second.gguf"))
    assert projector.beside(str(model)) == ""
