"""Published models become GGUF files that compute what their makers' files compute; what cannot be done is refused."""

import json
import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from abierto import catalog
from abierto.errors import (
    AbiertoError,
    CorruptFile,
    FileMissing,
    NotConvertible,
    UnknownType,
)
from abierto.formats.gguf import read_header
from abierto.recipes import convert, vocabulary
from tests.recipes.conftest import Loaded, finished
from tests.recipes.published import MODELS, Published, tokenizer
from tests.tiny_gguf import END
from tests.tiny_gguf import vocabulary as tokens_of_tiny

PROMPT = [104, 101, 108, 32, 119, 100, 10]
Llama = Callable[[Path], Loaded]


def made(folder: Path, kind: str = "f32", name: str = "made") -> Path:
    """The GGUF file of a published model."""
    return finished(convert.convert(convert.open_source(folder), kind, name)).files[0].path


@pytest.mark.parametrize("name", MODELS)
def test_it_computes_what_the_makers_files_compute(tmp_path: Path, llama: Llama, name: str) -> None:
    model = MODELS[name]
    loaded = llama(made(model.write(tmp_path / "published")))
    answer = model.greedy(PROMPT, 16)
    assert loaded.greedy(PROMPT, 16) == answer
    # The engine tells no probability of a byte that is a part of a character.
    whole = next(place for place, token in enumerate(answer) if token < 128)
    prompt = [*PROMPT, *answer[:whole]]
    scores = model.scores(prompt).astype(np.float64)
    expected = scores.max() - np.log(np.exp(scores).sum())
    token, found = loaded.first(prompt)
    # The engine keeps keys and values in 16 bits.
    assert token == int(scores.argmax())
    assert found == pytest.approx(expected, abs=0.01)


def test_one_file_and_several_give_the_same(tmp_path: Path) -> None:
    one = made(Published().write(tmp_path / "a" / "tiny"), "f16", "one")
    several = made(Published().write(tmp_path / "b" / "tiny", shards=3), "f16", "several")
    assert one.read_bytes() == several.read_bytes()


@pytest.mark.parametrize(("dtype", "kind"), [("BF16", "bf16"), ("F16", "f16"), ("F32", "f16")])
def test_the_usual_kind_keeps_the_numbers(tmp_path: Path, dtype: str, kind: str) -> None:
    source = convert.open_source(Published(dtype=dtype).write(tmp_path / "tiny"))
    assert source.usual_kind == kind


@pytest.mark.parametrize(
    ("kind", "matrix", "output"), [("f16", "F16", "F16"), ("q8_0", "Q8_0", "Q8_0"), ("q4_0", "Q4_0", "Q6_K")]
)
def test_it_is_quantised_on_the_way(tmp_path: Path, kind: str, matrix: str, output: str, llama: Llama) -> None:
    path = made(Published(wide=256, head=64).write(tmp_path / "tiny"), kind)
    types = {tensor.name: tensor.dtype for tensor in read_header(path).tensors}
    assert (types["blk.1.ffn_up.weight"], types["output.weight"]) == (matrix, output)
    assert types["blk.0.attn_norm.weight"] == "F32"
    assert len(llama(path).greedy(PROMPT, 4)) == 4


def test_the_vocabulary_is_the_makers(tmp_path: Path, llama: Llama) -> None:
    tokens = tokens_of_tiny()
    loaded = llama(made(Published().write(tmp_path / "tiny")))
    bytes_of_it = [*"hé 🙂".encode()]
    assert loaded.tokenize("hé 🙂<|im_end|>") == [*bytes_of_it, END]
    assert loaded.tokenize("her") == [tokens.index("he"), ord("r")]


def test_the_lineage_of_a_folder_in_the_hubs_cache_names_the_repository(tmp_path: Path) -> None:
    folder = tmp_path / "models--ana--tiny" / "snapshots" / "abc123"
    made(Published().write(folder, shards=2))
    card = catalog.find("made")
    assert card is not None
    assert card.lineage["source"] == "hf:ana/tiny@abc123"
    assert len([key for key in card.lineage if key.startswith("sha256 ")]) == 2


