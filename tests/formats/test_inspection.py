"""What is in the files of a model: weights as a tree, facts of the texts beside them, and what is wrong with them."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from abierto.errors import CorruptFile
from abierto.formats import safetensors
from abierto.formats.contents import Tensor
from abierto.formats.inspection import Report, blocks, inspect, inspect_files
from tests.recipes.published import Published, packed
from tests.tiny_gguf import TinyGGUF, Typed

ONE = {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}
CARD = """---
license: apache-2.0
base_model:
- maker/first
datasets: [one/data, two/data]
model-index: &all [1, 2]
---
# A model
"""


def codes(report: Report, level: str = "") -> set[tuple[str, str]]:
    return {(name, one.code) for name, one in report.findings if not level or one.level == level}


def put(folder: Path, **files: Any) -> Path:
    """Write small files, by their names with a dot for each double underscore."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, body in files.items():
        path = folder / name.replace("__", ".")
        path.write_bytes(
            body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
        )
    return folder


def test_layers_that_are_alike_are_folded_into_one() -> None:
    names = [f"model.layers.{layer}.mlp.experts.{expert}.w" for layer in range(12) for expert in range(8)]
    (top,) = blocks.tree([Tensor(name, (4, 2), "F16", 16) for name in names])
    assert (top.name, top.repeats, top.tensors, top.parameters, top.size) == (
        "model.layers.0-11.mlp.experts.0-7.w",
        96,
        96,
        768,
        1536,
    )
    assert top.shape == (4, 2)


def test_layers_with_other_shapes_stand_alone() -> None:
    sizes = {0: 4, 1: 4, 2: 5, 3: 4, 5: 4, 6: 4}
    made = blocks.tree(
        [Tensor(f"blk.{layer}.{part}", (size,), "F32", 4 * size) for layer, size in sizes.items() for part in "ab"]
    )
    assert [block.name for block in made[0].children] == ["0-1", "2", "3", "5-6"]
    assert [block.repeats for block in made[0].children] == [2, 1, 1, 2]


def test_types_may_differ_between_folded_layers() -> None:
    tensors = [
        Tensor(f"blk.{layer}.{part}", (32,), "Q4_K" if layer else "Q6_K", 20) for layer in range(3) for part in "ab"
    ]
    (top,) = blocks.tree(tensors)
    assert (top.name, dict(top.dtypes)) == ("blk.0-2", {"Q6_K": 64, "Q4_K": 128})


def test_a_name_with_ten_thousand_dots_is_a_tree_of_few_levels() -> None:
    (top,) = blocks.tree([Tensor("a." * 10_000 + "b", (1,), "F32", 4)])
    assert top.parameters == 1


def test_a_model_in_shards_is_one(tmp_path: Path) -> None:
    whole = inspect(Published().write(tmp_path / "whole"))
    shards = inspect(Published().write(tmp_path / "shards", shards=3))
    assert shards.parts[0].tree == whole.parts[0].tree
    assert len(shards.parts[0].files) == 3
    assert not shards.findings
    one = inspect(tmp_path / "shards" / "model-00002-of-00003.safetensors")
    assert (one.parameters, one.name) == (whole.parameters, "model-00002-of-00003.safetensors")


def test_the_texts_beside_the_weights_are_read(tmp_path: Path) -> None:
    folder = put(
        Published().write(tmp_path / "m"), README__md=CARD, generation_config__json={"temperature": 0.6, "x": 1}
    )
    report = inspect(folder)
    facts = report.facts
    assert (facts.architecture, facts.framework, facts.license) == ("LlamaForCausalLM", "transformers", "apache-2.0")
    assert (facts.lineage, facts.datasets) == (("maker/first",), ("one/data", "two/data"))
    assert facts.generation == {"temperature": 0.6}
    assert facts.special_tokens == {"eos_token": "<|im_end|>", "bos_token": "<|endoftext|>"}
    assert facts.templates == ("tokenizer_config.json",)
    assert facts.vocabulary > 256
    assert not report.findings


