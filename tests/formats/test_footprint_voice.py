"""The memory of voices: what is read from a graph, and what follows from it."""

import json
from pathlib import Path

import numpy as np
import pytest
from onnx import TensorProto

from abierto.errors import CorruptFile, FileMissing
from abierto.formats import voice_graph
from abierto.formats.footprint_voice import ENGINE_BYTES, Voice
from tests.tiny_voice import TinyVoice


def test_the_widest_stage_decides(tmp_path: Path) -> None:
    # 64 numbers halve to 32, 16 and 8 while 8, 2 and 2 places are made of one: the last has 4 samples' worth of none
    found = voice_graph.read(TinyVoice(64, (8, 2, 2)).write(tmp_path / "voice.onnx"))
    assert found == Voice(width=8, rate=24_000)
    # made of one place four times with half the numbers each, the last stage is twice as wide for a sample
    found = voice_graph.read(TinyVoice(64, (8, 1)).write(tmp_path / "early.onnx"))
    assert found == Voice(width=32, rate=24_000)


def test_spectra_that_become_sound_have_fewer_places(tmp_path: Path) -> None:
    assert voice_graph.read(TinyVoice(hop=5).write(tmp_path / "v.onnx")) == Voice(width=8, rate=24_000, every=5)


def test_blocks_with_a_second_convolution(tmp_path: Path) -> None:
    found = voice_graph.read(TinyVoice(twice=True).write(tmp_path / "v.onnx"))
    assert found is not None
    assert found.twice
    once = Voice(found.width, found.rate)
    assert found.footprint(0, 10).compute > once.footprint(0, 10).compute


def test_the_rate_is_told_in_the_file_or_beside_it(tmp_path: Path) -> None:
    path = TinyVoice().write(tmp_path / "v.onnx")
    beside = path.with_name("v.onnx.json")
    for told, rate in (({"audio": {"sample_rate": 16_000}}, 16_000), ({"audio": {"sample_rate": -1}}, 24_000)):
        beside.write_text(json.dumps(told))
        found = voice_graph.read(path)
        assert found is not None
        assert found.rate == rate
    beside.write_text("[")
    found = voice_graph.read(TinyVoice(metadata={"sample_rate": "22050"}).write(path))
    assert found is not None
    assert found.rate == 22_050


@pytest.mark.parametrize(
    "other",
    [
        TinyVoice(strides=(4,)),
        TinyVoice(kind=TensorProto.FLOAT),
        TinyVoice(dtype=np.float16),
        TinyVoice(operators=("DynamicQuantizeLinear",)),
    ],
    ids=["one stage", "no text", "16 bits", "8 bits"],
)
def test_what_was_not_measured_is_not_told(tmp_path: Path, other: TinyVoice) -> None:
    assert voice_graph.read(other.write(tmp_path / "other.onnx")) is None


def test_a_file_that_is_cut_or_gone(tmp_path: Path) -> None:
    path = TinyVoice().write(tmp_path / "v.onnx")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(CorruptFile):
        voice_graph.read(path)
    with pytest.raises(FileMissing):
        voice_graph.read(tmp_path / "none.onnx")


def test_seconds_and_texts_cost_alike() -> None:
    voice = Voice(width=32, rate=22_050)
    one = voice.footprint(63_000_000, 10)
    assert one.weights == 63_000_000
    assert one.overhead == ENGINE_BYTES + 6_300_000
    assert one.compute == pytest.approx(10 * 22_050 * 32 * 7.3 * 4, rel=1e-6)
    assert voice.footprint(0, 20).compute == voice.footprint(0, 10, 2).compute == 2 * one.compute
