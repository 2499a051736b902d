"""quantize and convert: what a person sees of each, and what stays when they are stopped."""

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from abierto import catalog
from abierto.formats.gguf import read_header
from abierto.store import records
from tests.cli.conftest import Abierto
from tests.recipes.published import Published
from tests.tiny_gguf import Tensor, TinyGGUF

SAYS = "Hé 你🙂."
# Makes a model as the command does, and sends itself a signal after the first step of writing.
STOPPED = """
import os, signal, sys
from pathlib import Path
from contextlib import closing
from abierto.recipes import quantize
base = quantize.open_original(sys.argv[1])
out = Path(sys.argv[3]) if len(sys.argv) > 3 else None
with closing(quantize.quantize(base, "q8_0", "half", out)) as steps:
    for step in steps:
        if step.stage == "write":
            os.kill(os.getpid(), getattr(signal, sys.argv[2]))
"""
FULL = """
import resource, sys
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
from abierto.cli import run
sys.exit(run(["quantize", sys.argv[1], "q8_0", "--name", "big"]))
"""


@pytest.fixture
def tiny(tmp_path: Path) -> Path:
    """A small sound model file, not quantised."""
    return TinyGGUF(says=SAYS, dtype="f16", embedding=256, heads=4).write(tmp_path / "Tiny Chat.f16.gguf")


def test_it_is_a_model_like_any_other(tmp_path: Path, abierto: Abierto) -> None:
    folder = Published().write(tmp_path / "Tiny Model")
    (folder / "README.md").write_text("---\nlicense: apache-2.0\nlanguage: [en, es]\n---\n# Tiny\n")
    done = abierto("convert", str(folder))
    assert done.status == 0, done.err
    assert abierto("models").out.split("\t")[0] == "tiny-model-f16"
    assert abierto("chat", "-m", "tiny-model-f16", "--max-tokens", "3", "hello").status == 0
    shown = abierto("show", "tiny-model-f16").out
    card = catalog.find("tiny-model-f16")
    assert card is not None
    assert (card.license, card.languages, card.lineage["base"]) == ("apache-2.0", ("en", "es"), "Tiny Model")
    assert card.lineage["sha256"] in shown
    assert "apache-2.0" in shown


def test_an_unknown_architecture_hears_which_are_known(tmp_path: Path, abierto: Abierto) -> None:
    folder = Published(config={"architectures": ["MambaForCausalLM"]}).write(tmp_path / "published")
    done = abierto("convert", str(folder))
    assert done.status == 4
    assert "MambaForCausalLM" in done.err
    assert "Qwen3ForCausalLM" in done.err


def test_a_file_is_quantised_listed_used_shown_and_removed(abierto: Abierto, tiny: Path, home: Path) -> None:
    done = abierto("quantize", str(tiny), "Q4_K_M")
    assert done.status == 0, done.err
    assert "already" not in done.err
    name, *_, source = abierto("models").out.strip().split("\t")
    assert (name, source) == ("tiny-chat-q4_k_m", "made:Tiny Chat.f16#q4_k_m")
    assert abierto("chat", "-m", name, "hello").out.strip() == SAYS
    shown = abierto("show", name).out
    assert "Tiny Chat.f16" in shown
    assert "q4_k_m" in shown
    assert "made here" in shown
    assert "Q4_K_M.gguf: Apache-2.0" in shown
    assert "apache-2.0" in shown
    assert list((home / "data" / "cards").iterdir())
    assert abierto("remove", name, "--yes").status == 0
    assert list((home / "data" / "cards").iterdir()) == []
    assert abierto("models").out == ""
    assert tiny.exists()


def test_it_is_shown_in_spanish(abierto: Abierto, tiny: Path) -> None:
    abierto("quantize", str(tiny), "q8_0")
    assert "hecho aquí" in abierto("show", "tiny-chat-q8_0", ABIERTO_LANGUAGE="es").out