def test_a_gguf_file_tells_of_its_lineage(tmp_path: Path) -> None:
    said = {
        "general.base_model.count": 1,
        "general.base_model.0.repo_url": "https://example.org/first",
        "general.dataset.count": 2,
        "general.dataset.1.name": "data",
    }
    report = inspect(TinyGGUF(layers=3, metadata=said).write(tmp_path / "tiny.gguf"))
    assert (report.facts.lineage, report.facts.datasets) == (("https://example.org/first",), ("data",))
    assert (report.facts.architecture, report.facts.context, report.facts.vocabulary) == ("llama", 512, 263)
    assert report.facts.templates == ("tokenizer.chat_template",)
    assert report.parts[0].tree[0].name == "blk.0-2"
    assert report.parts[0].tree[-1].shape == (263, 64)


def test_a_split_gguf_model_lacks_a_part(tmp_path: Path) -> None:
    for number in (1, 3):
        said = {"split.no": Typed("u16", number - 1), "split.count": Typed("u16", 3)}
        TinyGGUF(metadata=said).write(tmp_path / f"m-{number:05}-of-00003.gguf")
    report = inspect(tmp_path / "m-00001-of-00003.gguf")
    assert ("m-00002-of-00003.gguf", "shard_missing") in codes(report)
    assert ("m-00003-of-00003.gguf", "tensors_twice") in codes(report)


def test_an_index_that_lies_is_told(tmp_path: Path) -> None:
    put(tmp_path / "outside", weights__safetensors=packed({"a": ONE}, bytes(16)))
    index = {
        "a": "one.safetensors",
        "b": "one.safetensors",
        "c": "../outside/weights.safetensors",
        "d": "none.safetensors",
    }
    folder = put(
        tmp_path / "m",
        one__safetensors=packed({"a": ONE, "x": {**ONE, "data_offsets": [16, 32]}}, bytes(32)),
        model__safetensors__index__json={"weight_map": index},
    )
    report = inspect(folder)
    found = {one.code: one.about for name, one in report.findings if name == "model.safetensors.index.json"}
    assert set(found) == {"index_outside", "index_file_missing", "index_disagrees"}
    assert found["index_outside"]["files"] == "../outside/weights.safetensors"
    assert found["index_disagrees"]["tensors"] == "b, x"


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_links_out_of_the_folder_are_not_followed(tmp_path: Path) -> None:
    secret = put(tmp_path / "secret", weights__safetensors=packed({"a": ONE}, bytes(16)))
    folder = put(tmp_path / "m", config__json={})
    (folder / "model.safetensors").symlink_to(secret / "weights.safetensors")
    (folder / "more").symlink_to(secret)
    (folder / "loop").symlink_to(folder / "loop")
    (folder / "inner.json").symlink_to(folder / "config.json")
    report = inspect(folder)
    assert codes(report) == {("model.safetensors", "link_outside"), ("more", "link_outside"), ("loop", "link_nowhere")}
    assert [file.name for file in report.files] == ["config.json", "inner.json"]


@pytest.mark.skipif(os.name == "nt", reason="links need a privilege there")
def test_the_links_of_a_hub_cache_are_followed_and_name_hashes(tmp_path: Path) -> None:
    repository = tmp_path / "models--maker--name"
    blobs = put(repository / "blobs", **{"0" * 64: packed({"a": ONE}, bytes(16))})
    snapshot = repository / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (snapshot / "model.safetensors").symlink_to(blobs / ("0" * 64))
    report = inspect(snapshot)
    assert report.files[0].sha256 == "0" * 64
    assert report.parameters == 4


def test_hashes_are_reckoned_when_asked_for(tmp_path: Path) -> None:
    folder = put(tmp_path / "m", empty__json=b"")
    assert inspect(folder).files[0].sha256 == ""
    assert inspect(folder, hashes=True).files[0].sha256.startswith("e3b0c442")
    assert inspect_files([(folder / "empty.json", "known")], "x").files[0].sha256 == "known"


