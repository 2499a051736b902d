"""The header reader: what a sound file says, and what each lie becomes."""

import math
import os
import struct
import sys
import tracemalloc
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from abierto.errors import CorruptFile, FileMissing, ModelFileError, NotAModel
from abierto.formats.gguf import ArrayInfo, TensorInfo, read_header
from tests.tiny_gguf import CHAT_TEMPLATE, Tensor, TinyGGUF, Typed, vocabulary

FLOATS = Tensor((8,), "f32", bytes(32))
SOUND = TinyGGUF().build()
SMALL = TinyGGUF(layers=1, embedding=32, heads=2, heads_kv=1, feed_forward=32, dtype="f16").build()


def told(path: Path) -> tuple[str, dict[str, Any]]:
    """The fault that is found in a file, and what is said about it."""
    with pytest.raises(CorruptFile) as caught:
        read_header(path)
    assert caught.value.path == str(path)
    return caught.value.fault, caught.value.about or {}


def fault(path: Path) -> str:
    return told(path)[0]


def metadata_fault(folder: Path, pairs: Mapping[str, Any]) -> str:
    return fault(TinyGGUF(metadata=pairs).write(folder / "lie.gguf"))


def test_what_a_sound_file_says(tmp_path: Path) -> None:
    header = read_header(TinyGGUF().write(tmp_path / "tiny.gguf"))
    assert (header.version, header.architecture, header.name, header.kind) == (3, "llama", "Tiny", "model")
    assert (header.size_label, header.license, header.languages) == ("0.1M", "apache-2.0", ("en", "es"))
    assert (header.context_length, header.block_count, header.embedding_length) == (512, 2, 64)
    assert (header.head_count, header.head_count_kv) == ((4, 4), (2, 2))
    assert (header.key_length, header.value_length) == (16, 16)
    assert (header.file_type, header.sliding_window, header.causal) == (0, None, True)
    assert (header.vocab_size, header.tokenizer, header.chat_template) == (len(vocabulary()), "gpt2", CHAT_TEMPLATE)
    assert (header.split_count, header.split_number, header.alignment) == (1, 0, 32)
    assert header.metadata["tokenizer.ggml.tokens"] == ArrayInfo("string", len(vocabulary()))
    assert header.metadata["tokenizer.ggml.merges"] == ("h e", "l l", "Ġ t", "e r")


def test_tensors_of_a_sound_file(tmp_path: Path) -> None:
    header = read_header(TinyGGUF().write(tmp_path / "tiny.gguf"))
    assert len(header.tensors) == 21
    assert header.tensors[0] == TensorInfo("token_embd.weight", (64, len(vocabulary())), "F32", 0, 67328)
    assert header.weights_size == 4 * header.parameter_count == 4 * 107712
    last = header.tensors[-1]
    assert header.data_offset + last.offset + last.size == header.file_size == len(SOUND)


def test_numbers_for_each_block(tmp_path: Path) -> None:
    heads = Typed("array", [Typed("u32", 4), Typed("u32", 2)])
    header = read_header(TinyGGUF(metadata={"llama.attention.head_count_kv": heads}).write(tmp_path / "tiny.gguf"))
    assert header.head_count_kv == (4, 2)


def test_windows_of_the_reader_join(tmp_path: Path) -> None:
    """Strings and arrays longer than what is read at once, and keys after them."""
    words = [f"{number:07d}" * 9000 for number in range(70)]
    pairs = {"x.words": words, "x.bytes": Typed("u8", 7), "tokenizer.ggml.tokens": [*vocabulary(), *words], "x.last": 5}
    pairs["x.flags"] = Typed("array", [Typed("bool", True)] * 2_000_000)
    pairs["x.end"] = "end"
    vocab = len(vocabulary()) + len(words)
    weights = Tensor((64, vocab), "f32", bytes(4 * 64 * vocab))
    tensors = {"token_embd.weight": weights, "output.weight": weights}
    header = read_header(TinyGGUF(metadata=pairs, tensors=tensors).write(tmp_path / "wide.gguf"))
    assert header.metadata["x.words"] == ArrayInfo("string", 70)
    assert header.metadata["x.flags"] == ArrayInfo("bool", 2_000_000)
    assert (header.metadata["x.bytes"], header.metadata["x.last"], header.metadata["x.end"]) == (7, 5, "end")
    assert header.vocab_size == vocab