def test_without_a_type_the_types_are_listed_with_the_size_of_each_file(abierto: Abierto, tiny: Path) -> None:
    offered = {offer["kind"]: offer["size"] for offer in json.loads(abierto("quantize", str(tiny), "--json").out)}
    assert {"f16", "q8_0", "q4_k_m", "q4_0"} <= set(offered)
    assert abierto("quantize", str(tiny)).out.split("\t")[0] == "f32"
    assert abierto("models").out == ""
    for kind in ("q8_0", "q3_k_m"):
        abierto("quantize", str(tiny), kind)
        record = next(one for one in json.loads(abierto("models", "--json").out) if kind in one["name"])
        assert record["files"][0]["size"] == offered[kind]


def test_what_was_quantised_before_is_told(abierto: Abierto, tiny: Path) -> None:
    abierto("quantize", str(tiny), "q4_0", "--name", "small")
    done = abierto("quantize", "small", "q8_0", "--name", "large-again")
    assert done.status == 0, done.err
    assert "does not come back" in done.err
    assert "larger and no better" in done.err
    again = abierto("quantize", "large-again", "q4_0", "--name", "smaller-again")
    assert "larger and no better" not in again.err
    card = catalog.find("large-again")
    assert card is not None
    assert card.lineage["from_type"] == "Q4_0"
    assert card.lineage["source"] == "made:Tiny Chat.f16#q4_0"


def test_a_file_of_the_persons_choice_is_written_there_and_stays(abierto: Abierto, tiny: Path, tmp_path: Path) -> None:
    out = tmp_path / "mine.gguf"
    assert abierto("quantize", str(tiny), "q8_0", "--out", str(out), "--name", "mine").status == 0
    assert abierto("chat", "-m", "mine", "hello").out.strip() == SAYS
    assert abierto("remove", "mine", "--yes").status == 0
    assert out.exists()


def test_a_pull_and_a_made_model_are_in_the_journal(abierto: Abierto, tiny: Path) -> None:
    abierto("quantize", str(tiny), "q8_0")
    assert "1 " in abierto("forget", "--pulls", "--yes").out


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        (("TINY", "q9_z"), 2, "q4_k_m"),
        (("TINY", "q8_0", "--out", "TINY"), 2, "written over"),
        (("TINY", "q8_0", "--out", "no/such/folder/x.gguf"), 3, "folder"),
        (("TINY", "q8_0", "--name", "smollm2"), 2, "smollm2"),
        (("TINY", "q8_0", "--name", "echo"), 2, "echo"),
        (("TINY", "q8_0", "--name", "smollm2:135m:q4_1"), 2, "q4_1"),
        (("TINY", "q8_0", "--name", "hf:a/b"), 2, "cannot be the name"),
        (("TINY", "q8_0", "--name", "two words"), 2, "cannot be the name"),
        (("TINY", "q8_0", "--name", "a/b"), 2, "cannot be the name"),
        (("TINY", "q8_0", "--name", "x.gguf"), 2, "cannot be the name"),
        (("no-such-model", "q8_0"), 3, "no-such-model"),
        (("no/such/file.gguf", "q8_0"), 3, "file.gguf"),
        (("echo", "q8_0"), 4, "no file"),
        (("TEXT", "q8_0"), 4, "text"),
        (("SPLIT", "q8_0"), 4, "00002-of-00002"),
        (("PROJECTOR", "q8_0"), 4, "mmproj"),
        (("CUT", "q8_0"), 4, "damaged"),
    ],
)
def test_what_makes_no_sense_is_refused(
    abierto: Abierto, tiny: Path, tmp_path: Path, home: Path, arguments: tuple[str, ...], status: int, told: str
) -> None:
    files = {name: tmp_path / f"{name.lower()}.gguf" for name in ("TEXT", "SPLIT", "PROJECTOR", "CUT")}
    files["TEXT"].write_text("not a model")
    TinyGGUF(metadata={"split.count": 2, "split.no": 0}).write(files["SPLIT"])
    TinyGGUF(metadata={"general.type": "mmproj"}).write(files["PROJECTOR"])
    files["CUT"].write_bytes(tiny.read_bytes()[:-5000])
    before = tiny.read_bytes()
    done = abierto("quantize", *(str({"TINY": tiny, **files}.get(part, part)) for part in arguments))
    assert done.status == status, done.err
    assert told in done.err
    assert "Traceback" not in done.err
    assert tiny.read_bytes() == before
    assert abierto("models").out == ""
    assert not (home / "data" / "cards").exists()