@pytest.mark.parametrize(
    ("card", "code"),
    [
        ("---\nbase_model: &a [x, x]\ndatasets: [*a, *a]\n---\n", "card_bomb"),
        ("---\nbase_model: *a\nother: &a x\n---\n", "card_bomb"),
        ("---\ndatasets: " + "[" * 1000 + "]" * 1000 + "\n---\n", "card_bomb"),
        ("---\ndatasets: [" + "x," * 40_000 + "]\n---\n", "card_too_large"),
        ("---\nlicense: [\n---\n", "card_unreadable"),
        ("---\nlicense: 2026-99-99\n---\n", "card_unreadable"),
    ],
    ids=["aliases", "alias", "deep", "large", "broken", "date"],
)
def test_a_card_that_is_a_bomb_is_a_finding(tmp_path: Path, card: str, code: str) -> None:
    assert codes(inspect(put(tmp_path, README__md=card))) == {("README.md", code)}


def test_what_runs_code_is_flagged(tmp_path: Path) -> None:
    folder = put(
        tmp_path,
        config__json={"auto_map": {"AutoModel": "other/repo--modeling.Model"}, "model_type": "mine"},
        tokenizer_config__json={"auto_map": {"AutoTokenizer": ["tokens.Mine", None]}},
        modeling__py="import os",
        model_index__json={"_class_name": "Pipe", "unet": ["my_unet", "Net"], "vae": ["diffusers", "AutoencoderKL"]},
    )
    report = inspect(folder)
    assert codes(report, "executes") == {
        ("config.json", "auto_map"),
        ("tokenizer_config.json", "auto_map"),
        ("modeling.py", "code_file"),
        ("model_index.json", "own_code"),
    }
    names = {name: one.about.get("names") for name, one in report.findings}
    assert names["model_index.json"] == "unet: my_unet.Net"
    assert names["config.json"] == "other/repo--modeling.Model"


def test_a_pipeline_counts_each_of_its_parts_once(tmp_path: Path) -> None:
    weights = packed({"a": ONE}, bytes(16))
    put(tmp_path, model_index__json={"_class_name": "Pipe", **{name: ["diffusers", "X"] for name in ("unet", "vae")}})
    put(
        tmp_path / "unet",
        diffusion_pytorch_model__safetensors=weights,
        diffusion_pytorch_model__fp16__safetensors=weights,
    )
    put(tmp_path / "vae", diffusion_pytorch_model__safetensors=weights)
    report = inspect(tmp_path)
    assert (report.parameters, len(report.parts)) == (8, 3)
    assert report.facts.components == {"unet": "diffusers.X", "vae": "diffusers.X"}


def test_a_model_that_was_made_of_itself_is_told(tmp_path: Path) -> None:
    folder = put(tmp_path / "models--maker--first" / "snapshots" / "0", README__md=CARD)
    assert codes(inspect(folder)) == {("", "base_is_itself")}
    one = put(tmp_path / "one", README__md="---\nbase_model: two\n---\n")
    two = put(tmp_path / "two", README__md="---\nbase_model: one\n---\n")
    assert (inspect(one).facts.lineage, inspect(two).facts.lineage) == (("two",), ("one",))