def without(file: str) -> Callable[[Path], object]:
    return lambda folder: (folder / file).unlink()


def edited(file: str, **changes: Any) -> Callable[[Path], object]:
    def edit(folder: Path) -> None:
        body = json.loads((folder / file).read_text())
        (folder / file).write_text(json.dumps({**body, **changes}))

    return edit


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def index(**places: str) -> Callable[[Path], object]:
    return lambda folder: (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": places}))


REFUSED: dict[str, tuple[Callable[[Path], object], type[AbiertoError], str]] = {
    "no folder": (lambda folder: folder.rename(folder.parent / "elsewhere"), FileMissing, ""),
    "no config": (without("config.json"), NotConvertible, "no_config"),
    "no weights": (without("model.safetensors"), NotConvertible, "no_weights"),
    "pickles": (pickled, NotConvertible, "only_pickles"),
    "no tokenizer": (without("tokenizer.json"), NotConvertible, "no_tokenizer"),
    "architecture": (edited("config.json", architectures=["MambaForCausalLM"]), NotConvertible, "architecture"),
    "no number": (edited("config.json", hidden_size="64"), NotConvertible, "config"),
    "heads": (edited("config.json", num_key_value_heads=3), NotConvertible, "config"),
    "activation": (edited("config.json", hidden_act="gelu"), NotConvertible, "config"),
    "positions": (edited("config.json", rope_scaling={"rope_type": "own", "factor": 2}), NotConvertible, "positions"),
    "too many blocks": (edited("config.json", num_hidden_layers=3), NotConvertible, "tensor_absent"),
    "too few blocks": (edited("config.json", num_hidden_layers=1), NotConvertible, "tensor_unknown"),
    "shape": (edited("config.json", intermediate_size=64), NotConvertible, "tensor_shape"),
    "vocabulary": (edited("config.json", vocab_size=262), NotConvertible, "tensor_shape"),
    "no JSON": (lambda folder: (folder / "config.json").write_text("["), CorruptFile, "no_json"),
    "deep JSON": (lambda folder: (folder / "config.json").write_text("[" * 100_000), CorruptFile, "no_json"),
    "part missing": (index(a="model.safetensors", b="model-2.safetensors"), FileMissing, ""),
    "part elsewhere": (index(a="../secret.safetensors"), CorruptFile, "no_json"),
    "rule": (edited("tokenizer.json", pre_tokenizer={"type": "Whitespace"}), NotConvertible, "tokenizer"),
    "normaliser": (edited("tokenizer.json", normalizer={"type": "Lowercase"}), NotConvertible, "tokenizer"),
    "unigram": (edited("tokenizer.json", model={"type": "Unigram", "vocab": []}), NotConvertible, "tokenizer"),
    "token": (
        edited("tokenizer.json", added_tokens=[{"id": 900, "content": "x"}]),
        NotConvertible,
        "too_many_tokens",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_be_done_rightly_is_refused(tmp_path: Path, case: str) -> None:
    spoil, kind, fault = REFUSED[case]
    folder = Published().write(tmp_path / "published")
    spoil(folder)
    with pytest.raises(kind) as raised:
        convert.open_source(folder)
    assert raised.value.facts.get("fault", "") == fault


def test_an_unknown_kind_is_refused(tmp_path: Path) -> None:
    source = convert.open_source(Published().write(tmp_path / "published"))
    with pytest.raises(UnknownType):
        finished(convert.convert(source, "q9_9", "made"))


def test_numbers_that_are_none_are_refused_and_nothing_stays(tmp_path: Path, home: Path) -> None:
    folder = Published(dtype="F32").write(tmp_path / "published")
    raw = bytearray((folder / "model.safetensors").read_bytes())
    raw[-4:] = struct.pack("<f", float("nan"))
    (folder / "model.safetensors").write_bytes(raw)
    with pytest.raises(CorruptFile) as raised:
        finished(convert.convert(convert.open_source(folder), "q8_0", "made"))
    assert raised.value.fault == "not_finite"
    assert [path.name for path in (home / "data" / "models").iterdir()] == [".locks"]


CUTS = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
BYTES = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
WORDS = {"type": "ByteLevel", "add_prefix_space": False}


def cut(digits: str) -> dict[str, Any]:
    return {"type": "Split", "pattern": {"Regex": CUTS % digits}, "behavior": "Isolated", "invert": False}


@pytest.mark.parametrize(
    ("steps", "whole", "rule"),
    [
        ([WORDS], False, "gpt-2"),
        ([{"type": "Digits", "individual_digits": True}, WORDS], False, "smollm"),
        ([cut(r"\p{N}{1,3}"), BYTES], True, "llama-bpe"),
        ([cut(r"\p{N}{1,3}"), BYTES], False, "smaug-bpe"),
        ([cut(r"\p{N}"), BYTES], False, "qwen2"),
    ],
)
def test_the_rule_that_cuts_words_is_known_by_itself(
    tmp_path: Path, steps: list[dict[str, Any]], whole: bool, rule: str
) -> None:
    body = tokenizer() | {"pre_tokenizer": {"type": "Sequence", "pretokenizers": steps}}
    body["model"]["ignore_merges"] = whole
    (tmp_path / "tokenizer.json").write_text(json.dumps(body))
    pairs = vocabulary.vocabulary(tmp_path, len(tokens_of_tiny()), {})
    assert pairs["tokenizer.ggml.pre"].endswith(rule.encode())


def field(number: int, value: int | float | bytes) -> bytes:
    """A field of a protobuf message; lengths and numbers below 128."""
    if isinstance(value, bytes):
        return bytes([number << 3 | 2, len(value)]) + value
    if isinstance(value, float):
        return bytes([number << 3 | 5]) + struct.pack("<f", value)
    return bytes([number << 3, value])


def pieces(kind: int = 2) -> bytes:
    """A small SentencePiece vocabulary: specials, all bytes, the letters of a word, the word."""
    listed: list[tuple[str, float, int]] = [("<unk>", 0.0, 2), ("<s>", 0.0, 3), ("</s>", 0.0, 3)]
    listed += [(f"<0x{byte:02X}>", 0.0, 6) for byte in range(256)]
    listed += [("▁a", -1.0, 1), ("▁", -2.0, 1), ("a", -3.0, 1), ("b", -4.0, 1)]
    made_of = b"".join(
        field(1, field(1, text.encode()) + field(2, score) + field(3, type_)) for text, score, type_ in listed
    )
    return made_of + field(2, field(3, kind))


def test_a_sentencepiece_vocabulary_is_read(tmp_path: Path, llama: Llama) -> None:
    folder = Published().write(tmp_path / "published")
    (folder / "tokenizer.model").write_bytes(pieces())
    loaded = llama(made(folder))
    assert loaded.tokenize("ab") == [259, 262]
    assert loaded.tokenize("aé") == [259, 3 + 0xC3, 3 + 0xA9]


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (pieces(kind=1), NotConvertible),
        (b"", NotConvertible),
        (pieces()[:-1], CorruptFile),
        (b"\xff" * 99, CorruptFile),
    ],
    ids=["unigram", "empty", "cut", "noise"],
)
def test_a_sentencepiece_vocabulary_that_is_none_is_refused(
    tmp_path: Path, data: bytes, kind: type[AbiertoError]
) -> None:
    folder = Published().write(tmp_path / "published")
    (folder / "tokenizer.model").write_bytes(data)
    with pytest.raises(kind):
        convert.open_source(folder)


def test_a_tied_matrix_that_is_stored_twice_is_written_once(tmp_path: Path) -> None:
    folder = Published(config={"tie_word_embeddings": True}).write(tmp_path / "published")
    names = [tensor.name for tensor in read_header(made(folder)).tensors]
    assert "output.weight" not in names


def test_another_seed_is_another_model(tmp_path: Path, llama: Llama) -> None:
    """The comparison with the reference would notice a difference."""
    model = Published()
    loaded = llama(made(model.write(tmp_path / "published")))
    assert loaded.greedy(PROMPT, 16) != replace(model, seed=1).greedy(PROMPT, 16)
