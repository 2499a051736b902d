"""A model of a hub from the command line: pulled, talked to by its name and by its source, and removed."""

import json
from pathlib import Path

import pytest

from tests.cli.conftest import Abierto
from tests.recipes.published import Published
from tests.store.conftest import hub
from tests.store.stand_in_hub import StandInHub
from tests.tiny_gguf import TinyGGUF
from tests.tiny_openvino import write_openvino
from tests.tiny_projector import TinyProjector, png

__all__ = ["hub"]
SOURCE = "hf:ana/Tiny-GGUF:Q8_0"


@pytest.fixture
def weights(hub: StandInHub) -> bytes:
    """What the hub has of a model that always says the same."""
    body = TinyGGUF(says="Hé 你🙂.").build()
    hub.add("ana/Tiny-GGUF", {"Tiny-Q8_0.gguf": body, "Tiny-Q4_K_M.gguf": b"other"})
    return body


def test_pull_chat_and_remove(abierto: Abierto, weights: bytes, tmp_path: Path) -> None:
    early = abierto("chat", "-m", SOURCE, "hola")
    assert early.status == 3
    assert f"abierto pull {SOURCE}" in early.err
    done = abierto("pull", SOURCE)
    assert done.status == 0, done.err
    assert abierto("models").out.split("\t")[0] == "tiny-q8_0"
    (line,) = abierto("models", ABIERTO_OTHER_PROGRAMS="yes", HOME=str(tmp_path), OLLAMA_MODELS="").out.splitlines()
    assert line.split("\t")[0] == "tiny-q8_0"  # not once more as a model of the hub's cache
    for name in ("tiny-q8_0", SOURCE):
        answer = abierto("chat", "-m", name, "--max-tokens", "20", "hola")
        assert answer.out.strip() == "Hé 你🙂.", answer.err
    assert "already here" in abierto("pull", SOURCE).err
    removed = abierto("remove", "tiny-q8_0", "--yes")
    assert removed.status == 0
    assert not list((tmp_path / "huggingface").rglob("blobs/*"))


def test_a_model_of_openvino(abierto: Abierto, hub: StandInHub, tmp_path: Path) -> None:
    folder = write_openvino(tmp_path / "made", TinyGGUF(says="Hé 你🙂.", dtype="f16"))
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    hub.add("OpenVINO/Tiny-int4-ov", files, git=frozenset({"config.json"}))
    done = abierto("pull", "hf:OpenVINO/Tiny-int4-ov")
    assert done.status == 0, done.err
    assert abierto("models").out.split("\t")[0] == "tiny-int4-ov"
    assert abierto("pull", f"file:{folder}", "--name", "here").status == 0
    for name in ("tiny-int4-ov", "hf:OpenVINO/Tiny-int4-ov", "here", str(folder)):
        answer = abierto("chat", "-m", name, "hola")
        assert answer.out.strip() == "Hé 你🙂.", answer.err
    shown = abierto("show", "tiny-int4-ov")
    assert (shown.status, "512" in shown.out, "openvino_model.xml" in shown.out) == (0, True, True)
    assert abierto("chat", "-m", "here", "--engine", "llamacpp", "hola").status == 4
    (folder / "openvino_model.bin").unlink()
    missing = abierto("chat", "-m", str(folder), "hola")
    assert missing.status == 4
    assert "openvino_model.bin" in missing.err


def test_a_model_that_no_engine_here_reads(abierto: Abierto, hub: StandInHub) -> None:
    header = b'{"__metadata__": {}}'
    weights = len(header).to_bytes(8, "little") + header
    hub.add("ana/listener-tiny", {"model.safetensors": weights, "config.json": b"{}", "pytorch_model.bin": b"x"})
    done = abierto("pull", "hf:ana/listener-tiny")
    assert done.status == 0, done.err
    answer = abierto("chat", "-m", "listener-tiny", "hola")
    assert answer.status == 4
    assert "safetensors" in answer.err
    shown = abierto("show", "listener-tiny")
    assert (shown.status, "model.safetensors" in shown.out) == (0, True)
    assert abierto("remove", "listener-tiny", "--yes").status == 0


