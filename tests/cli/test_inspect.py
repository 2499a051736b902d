"""`abierto inspect`: what a person and a program see of a model's files, by name, by file, by folder."""

import json
from pathlib import Path

from tests.cli.conftest import Abierto
from tests.recipes.published import Published
from tests.tiny_gguf import TinyGGUF


def test_a_file_a_folder_and_a_name_are_inspected(abierto: Abierto, tmp_path: Path) -> None:
    tiny = TinyGGUF().write(tmp_path / "tiny.gguf")
    by_path = abierto("inspect", str(tiny))
    assert by_path.status == 0, by_path.err
    assert "blk.0-1 x 2" in by_path.out
    assert "nothing that is known" in by_path.out
    abierto("pull", f"file:{tiny}")
    by_name = json.loads(abierto("inspect", "tiny", "--json").out)
    assert by_name["files"][0]["sha256"]
    assert by_name["facts"]["architecture"] == "llama"
    folder = abierto("inspect", str(Published().write(tmp_path / "m")))
    assert "layers.0-1 x 2" in folder.out
    assert "LlamaForCausalLM" in folder.out


def test_what_is_wrong_is_told_in_both_languages(abierto: Abierto, tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(b"PK\x03\x04" + bytes(100))
    (tmp_path / "cut.gguf").write_bytes(TinyGGUF().build()[:99])
    (tmp_path / "run.py").write_text("raise SystemExit")
    english = abierto("inspect", str(tmp_path))
    assert english.status == 0, english.err
    assert "run.py: It is a program" in english.out
    assert "model.safetensors: By its name it should be a safetensors file, and it is a ZIP archive" in english.out
    assert "cut.gguf: It cannot be read" in english.out
    assert "run.py: Es un programa" in abierto("inspect", str(tmp_path), ABIERTO_LANGUAGE="es").out
    body = json.loads(abierto("inspect", str(tmp_path), "--json").out)
    assert {found["code"] for found in body["findings"]} == {"name_lies", "unreadable", "code_file"}
    assert all(found["says"] for found in body["findings"])


def test_letters_that_command_a_terminal_are_not_written(abierto: Abierto, tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text('---\nbase_model: "a\\e[31mb"\n---\n')
    (tmp_path / "x\x1b[31m.py").write_text("")
    assert "\x1b" not in abierto("inspect", str(tmp_path)).out


def test_what_is_not_here(abierto: Abierto) -> None:
    assert abierto("inspect", "nothing-called-so").status == 3
    assert abierto("inspect", "./nothing/here.gguf").status == 3
    assert abierto("inspect", "echo").status == 3
