"""What other programs keep on this disk: found by their names, never changed, and nothing hostile in it is followed."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from abierto import errors
from abierto.config import Places
from abierto.store import elsewhere, lm_studio, model_folder, ollama
from abierto.store.foreign import ForeignModel, trouble
from tests.store.foreign_trees import Ollama, in_hub_cache, put

WHOLE = b"GGUF" + bytes(60)


@pytest.fixture
def trees(tmp_path: Path) -> Ollama:
    """An empty folder of Ollama's."""
    return Ollama(tmp_path / "ollama")


def only(models: Any) -> ForeignModel:
    """The one model that there is."""
    (model,) = models
    assert isinstance(model, ForeignModel)
    return model


@pytest.mark.parametrize("name", ["lumina:3b", "LUMINA:3B", "registry.ollama.ai/library/lumina:3b"])
def test_a_model_of_ollama_by_its_names(trees: Ollama, name: str) -> None:
    blob = trees.add("lumina:3b", WHOLE, projector=b"GGUF eyes")
    trees.add("lumina:1b", b"GGUF other")
    model = only(ollama.named(trees.folder, name))
    assert (model.name, model.files[0].path, model.size) == ("lumina:3b", blob, len(WHOLE) + 9)
    assert model.projector
    assert model.projector.path == trees.blob(b"GGUF eyes")
    assert trouble(model) is None


def test_the_latest_of_ollama_needs_no_tag_and_other_hosts_keep_their_names(trees: Ollama) -> None:
    trees.add("qwen3:latest", WHOLE)
    trees.add("tiny:Q8_0", WHOLE, host="hf.co", namespace="ana")
    trees.add("mine:1", WHOLE, namespace="ana")
    assert only(ollama.named(trees.folder, "qwen3")).name == "qwen3:latest"
    assert {model.name for model in ollama.models(trees.folder)} == {
        "qwen3:latest",
        "hf.co/ana/tiny:Q8_0",
        "ana/mine:1",
    }


def test_what_ollama_runs_elsewhere_or_in_another_form_is_no_model_here(trees: Ollama) -> None:
    trees.write("big:cloud", {"layers": []})
    trees.write("parts:1", {"layers": [{**trees.layer("tensor", WHOLE)}]})
    assert not list(ollama.models(trees.folder))


def test_a_blob_that_is_being_written_is_told(trees: Ollama) -> None:
    blob = trees.add("tiny:1", WHOLE)
    blob.write_bytes(WHOLE[:10])
    found = trouble(only(ollama.named(trees.folder, "tiny:1")))
    assert isinstance(found, errors.BeingDownloaded)
    assert (found.owner, found.received, found.total) == ("ollama", 10, len(WHOLE))


def test_a_blob_that_is_only_begun_says_how_far_it_is(trees: Ollama) -> None:
    blob = trees.add("tiny:1", WHOLE)
    partial = blob.rename(f"{blob}-partial")
    for number, done in enumerate((7, 5)):
        note = {"N": number, "Offset": 0, "Size": 32, "Completed": done}
        Path(f"{partial}-{number}").write_text(json.dumps(note))
    Path(f"{partial}-2").write_text("no JSON")
    found = trouble(only(ollama.named(trees.folder, "tiny:1")))
    assert isinstance(found, errors.BeingDownloaded)
    assert (found.received, found.total) == (12, len(WHOLE))


def test_a_blob_that_is_gone_or_too_long_is_told(trees: Ollama) -> None:
    blob = trees.add("tiny:1", WHOLE)
    blob.write_bytes(WHOLE + b"more")
    assert isinstance(trouble(only(ollama.models(trees.folder))), errors.CorruptFile)
    blob.unlink()
    assert isinstance(trouble(only(ollama.models(trees.folder))), errors.FileMissing)


def test_half_of_a_model_is_not_taken_for_it(trees: Ollama) -> None:
    layers = [trees.layer("model", WHOLE), trees.layer("adapter", b"GGUF lora")]
    trees.write("tuned:1", {"layers": layers})
    assert isinstance(trouble(only(ollama.models(trees.folder))), errors.NoEngineForFile)


@pytest.mark.parametrize(
    "written",
    [
        b"",
        b"no JSON",
        b"[]",
        b"[" * 100_000,
        b"{" + b" " * (1 << 20) + b"}",
        b'{"layers": 7}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model"}]}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": 7, "size": 1}]}',
        b'{"layers": [{"mediaType": "application/vnd.ollama.image.model", "digest": "sha256:../../x", "size": 1}]}',
    ],
    ids=["empty", "no JSON", "a list", "deep", "huge", "no layers", "no digest", "a number", "a path"],
)
def test_a_manifest_that_cannot_be_understood_is_told_and_nothing_else_is_read(trees: Ollama, written: bytes) -> None:
    path = trees.write("bad:1", written)
    trees.add("good:1", WHOLE)
    bad, good = ollama.models(trees.folder)
    found = trouble(bad)
    assert isinstance(found, errors.CorruptFile)
    assert (found.path, found.fault) == (str(path), "bad_manifest")
    assert trouble(good) is None


@pytest.mark.parametrize("digest", ["sha256:" + "../" * 30 + "etc/passwd", "sha256:" + "A" * 64, "md5:" + "0" * 64])
def test_a_digest_never_leads_out_of_the_folder(trees: Ollama, digest: str) -> None:
    layer = {"mediaType": "application/vnd.ollama.image.model", "digest": digest, "size": 1}
    trees.write("bad:1", {"layers": [layer]})
    assert only(ollama.models(trees.folder)).files == ()


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="Windows has no named pipes in folders")
def test_a_pipe_in_place_of_a_manifest_keeps_nobody_waiting(trees: Ollama) -> None:
    path = trees.write("pipe:1", b"")
    path.unlink()
    os.mkfifo(path)
    assert not list(ollama.models(trees.folder))