def test_a_model_that_sees_comes_with_what_it_sees_with(abierto: Abierto, hub: StandInHub, tmp_path: Path) -> None:
    model = TinyGGUF(says="Hé 你🙂.", dtype="f16", context=1024).build()
    files = {"Tiny-Q8_0.gguf": model, "mmproj-F16.gguf": TinyProjector().build()}
    hub.add("ana/Tiny-GGUF", files)
    photo = tmp_path / "photo.png"
    photo.write_bytes(png())
    done = abierto("pull", SOURCE)
    assert "sees images" in done.err, done.err
    assert "already here" in abierto("pull", SOURCE).err
    answer = abierto("chat", "-m", "tiny-q8_0", "--json", "What is this?", "--image", str(photo))
    assert answer.status == 0, answer.err
    body = json.loads(answer.out)
    assert (body["text"], body["images"]) == ("Hé 你🙂.", [str(photo)])
    [listed] = json.loads(abierto("models", "--json").out)
    assert [Path(file["path"]).name for file in listed["files"]] == list(files)
    place = Path(listed["projector"])
    assert place == Path(listed["files"][1]["path"])
    place.unlink()
    gone = abierto("chat", "-m", "tiny-q8_0", "hola")
    assert gone.status == 3
    assert "pull it again" in gone.err
    assert abierto("pull", SOURCE).status == 0
    assert place.is_file()


def test_a_published_model_is_converted_by_its_source_or_its_name(
    abierto: Abierto, hub: StandInHub, tmp_path: Path
) -> None:
    source = "hf:ana/Tiny-Model"
    early = abierto("convert", source)
    assert early.status == 3
    assert f"abierto pull {source}" in early.err
    folder = Published().write(tmp_path / "Tiny-Model")
    hub.add("ana/Tiny-Model", {path.name: path.read_bytes() for path in folder.iterdir()})
    assert abierto("pull", source).status == 0
    for name in (source, "tiny-model"):
        done = abierto("convert", name, "--name", f"made-of-{len(name)}")
        assert done.status == 0, done.err
        assert abierto("chat", "-m", f"made-of-{len(name)}", "--max-tokens", "3", "hello").status == 0


@pytest.mark.parametrize(("language", "word"), [("en", "several"), ("es", "varios")])
def test_several_quantisations_are_listed_with_their_sizes(
    language: str, word: str, abierto: Abierto, weights: bytes
) -> None:
    done = abierto("pull", "hf:ana/Tiny-GGUF", ABIERTO_LANGUAGE=language)
    assert done.status == 3
    assert word in done.err
    assert "Q4_K_M (5 B)" in done.err
    assert "abierto pull hf:ana/Tiny-GGUF:Q8_0" in done.err  # the larger one, and it fits


def test_a_gated_model_explains_what_to_do(abierto: Abierto, hub: StandInHub) -> None:
    hub.add("ana/Closed", {"a.gguf": b"x"}, gated=True)
    done = abierto("pull", "hf:ana/Closed")
    assert done.status == 6
    assert f"{hub.address}/ana/Closed" in done.err
    assert "HF_TOKEN" in done.err


def test_a_model_that_is_not_here_is_inspected_from_afar(abierto: Abierto, hub: StandInHub, tmp_path: Path) -> None:
    body = TinyGGUF().build()
    hub.add("ana/Tiny-GGUF", {"Tiny-Q8_0.gguf": body, "Tiny-Q4_K_M.gguf": b"other", "use.py": b"import os"})
    found = abierto("inspect", SOURCE)
    assert found.status == 0, found.err
    assert "blk.0-1 x 2" in found.out
    assert "use.py: It is a program" in found.out
    assert "Q4_K_M" not in found.out
    told = json.loads(abierto("inspect", "hf:ana/Tiny-GGUF", "--json").out)
    assert {file["name"] for file in told["files"]} == {"Tiny-Q8_0.gguf", "Tiny-Q4_K_M.gguf", "use.py"}
    assert told["fetched"] > 0
    assert not list((tmp_path / "huggingface").rglob("blobs/*"))
    assert abierto("inspect", "hf:ana/nothing").status == 6