def test_an_adapter_names_its_model(tmp_path: Path) -> None:
    said = {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"], "base_model_name_or_path": "maker/first"}
    report = inspect(put(tmp_path, adapter_config__json=said, adapter_model__safetensors=packed({"a": ONE}, bytes(16))))
    assert report.facts.adapter == {"peft_type": "LORA", "r": 8, "target_modules": ["q_proj"]}
    assert report.facts.lineage == ("maker/first",)


@pytest.mark.parametrize("kind", ["BPE", "Unigram"])
def test_a_vocabulary_is_counted_without_being_read(tmp_path: Path, kind: str) -> None:
    odd = ["a", '"', "\\", '":', '["', "é"]
    vocab: Any = {token: at for at, token in enumerate(odd)} if kind == "BPE" else [[token, -1.0] for token in odd]
    body = {"model": {"type": kind, "vocab": vocab}, "added_tokens": [{"id": 9, "content": "<s>", "special": True}]}
    facts = inspect(put(tmp_path, tokenizer__json=body)).facts
    assert (facts.tokenizer, facts.vocabulary) == (kind, 10)
    facts = inspect(put(tmp_path, tokenizer__json={"model": body["model"]})).facts
    assert facts.vocabulary == 6


BROKEN = {
    "model.safetensors": (b"PK\x03\x04" + bytes(100), "name_lies"),
    "cut.safetensors": (packed({"a": ONE}, bytes(8)), "unreadable"),
    "lies.gguf": (b"{}", "name_lies"),
    "cut.gguf": (TinyGGUF().build()[:200], "unreadable"),
    "pointer.gguf": (b"version https://git-lfs.github.com/spec/v1\noid sha256:0", "lfs_pointer"),
    "config.json": (b"[" * 100_000, "unreadable"),
    "generation_config.json": (b"[]", "unreadable"),
    "tokenizer.json": (b'{"model":' + b"[" * 100_000, "unreadable"),
    "tokenizer_config.json": (b'{"a": "' + b"x" * 5_000_000 + b'"}', "unreadable"),
    "model.safetensors.index.json": (b'{"weight_map": 5}', "unreadable"),
    "weights.tflite": (b"\0\0\0\0TFL3" + bytes(50), "not_read"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_file_is_a_finding(tmp_path: Path, name: str) -> None:
    body, code = BROKEN[name]
    (tmp_path / name).write_bytes(body)
    assert (name, code) in codes(inspect(tmp_path))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes with names")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "model.safetensors")
    assert codes(inspect(tmp_path, hashes=True)) == {("model.safetensors", "name_lies")}


def test_a_duplicate_key_among_many_is_found_in_time(tmp_path: Path) -> None:
    """Each key was compared with each."""
    many = ",".join(f'"{number}":0' for number in range(200_000))
    body = f'{{{many},"0":0}}'.encode()
    path = tmp_path / "model.safetensors"
    path.write_bytes(len(body).to_bytes(8, "little") + body)
    with pytest.raises(CorruptFile) as caught:
        safetensors.read_header(path)
    assert (caught.value.fault, caught.value.about) == ("duplicate_key", {"key": "0"})


MEASURED = """
import sys
from pathlib import Path
from abierto.formats.inspection import inspect
found = {name for name, one in inspect(Path(sys.argv[1])).findings if one.code == "unreadable"}
# The peak that the system calls a process's own usage begins with that of its parent; this one does not.
status = Path("/proc/self/status").read_text()
print(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM")), *sorted(found))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system tells no such peak")
@pytest.mark.parametrize("unit", [b"{},", b'{"":0},'], ids=str)
def test_a_header_bomb_takes_less_than_500_mb(tmp_path: Path, unit: bytes) -> None:
    body = b'{"a":[' + unit * (9_900_000 // len(unit)) + b"0]}"
    (tmp_path / "model.safetensors").write_bytes(len(body).to_bytes(8, "little") + body)
    (tmp_path / "config.json").write_bytes(b"[" + body[5:3_900_000].rpartition(b"{")[0] + b"0]")
    (tmp_path / "tokenizer.json").write_bytes(b'{"model":{"vocab":' + body * 5 + b"}}")
    done = subprocess.run([sys.executable, "-c", MEASURED, tmp_path], capture_output=True, check=True, text=True)
    peak, *found = done.stdout.split()
    assert found == ["config.json", "model.safetensors", "tokenizer.json"]
    assert int(peak) < 500_000
