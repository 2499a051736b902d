"""What is foretold of a model that never ran here, from what was measured of this computer."""

from pathlib import Path
from typing import Any

import pytest

from abierto import catalog, config
from abierto.formats.gguf import read_parts
from abierto.formats.gguf_header import GGUFHeader
from abierto.journal import Journal
from abierto.runtime import rates
from abierto.runtime.rates import Rates, work_of
from abierto.store import layout, records
from abierto.store.records import ModelFile, Record
from tests.tiny_gguf import Tensor, TinyGGUF

COMPUTER = Rates(1e-3, 1e-4, 0.0, 0.0, {"F32": 1e-9}, {"F32": 1e-9})


def header(path: Path, **facts: Any) -> GGUFHeader:
    """The header of a tiny model."""
    return read_parts([str(TinyGGUF(**facts).write(path / "tiny.gguf"))])


def keep(**more: Any) -> None:
    """A measurement in the journal."""
    body = {**rates.facts(COMPUTER), **more}
    journal = Journal.at(config.folders().data)
    journal.add_measurement(engine="llamacpp", threads=2, rates=body)
    journal.close()


def answered(model: str, speed: float) -> None:
    """Answers of a model in the journal."""
    journal = Journal.at(config.folders().data)
    facts = {"model": model, "engine": "llamacpp", "task": "chat", "outcome": "stop"}
    journal.add_runs([{**facts, "completion_tokens": 100, "generation_seconds": 100 / speed}] * 3)
    journal.close()


@pytest.fixture
def pulled_tiny(home: Path) -> str:
    """The name of a pulled model."""
    folder = config.folders().models
    place = layout.model_folder(folder, "tiny:1b")
    place.mkdir(parents=True)
    path = TinyGGUF().write(place / "tiny.gguf")
    state = path.stat()
    file = ModelFile(path, state.st_size, state.st_mtime_ns, "ab" * 32)
    records.write(folder, Record("tiny:1b", "pypi:a==1#x", (file,), "2026-01-02T03:04:05+00:00"))
    return "tiny:1b"


def test_a_token_costs_the_bytes_that_are_read_for_it(tmp_path: Path) -> None:
    found = header(tmp_path)
    work = work_of(found, "openvino")
    matrices = [tensor for tensor in found.tensors if len(tensor.shape) > 1]
    embeddings = next(tensor for tensor in matrices if tensor.name == "token_embd.weight")
    output = next(tensor for tensor in matrices if tensor.name == "output.weight")
    assert work.read == {"F32": sum(tensor.size for tensor in matrices) - embeddings.size}
    inside = sum(tensor.elements for tensor in matrices) - embeddings.elements - output.elements
    assert work.multiplied == {"F32": inside}
    assert (work.blocks, work.attention) == (2, 2 * 4 * 16)
    told = rates.foretell(work, COMPUTER)
    assert told
    assert 1 / told.generation == pytest.approx(1e-3 + 2e-4 + work.read["F32"] * 1e-9)
    assert 1 / told.prompt == pytest.approx(inside * 1e-9)


def test_llamacpp_leaves_out_the_end_of_the_last_block_while_it_reads(tmp_path: Path) -> None:
    found = header(tmp_path)
    last = sum(tensor.elements for tensor in found.tensors if tensor.name.startswith("blk.1.ffn_") and tensor.shape[1:])
    whole, part = (sum(work_of(found, engine).multiplied.values()) for engine in ("openvino", "llamacpp"))
    assert whole - part == last > 0


def test_embeddings_that_choose_words_too_are_read(tmp_path: Path) -> None:
    tied = header(tmp_path, tensors={"output.weight": None})
    assert work_of(tied, "llamacpp").read == work_of(header(tmp_path), "llamacpp").read


def test_of_experts_those_count_that_are_used(tmp_path: Path) -> None:
    experts = {"blk.0.ffn_up_exps.weight": Tensor((64, 128, 4), "f32", bytes(64 * 128 * 4 * 4))}
    counts = {"llama.expert_count": 4, "llama.expert_used_count": 1}
    many = work_of(header(tmp_path, tensors=experts, metadata=counts), "openvino")
    none = work_of(header(tmp_path), "openvino")
    assert many.read["F32"] - none.read["F32"] == 64 * 128 * 4
    assert many.multiplied["F32"] - none.multiplied["F32"] == 64 * 128


def test_a_type_that_nobody_measured_has_no_speed(tmp_path: Path) -> None:
    assert rates.foretell(work_of(header(tmp_path, dtype="f16"), "llamacpp"), COMPUTER) is None


def test_a_computer_that_was_not_measured_foretells_nothing(tmp_path: Path, home: Path) -> None:
    assert rates.known().of_header(header(tmp_path), "llamacpp") is None
    assert not (config.folders().data / "journal.db").exists()


def test_a_new_measurement_counts_and_keeps_the_types_that_it_lacks(tmp_path: Path, home: Path) -> None:
    keep(byte={"F16": 5e-9, "F32": 5e-9}, weight={"F16": 5e-9, "F32": 5e-9})
    keep()
    assert rates.measured()["llamacpp"].byte == {"F16": 5e-9, "F32": 1e-9}
    assert rates.known().of_header(header(tmp_path), "llamacpp")
    assert rates.known().of_header(header(tmp_path), "openvino") is None


def test_a_card_is_told_by_its_active_parameters(home: Path) -> None:
    keep(byte={"Q4_K": 1e-10}, weight={"Q4_K": 1e-10})
    dense, experts = catalog.cards()["qwen3:4b"], catalog.cards()["qwen3:30b"]
    assert experts.parameters
    assert experts.active_parameters
    told = rates.known().of_card(experts, "q4_k_m", 10**9)
    assert told
    assert 1 / told.generation == pytest.approx(1e-3 + 0.1 * experts.active_parameters / experts.parameters)
    assert rates.known().of_card(dense, "q8_0", 10**9) is None


def test_a_card_that_does_not_say_how_many_weights_there_are_is_told_by_its_size(home: Path) -> None:
    keep(byte={"Q4_K": 1e-10}, weight={"Q4_K": 1e-10})
    card = catalog.cards()["smollm3:3b"]
    assert card.parameters is None
    told = rates.known().of_card(card, "q4_k_m", 144 * 10**6)
    assert told
    assert 1 / told.generation == pytest.approx(1e-3 + 0.0144)
    assert 1 / told.prompt == pytest.approx(256e6 * 1e-10)  # a block of Q4_K has 256 weights in 144 bytes
    assert rates.known().of_card(card, "mlx_4bit", 10**9) is None


def test_answers_move_what_is_foretold_of_others(tmp_path: Path, home: Path, pulled_tiny: str) -> None:
    keep()
    before = rates.known().of_header(header(tmp_path), "llamacpp")
    assert before
    answered(pulled_tiny, before.generation * 0.6)
    after = rates.known().of_header(header(tmp_path), "llamacpp")
    assert after
    assert after.generation == pytest.approx(before.generation * 0.8)  # the middle of the forecast and of one model


def test_answers_that_were_slowed_down_by_others_teach_nothing(tmp_path: Path, home: Path, pulled_tiny: str) -> None:
    keep()
    before = rates.known().of_header(header(tmp_path), "llamacpp")
    assert before
    answered(pulled_tiny, before.generation / 20)
    assert rates.known().of_header(header(tmp_path), "llamacpp") == before