@pytest.mark.parametrize(
    "model",
    [
        TinyGGUF(version=2),
        TinyGGUF(says="abc"),
        TinyGGUF(tensors={"output.weight": None}),
        TinyGGUF(tensors={"rope_freqs.weight": FLOATS}),
        TinyGGUF(metadata={"general.architecture": "qwen9", **{f"qwen9.{key}": 2 for key in (
            "block_count", "context_length", "embedding_length", "attention.head_count")}}),
        TinyGGUF(metadata={"general.type": "adapter", "llama.block_count": None}),
        TinyGGUF(metadata={"split.no": Typed("u16", 1), "split.count": Typed("u16", 3), "general.architecture": None}),
        TinyGGUF(metadata={"tokenizer.ggml.tokens": [*vocabulary()[:-2], "", ""]}),
        TinyGGUF(metadata={"llama.expert_count": 0, "llama.rope.scaling.type": "yarn"}),
        TinyGGUF(metadata={"general.alignment": 32}),
    ],
    ids=["v2", "says", "tied", "rope", "other", "adapter", "split", "empty-tokens", "no-experts", "alignment"],
)  # fmt: skip
def test_unusual_but_sound(model: TinyGGUF, tmp_path: Path) -> None:
    assert read_header(model.write(tmp_path / "odd.gguf")).tensors


def test_image_network_without_hyperparameters(tmp_path: Path) -> None:
    """Image models come as GGUF with tensors and an architecture, and nothing else."""
    pairs = dict.fromkeys(("llama.block_count", "llama.context_length", "llama.embedding_length"))
    whole = read_header(TinyGGUF().write(tmp_path / "whole.gguf"))
    no_blocks = {tensor.name: None for tensor in whole.tensors if tensor.name.startswith("blk.")}
    model = TinyGGUF(metadata={**pairs, "general.architecture": "flux"}, tensors=no_blocks)
    assert read_header(model.write(tmp_path / "flux.gguf")).architecture == "flux"


@pytest.mark.parametrize(
    ("expected", "model"),
    [
        ("unsupported_version", TinyGGUF(version=1)),
        ("unsupported_version", TinyGGUF(version=0)),
        ("unsupported_version", TinyGGUF(version=4)),
        ("big_endian", TinyGGUF(byte_order=">")),
        ("too_many_tensors", TinyGGUF(tensor_count=2**62)),
        ("string_too_long", TinyGGUF(tensor_count=60_000)),
        ("too_many_keys", TinyGGUF(metadata_count=10**9)),
        ("too_many_keys", TinyGGUF(metadata_count=2**62)),
        ("duplicate_key", TinyGGUF(metadata_count=28, extra=TinyGGUF().string("general.name") + TinyGGUF().value(
            Typed("str", "again")))),
        ("bad_key", TinyGGUF(metadata={"": 1})),
        ("bad_key", TinyGGUF(metadata={"k" * 70_000: 1})),
        ("string_too_long", TinyGGUF(metadata_count=28, extra=struct.pack("<Q", 2**62))),
        ("string_too_long", TinyGGUF(metadata={"x": Typed("array", [Typed("str", "a" * 9)] * 64 + [
            Typed("str", "a" * (16 << 20) + "b")])})),
        ("invalid_utf8", TinyGGUF(metadata={"general.name": Typed("str", b"\xff\xfe")})),
        ("invalid_utf8", TinyGGUF(metadata={"general.languages": Typed("array", [Typed("str", b"\xc3")])})),
        ("unknown_value_type", TinyGGUF(metadata={"x": Typed(13, b"....")})),
        ("unknown_value_type", TinyGGUF(metadata={"x": Typed("array", [], item=99)})),
        ("nested_array", TinyGGUF(metadata={"x": Typed("array", [], item="array")})),
        ("array_too_long", TinyGGUF(metadata={"x": Typed("array", [], item="u8", count=2**62)})),
        ("array_too_long", TinyGGUF(metadata={"x": Typed("array", [], item="str", count=2**30)})),
        ("array_too_long", TinyGGUF(metadata={"tokenizer.ggml.tokens": Typed("array", [], item="str", count=2**21)})),
        ("truncated", TinyGGUF(metadata={"x": Typed("array", [], item="u64", count=2**20)})),
        ("truncated", TinyGGUF(metadata={"x": Typed("array", [], item="str", count=2**20)})),
        ("duplicate_token", TinyGGUF(metadata={"tokenizer.ggml.tokens": [*vocabulary()[:-1], "a"]})),
        ("bad_alignment", TinyGGUF(metadata={"general.alignment": 0})),
        ("bad_alignment", TinyGGUF(metadata={"general.alignment": 24})),
        ("bad_alignment", TinyGGUF(metadata={"general.alignment": "32"})),
        ("bad_alignment", TinyGGUF(metadata={"general.alignment": Typed("i32", -32)})),
        ("tensor_unaligned", TinyGGUF(metadata={"general.alignment": 1, "x": "y" * 33})),
        ("tensor_unaligned", TinyGGUF(tensors={"x": Tensor((8,), "f32", bytes(32), offset=430849)})),
        ("tensors_overlap", TinyGGUF(tensors={"x": Tensor((8,), "f32", bytes(32), offset=64)})),
        ("tensor_outside_file", TinyGGUF(tensors={"x": Tensor((8,), "f32", bytes(32), offset=2**40)})),
        ("tensor_outside_file", TinyGGUF(tensors={"x": Tensor((8,), "f32", bytes(32), offset=2**64 - 32)})),
        ("truncated", TinyGGUF(tensors={"x": Tensor((2**40,), "f32", bytes(32))})),
        ("too_many_dimensions", TinyGGUF(tensors={"x": Tensor((1,) * 5, "f32", bytes(4))})),
        ("bad_shape", TinyGGUF(tensors={"x": Tensor((0,), "f32", b"")})),
        ("bad_shape", TinyGGUF(tensors={"x": Tensor((2**32, 2**32), "f32", bytes(4))})),
        ("bad_shape", TinyGGUF(tensors={"x": Tensor((31,), "q8_0", bytes(34))})),
        ("unknown_tensor_type", TinyGGUF(tensors={"x": Tensor((8,), 4, bytes(32))})),
        ("unknown_tensor_type", TinyGGUF(tensors={"x": Tensor((8,), 2**31, bytes(32))})),
        ("tensor_name_too_long", TinyGGUF(tensors={"x" * 64: FLOATS})),
    ],
)  # fmt: skip
def test_layout_lies(expected: str, model: TinyGGUF, tmp_path: Path) -> None:
    assert fault(model.write(tmp_path / "lie.gguf")) == expected


