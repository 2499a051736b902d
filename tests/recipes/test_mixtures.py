"""Which tensor gets which type: the same mixtures as the engine's own tools make, and both codecs agree."""

import struct

import pytest

from abierto.recipes import ggml_codec, mixtures, numpy_codec
from abierto.recipes.codec import NotFinite
from abierto.recipes.mixtures import MIXTURES, Traits

LLAMA = Traits(blocks=32, sharing=4, experts=0, tied=False)
SIMPLE = ("F32", "F16", "BF16", "Q8_0", "Q5_1", "Q5_0", "Q4_1", "Q4_0")


def values(count: int) -> bytes:
    """Numbers that are neither regular nor of one size; the same on every computer."""
    return struct.pack(f"<{count}f", *(((place * 7919) % 257 - 128) / (1 + place % 13) for place in range(count)))


@pytest.mark.parametrize(
    ("kind", "name", "expected"),
    [
        ("q4_0", "blk.3.attn_v.weight", "Q4_0"),
        ("q4_0", "output.weight", "Q6_K"),
        ("q8_0", "output.weight", "Q8_0"),
        ("q4_0", "token_embd.weight", "Q4_0"),
        ("f16", "output.weight", "F16"),
        ("q4_k_m", "blk.0.attn_v.weight", "Q6_K"),
        ("q4_k_m", "blk.4.ffn_down.weight", "Q4_K"),
        ("q4_k_m", "blk.6.ffn_down.weight", "Q6_K"),
        ("q4_k_m", "blk.31.ffn_down.weight", "Q6_K"),
        ("q4_k_m", "blk.31.ffn_up.weight", "Q4_K"),
        ("q4_k_s", "blk.3.ffn_down.weight", "Q5_K"),
        ("q4_k_s", "blk.4.ffn_down.weight", "Q4_K"),
        ("q3_k_m", "blk.1.attn_v.weight", "Q5_K"),
        ("q3_k_m", "blk.2.attn_v.weight", "Q4_K"),
        ("q2_k", "blk.9.attn_v.weight", "Q4_K"),
        ("q2_k", "blk.9.attn_output.weight", "Q3_K"),
        ("iq4_xs", "blk.9.attn_v.weight", "Q5_K"),
        ("q4_k_m", "blk.0.ffn_down_exps.weight", "Q6_K"),
    ],
)
def test_a_file_of_a_kind_is_the_usual_mixture(kind: str, name: str, expected: str) -> None:
    assert mixtures.type_for(kind, name, (4096, 4096), LLAMA) == expected


def test_a_tied_matrix_counts_as_output() -> None:
    tied = Traits(blocks=4, sharing=1, experts=0, tied=True)
    assert mixtures.type_for("q4_0", "token_embd.weight", (4096, 100), tied) == "Q6_K"


@pytest.mark.parametrize(("row", "expected"), [(576, "Q5_0"), (48, "F16"), (512, "Q4_K")])
def test_rows_that_do_not_fit_a_block_get_another_type(row: int, expected: str) -> None:
    assert mixtures.type_for("q4_k_m", "blk.9.ffn_up.weight", (row, 8), LLAMA) == expected


@pytest.mark.parametrize(
    ("name", "shape", "kept"),
    [
        ("blk.0.attn_norm.weight", (64,), True),
        ("blk.0.attn_q.bias", (64,), True),
        ("blk.0.ffn_gate_inp.weight", (64, 8), True),
        ("blk.0.attn_q_norm.weight", (64, 2), True),
        ("blk.0.attn_q.weight", (64, 64), False),
        ("blk.0.ffn_up_exps.weight", (64, 64, 8), False),
    ],
)
def test_what_is_small_and_delicate_stays(name: str, shape: tuple[int, ...], kept: bool) -> None:
    assert mixtures.is_kept(name, shape) is kept


@pytest.mark.parametrize("dtype", SIMPLE)
def test_both_codecs_make_the_same_bytes(dtype: str) -> None:
    ggml, numpy = ggml_codec.load(), numpy_codec.load()
    assert ggml is not None
    assert numpy is not None
    assert ggml.writes(dtype)
    assert numpy.writes(dtype)
    made = ggml.encode(dtype, values(4096), 512)
    assert made == numpy.encode(dtype, values(4096), 512)
    assert numpy.decode(dtype, made) == ggml.decode(dtype, made)


@pytest.mark.parametrize("kind", MIXTURES)
def test_what_is_encoded_is_near_what_it_was(kind: str) -> None:
    codec, dtype = ggml_codec.load(), MIXTURES[kind].dtype
    assert codec is not None
    before = struct.unpack("<2048f", values(2048))
    after = struct.unpack("<2048f", codec.decode(dtype, codec.encode(dtype, values(2048), 512)))
    error = sum((one - other) ** 2 for one, other in zip(before, after, strict=True))
    allowed = 0.2 if kind == "q2_k" else 0.05
    assert error <= allowed * sum(one**2 for one in before)


@pytest.mark.parametrize("dtype", ["F16", "Q8_0"])
@pytest.mark.parametrize("number", [float("nan"), float("inf"), 1e30])
def test_numbers_that_are_none_are_refused_by_both(dtype: str, number: float) -> None:
    data = struct.pack("<32f", number, *[0.0] * 31)
    for codec in (ggml_codec.load(), numpy_codec.load()):
        assert codec is not None
        with pytest.raises(NotFinite):
            codec.encode(dtype, data, 32)


def test_a_library_that_is_none_is_not_used() -> None:
    assert ggml_codec.load(library="/no/such/library") is None
    assert ggml_codec.load(library="libc.so.6") is None