def test_a_name_is_given_once(abierto: Abierto, tiny: Path) -> None:
    abierto("quantize", str(tiny), "q8_0", "--name", "once")
    done = abierto("quantize", str(tiny), "q4_0", "--name", "once")
    assert done.status == 2
    assert "already a model called once" in done.err


def test_a_card_without_its_model_does_not_keep_the_name(abierto: Abierto, tiny: Path, home: Path) -> None:
    abierto("quantize", str(tiny), "q8_0", "--name", "once")
    records.remove(home / "data" / "models", "once")
    assert catalog.find("once") is not None
    assert abierto("quantize", str(tiny), "q4_0", "--name", "once").status == 0
    card = catalog.find("once")
    assert card is not None
    assert list(card.weights) == ["q4_0"]


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
@pytest.mark.parametrize("name", ["SIGINT", "SIGKILL"])
@pytest.mark.parametrize("elsewhere", [False, True])
def test_who_is_stopped_half_way_leaves_nothing_in_place(
    abierto: Abierto, tiny: Path, tmp_path: Path, name: str, elsewhere: bool
) -> None:
    out = tmp_path / "out.gguf"
    command = [sys.executable, "-c", STOPPED, str(tiny), name, *([str(out)] if elsewhere else [])]
    done = subprocess.run(command, capture_output=True)
    assert done.returncode in (-getattr(signal, name), 1), done.stderr
    assert not out.exists()
    assert catalog.find("half") is None
    listed = abierto("models").out
    assert "here" not in listed.split("\t")
    assert abierto("quantize", str(tiny), "q8_0", "--name", "half").status == 0
    assert abierto("chat", "-m", "half", "hello").out.strip() == SAYS


@pytest.mark.skipif(sys.platform == "win32", reason="signals and limits of POSIX")
def test_a_disk_that_gets_full_leaves_nothing(abierto: Abierto, tiny: Path, home: Path) -> None:
    done = subprocess.run([sys.executable, "-c", FULL, str(tiny)], capture_output=True, encoding="utf-8")
    assert done.returncode == 5, done.stderr
    assert "needed" in done.stderr
    assert abierto("models").out == ""
    assert [path.name for path in (home / "data" / "models").iterdir()] == [".locks"]


def test_a_model_that_cannot_fit_on_the_disk_is_refused_before_it_is_written(abierto: Abierto, tmp_path: Path) -> None:
    """A file with a hole in it claims more than any disk has."""
    rows = 1 << 35
    path = tmp_path / "huge.gguf"
    header = TinyGGUF(tensors={"huge.weight": Tensor((64, rows), "q4_0", b"")}).build()
    with path.open("wb") as file:
        file.write(header)
        file.truncate(len(header) + rows * 36)
    done = abierto("quantize", str(path), "f16", "--name", "huge")
    assert done.status == 5, done.err
    assert "needed" in done.err


def test_norms_and_vectors_stay_as_they_are(abierto: Abierto, tiny: Path, home: Path) -> None:
    abierto("quantize", str(tiny), "q4_0", "--name", "small")
    record = records.get(home / "data" / "models", "small")
    assert record is not None
    types = {tensor.name: tensor.dtype for tensor in read_header(record.files[0].path).tensors}
    before = {tensor.name: tensor.dtype for tensor in read_header(tiny).tensors}
    norms = [name for name in types if "norm" in name]
    assert norms
    assert all(types[name] == before[name] == "F32" for name in norms)
    assert types["blk.0.attn_q.weight"] == "Q4_0"
    assert types["output.weight"] == "Q6_K"


@pytest.mark.parametrize("command", [("models",), ("show", "smollm2")])
def test_a_broken_card_of_the_persons_own_is_told_of(abierto: Abierto, home: Path, command: tuple[str, ...]) -> None:
    (home / "data" / "cards").mkdir(parents=True)
    (home / "data" / "cards" / "broken.yaml").write_text("name: [unclosed")
    done = abierto(*command)
    assert done.status == 0
    assert "broken.yaml" in done.err
    assert "Traceback" not in done.err