def test_duplicate_tensor(tmp_path: Path) -> None:
    path = tmp_path / "lie.gguf"
    path.write_bytes(SOUND.replace(b"blk.1.attn_q.weight", b"blk.0.attn_q.weight"))
    assert fault(path) == "duplicate_tensor"


@pytest.mark.parametrize("size", [5, 23, 24, 100, 3000, 6207, 6300, len(SOUND) - 1])
def test_truncated_anywhere(size: int, tmp_path: Path) -> None:
    path = tmp_path / "cut.gguf"
    path.write_bytes(SOUND[:size])
    name, about = told(path)
    assert (name, about["actual"]) == ("truncated", size)
    assert size < about["expected"] <= len(SOUND)


@pytest.mark.parametrize(
    ("expected", "pairs"),
    [
        ("missing_key", {"general.architecture": None}),
        ("missing_key", {"llama.block_count": None}),
        ("missing_key", {"llama.block_count": "two"}),
        ("missing_key", {"llama.context_length": None}),
        ("missing_key", {"llama.embedding_length": None}),
        ("value_out_of_range", {"llama.block_count": 0}),
        ("value_out_of_range", {"llama.block_count": 513}),
        ("value_out_of_range", {"llama.block_count": 2**32 - 1, "general.type": "adapter"}),
        ("value_out_of_range", {"llama.context_length": 0}),
        ("value_out_of_range", {"llama.context_length": 2**31}),
        ("value_out_of_range", {"llama.embedding_length": 0}),
        ("value_out_of_range", {"llama.nextn_predict_layers": 3}),
        ("value_out_of_range", {"llama.expert_count": 2000}),
        ("value_out_of_range", {"llama.attention.layer_norm_rms_epsilon": -1.0}),
        ("value_out_of_range", {"llama.attention.layer_norm_rms_epsilon": math.nan}),
        ("blocks_disagree", {"llama.block_count": 1}),
        ("blocks_disagree", {"llama.block_count": 3}),
        ("heads_disagree", {"llama.attention.head_count": None}),
        ("heads_disagree", {"llama.attention.head_count": 0}),
        ("too_many_heads", {"llama.attention.head_count": 128}),
        ("heads_disagree", {"llama.attention.head_count": Typed("i32", -4)}),
        ("heads_disagree", {"llama.attention.head_count_kv": 3}),
        ("heads_disagree", {"llama.attention.head_count_kv": [2, 0]}),
        ("too_few_items", {"llama.attention.head_count_kv": [2]}),
        ("experts_disagree", {"llama.expert_count": 8}),
        ("experts_disagree", {"llama.expert_used_count": 2}),
        ("experts_disagree", {"llama.expert_count": 2, "llama.expert_used_count": 8}),
        ("experts_disagree", {"llama.expert_group_count": 3}),
        ("unknown_rope_scaling", {"llama.rope.scaling.type": "su"}),
        ("template_too_complex", {"tokenizer.chat_template": "{{" + "(" * 300 + "1" + ")" * 300 + "}}"}),
        ("template_too_complex", {"tokenizer.chat_template": " " * (1 << 21)}),
    ],
)
def test_numbers_that_cannot_be_true(expected: str, pairs: Mapping[str, Any], tmp_path: Path) -> None:
    assert metadata_fault(tmp_path, pairs) == expected


