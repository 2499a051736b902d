"""What each kind of block keeps of a conversation: against sums made by hand, over headers of every kind."""

from pathlib import Path
from typing import Any

import pytest

from abierto.formats import kv_cache
from abierto.formats.footprint import estimate
from abierto.formats.gguf import GGUFHeader, read_header
from abierto.formats.kv_cache import BlockCache
from tests.tiny_gguf import TinyGGUF, Typed

HEAD = 16 + 16  # numbers of a key and a value of one head of the tiny model


def header(folder: Path, architecture: str = "llama", layers: int = 2, **metadata: Any) -> GGUFHeader:
    """A tiny model of an architecture; `__` in the name of a key stands for a dot, and the architecture goes before."""
    pairs = {f"{architecture}.{key.replace('__', '.')}": value for key, value in metadata.items()}
    heads = metadata.get("attention__head_count_kv", 2)
    without = [number for number in range(layers) if isinstance(heads, list) and not heads[number]]
    tensors = dict.fromkeys(f"blk.{number}.attn_{part}.weight" for number in without for part in ("q", "k", "v"))
    made = TinyGGUF(context=65_536, layers=layers, architecture=architecture, metadata=pairs, tensors=tensors)
    return read_header(made.write(folder / "tiny.gguf"))


def test_grouped_queries_keep_their_few_heads(tmp_path: Path) -> None:
    assert kv_cache.blocks(header(tmp_path)) == [BlockCache(2 * HEAD)] * 2
    uneven = header(tmp_path, attention__head_count_kv=[4, 1])
    assert [block.per_token for block in kv_cache.blocks(uneven)] == [4 * HEAD, HEAD]


@pytest.mark.parametrize(
    ("architecture", "layers", "full"), [("gemma3", 12, (5, 11)), ("gpt-oss", 4, (1, 3)), ("gemma2", 4, (1, 3))]
)
def test_an_architecture_tells_which_blocks_slide(
    tmp_path: Path, architecture: str, layers: int, full: tuple[int, ...]
) -> None:
    found = header(tmp_path, architecture, layers, attention__sliding_window=512)
    blocks = kv_cache.blocks(found)
    assert [number for number, block in enumerate(blocks) if not block.slides] == list(full)
    cells = 768  # the window and a micro-batch, rounded up to a multiple of 256
    whole, sliding = len(full) * 65_536, (layers - len(full)) * cells
    assert estimate(found, 65_536).kv_cache == (whole + sliding) * 2 * HEAD * 2


def test_a_window_that_needs_no_key(tmp_path: Path) -> None:
    llama4 = header(tmp_path, "llama4", 4)
    assert kv_cache.window(llama4) == 8192
    assert [block.slides for block in kv_cache.blocks(llama4)] == [True, True, True, False]
    without = header(tmp_path, "llama4", 4, attention__sliding_window=0)
    assert not any(block.slides for block in kv_cache.blocks(without))


def test_an_old_mistral_window_is_not_used_by_the_engine(tmp_path: Path) -> None:
    assert not any(block.slides for block in kv_cache.blocks(header(tmp_path, attention__sliding_window=4096)))


def test_sliding_blocks_may_have_heads_of_another_size(tmp_path: Path) -> None:
    sizes = {"attention__key_length_swa": 8, "attention__value_length_swa": 4}
    found = header(tmp_path, "gemma3", 6, attention__sliding_window=512, **sizes)
    assert [block.per_token for block in kv_cache.blocks(found)] == [2 * 12] * 5 + [2 * HEAD]


def test_mamba_keeps_a_state_however_long_the_context(tmp_path: Path) -> None:
    sizes = {"ssm__conv_kernel": 4, "ssm__inner_size": 128, "ssm__state_size": 16, "ssm__time_step_rank": 4}
    found = header(tmp_path, "mamba", **sizes)
    state = 3 * 128 + 16 * 128
    assert kv_cache.blocks(found) == [BlockCache(0, False, state)] * 2
    assert estimate(found, 256).kv_cache == estimate(found, 65_536).kv_cache == 2 * state * 4
    assert estimate(found, 256, 3).kv_cache == 3 * 2 * state * 4


def test_mamba_2_looks_back_at_its_groups_too(tmp_path: Path) -> None:
    sizes = {"ssm__conv_kernel": 4, "ssm__inner_size": 128, "ssm__state_size": 16, "ssm__group_count": 2}
    assert kv_cache.blocks(header(tmp_path, "mamba2", **sizes))[0].state == 3 * (128 + 2 * 2 * 16) + 16 * 128


def test_rwkv_keeps_a_state(tmp_path: Path) -> None:
    found = header(tmp_path, "rwkv7", wkv__head_size=16, token_shift_count=2)
    assert kv_cache.blocks(found) == [BlockCache(0, False, 64 * (2 + 16))] * 2


def test_hybrids_have_attention_where_they_have_heads(tmp_path: Path) -> None:
    sizes = {"ssm__conv_kernel": 4, "ssm__inner_size": 128, "ssm__state_size": 16, "ssm__group_count": 1}
    found = header(tmp_path, "granitehybrid", 4, attention__head_count_kv=[0, 0, 0, 2], **sizes)
    state = 3 * (128 + 2 * 16) + 16 * 128
    assert kv_cache.blocks(found) == [BlockCache(0, False, state)] * 3 + [BlockCache(2 * HEAD)]


def test_hybrids_with_a_period_and_hybrids_in_every_block(tmp_path: Path) -> None:
    sizes = {"ssm__conv_kernel": 4, "ssm__inner_size": 128, "ssm__state_size": 16, "ssm__group_count": 1}
    state = 3 * (128 + 2 * 16) + 16 * 128
    period = kv_cache.blocks(header(tmp_path, "qwen3next", 8, **sizes))
    assert [block.state for block in period] == [state, state, state, 0] * 2
    assert [block.per_token for block in period] == [0, 0, 0, 2 * HEAD] * 2
    assert kv_cache.blocks(header(tmp_path, "falcon-h1", **sizes)) == [BlockCache(2 * HEAD, False, state)] * 2


def test_short_convolutions_keep_a_few_tokens(tmp_path: Path) -> None:
    found = header(tmp_path, "lfm2", shortconv__l_cache=3, attention__head_count_kv=[0, 2])
    assert kv_cache.blocks(found) == [BlockCache(0, False, 64 * 2), BlockCache(2 * HEAD)]


def test_latent_attention_keeps_one_compressed_vector(tmp_path: Path) -> None:
    sizes = {"attention__kv_lora_rank": 512, "attention__key_length": 576, "attention__value_length": 512}
    heads = {"attention__head_count_kv": 1}
    old = header(tmp_path, "deepseek2", **sizes, **heads)
    assert kv_cache.blocks(old) == [BlockCache(576 + 512)] * 2
    new = header(
        tmp_path, "deepseek2", **sizes, **heads, attention__key_length_mla=192, attention__value_length_mla=128
    )
    assert kv_cache.blocks(new) == [BlockCache(576)] * 2


def test_blocks_that_read_what_others_keep(tmp_path: Path) -> None:
    shared = kv_cache.blocks(header(tmp_path, "gemma4", 4, attention__shared_kv_layers=1))
    assert [block.per_token for block in shared] == [2 * HEAD] * 3 + [0]
    gemma3n = kv_cache.blocks(header(tmp_path, "gemma3n", 22))
    assert [bool(block.per_token) for block in gemma3n] == [True] * 20 + [False] * 2


def test_encoders_keep_nothing(tmp_path: Path) -> None:
    assert kv_cache.blocks(header(tmp_path, attention__causal=Typed("bool", False))) == []