def test_models_of_lm_studio_with_what_sees_for_them(tmp_path: Path) -> None:
    folder = tmp_path / ".lmstudio" / "models"
    put(folder, "ana/Tiny-GGUF/Tiny-Q8_0.gguf", WHOLE)
    put(folder, "ana/Tiny-GGUF/mmproj-Tiny-f32.gguf", b"GGUF eyes")
    eyes = put(folder, "ana/Tiny-GGUF/mmproj-Tiny-f16.gguf", b"GGUF eyes")
    put(tmp_path / ".cache" / "lm-studio" / "models", "old/Model/old.gguf", WHOLE)
    new, old = lm_studio.models(tmp_path)
    assert (new.name, old.name) == ("ana/Tiny-GGUF/Tiny-Q8_0.gguf", "old/Model/old.gguf")
    assert new.answers_to("Ana/tiny-gguf/tiny-q8_0")
    assert new.projector
    assert new.projector.path == eyes


def test_lm_studio_is_followed_to_where_its_person_moved_it(tmp_path: Path) -> None:
    home, moved = tmp_path / "moved", tmp_path / "downloads"
    (tmp_path / ".lmstudio-home-pointer").write_text(f"{home}\n")
    put(home, "settings.json", json.dumps({"downloadsFolder": str(moved)}).encode())
    put(moved, "ana/Tiny/a.gguf", WHOLE)
    put(home / "models", "ana/Tiny/b.gguf", WHOLE)
    assert [model.name for model in lm_studio.models(tmp_path)] == ["ana/Tiny/a.gguf", "ana/Tiny/b.gguf"]


def test_parts_of_a_model_are_one_and_a_missing_one_is_named(tmp_path: Path) -> None:
    for number in (1, 3):
        put(tmp_path, f"big-0000{number}-of-00003.gguf", WHOLE)
    model = only(model_folder.models(tmp_path))
    found = trouble(model)
    assert model.name == "big"
    assert isinstance(found, errors.PartMissing)
    assert found.path == str(tmp_path / "big-00002-of-00003.gguf")
    put(tmp_path, "big-00002-of-00003.gguf", WHOLE)
    model = only(model_folder.models(tmp_path))
    assert trouble(model) is None
    assert [file.path.name[len("big-0000")] for file in model.files] == ["1", "2", "3"]


def test_a_model_without_its_first_part_is_told_too(tmp_path: Path) -> None:
    put(tmp_path, "big-00002-of-00002.gguf", WHOLE)
    found = trouble(only(model_folder.models(tmp_path)))
    assert isinstance(found, errors.PartMissing)
    assert found.path.endswith("big-00001-of-00002.gguf")


def test_the_cache_of_the_hub_tells_the_content_by_its_blobs(tmp_path: Path) -> None:
    shown = in_hub_cache(tmp_path, "ana/Tiny-GGUF", "sub/Tiny-Q8_0.gguf", WHOLE)
    places = Places(hub=(tmp_path,))
    model = only(elsewhere.all_models(places))
    assert (model.name, model.files[0].path) == ("ana/Tiny-GGUF/sub/Tiny-Q8_0.gguf", shown)
    for name in ("ana/tiny-gguf", "ana/Tiny-GGUF/sub/Tiny-Q8_0"):
        assert elsewhere.named(places, name) == [model]
    assert elsewhere.with_content(places, str(model.files[0].sha256)) == model
    assert elsewhere.with_content(places, "0" * 64) is None


def test_of_several_revisions_in_the_cache_that_of_the_main_branch_counts(tmp_path: Path) -> None:
    old = in_hub_cache(tmp_path, "ana/Tiny", "a.gguf", WHOLE + b"old", commit="a" * 40)
    new = in_hub_cache(tmp_path, "ana/Tiny", "a.gguf", WHOLE, commit="b" * 40)
    assert only(elsewhere.all_models(Places(hub=(tmp_path,)))).files[0].path == new
    (tmp_path / "models--ana--Tiny" / "refs" / "main").write_text("a" * 40)
    assert only(elsewhere.all_models(Places(hub=(tmp_path,)))).files[0].path == old


def test_a_branch_in_the_cache_leads_no_further_than_to_a_revision(tmp_path: Path) -> None:
    put(tmp_path, "elsewhere/a.gguf", WHOLE)
    repository = tmp_path / "models--ana--Tiny"
    (repository / "snapshots").mkdir(parents=True)
    put(repository, "refs/main", b"../../elsewhere")
    assert not list(elsewhere.all_models(Places(hub=(tmp_path,))))


def test_links_that_lead_nowhere_and_folders_that_are_not_there_are_nothing(tmp_path: Path) -> None:
    (tmp_path / "gone.gguf").symlink_to(tmp_path / "nowhere")
    (tmp_path / "round").symlink_to(tmp_path, target_is_directory=True)
    nowhere = tmp_path / "nowhere"
    places = Places((nowhere,), (nowhere,), (nowhere,), (tmp_path, nowhere))
    assert not list(elsewhere.all_models(places))


def test_a_name_is_looked_for_in_one_order(tmp_path: Path) -> None:
    Ollama(tmp_path / "ollama").add("tiny:latest", WHOLE)
    put(tmp_path / "mine", "tiny.gguf", WHOLE)
    places = Places(ollama=(tmp_path / "ollama",), folders=(tmp_path / "mine",))
    assert [model.owner for model in elsewhere.named(places, "tiny")] == ["ollama", "folder"]