@pytest.mark.parametrize(
    ("name", "dtype", "size"),
    [("token_embd.weight", 26, 4), ("blk.0.attn_q.weight", 24, 1), ("output_norm.weight", "f16", 2)],
)
def test_types_that_the_engine_dies_of(name: str, dtype: str | int, size: int, tmp_path: Path) -> None:
    shape = next(
        tensor.shape for tensor in read_header(TinyGGUF().write(tmp_path / "a")).tensors if tensor.name == name
    )
    model = TinyGGUF(tensors={name: Tensor(shape, dtype, bytes(size * math.prod(shape)))})
    assert fault(model.write(tmp_path / "lie.gguf")) == "unusable_tensor_type"


def test_facts_of_an_error_are_safe_to_print(tmp_path: Path) -> None:
    name = "\x1b[2J" + "x" * 900
    _, about = told(TinyGGUF(metadata={name: Typed(13, b"")}).write(tmp_path / "lie.gguf"))
    assert len(about["key"]) == 100
    assert about["key"].isprintable()


@pytest.mark.skipif(sys.platform == "win32", reason="files with holes take their whole size there")
@pytest.mark.parametrize(
    ("expected", "kind", "count"),
    [("duplicate_tensor", "str", 10_000), ("header_too_large", "f64", 1 << 30), ("header_too_large", "u8", 1 << 30)],
)
def test_memory_does_not_follow_the_claims(expected: str, kind: str, count: int, tmp_path: Path) -> None:
    """A file of 1 TB, most of it a hole that reads as zeros, in which every claimed length would fit."""
    path = tmp_path / "huge.gguf"
    array = TinyGGUF().value(Typed("array", [], item=kind, count=count))
    path.write_bytes(b"GGUF" + struct.pack("<IQQ", 3, 2, 1) + TinyGGUF().string("x") + array)
    os.truncate(path, 1 << 40)
    tracemalloc.start()
    try:
        assert fault(path) == expected
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissing):
        read_header(tmp_path / "nothing.gguf")
    with pytest.raises(NotAModel) as caught:
        read_header(tmp_path)
    assert caught.value.found == "folder"


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz") / "fuzz.gguf"


@settings(max_examples=300, deadline=None)
@given(
    changes=st.lists(st.tuples(st.integers(0, 6000), st.integers(0, 255)), max_size=8),
    big=st.lists(st.tuples(st.integers(4, 6000), st.sampled_from([2**31, 2**32 - 1, 2**62, 2**64 - 1])), max_size=2),
    size=st.integers(0, len(SMALL)) | st.none(),
)
def test_any_bytes_give_a_header_or_a_clear_error(
    scratch: Path, changes: list[tuple[int, int]], big: list[tuple[int, int]], size: int | None
) -> None:
    data = bytearray(SMALL)
    for place, byte in changes:
        data[place] = byte
    for place, number in big:
        struct.pack_into("<Q", data, place, number)
    scratch.write_bytes(data[:size])
    try:
        header = read_header(scratch)
    except (ModelFileError, FileMissing):
        return
    assert header.data_offset + max(tensor.offset + tensor.size for tensor in header.tensors) <= header.file_size
    assert len(header.head_count) == len(header.sliding_blocks) == header.block_count
