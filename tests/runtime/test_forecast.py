"""What is foretold of a model: by its header, by its card, and the engines that can read it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from abierto import machine
from abierto.config import Settings
from abierto.errors import ModelNotPulled, OptionOutOfRange, UnknownModel
from abierto.formats import footprint_unread
from abierto.runtime.fit import plan
from abierto.runtime.forecast import forecast
from abierto.runtime.resolve import resolve
from tests.tiny_diffusers import TinyDiffusers
from tests.tiny_gguf import TinyGGUF
from tests.tiny_voice import FRAMES, TinyVoice


def test_what_is_foretold_is_what_is_planned(tmp_path: Path) -> None:
    path = str(TinyGGUF(context=4096).write(tmp_path / "tiny.gguf"))
    found = forecast(path, 2048)
    target = resolve(path, tmp_path / "models")
    for fit in found.fits:
        assert fit.footprint.total == plan(target, 2048, Settings(), 1, fit.engine).estimate
    assert found.context == 2048
    assert forecast(path).context == 4096  # what is usual is more than it was trained for
    with pytest.raises(OptionOutOfRange):
        forecast(path, 4097)


def test_an_engine_is_left_out_that_makes_no_network_of_the_architecture(tmp_path: Path) -> None:
    for architecture, engines in (("llama", ["llamacpp", "openvino"]), ("gemma3", ["llamacpp"])):
        path = TinyGGUF(architecture=architecture).write(tmp_path / f"{architecture}.gguf")
        assert [fit.engine for fit in forecast(str(path)).fits] == engines


def test_a_folder_of_openvino(tmp_path: Path) -> None:
    sizes = {"num_hidden_layers": 4, "num_attention_heads": 8, "hidden_size": 512, "max_position_embeddings": 9000}
    (tmp_path / "openvino_model.xml").write_text('<?xml version="1.0"?><net name="Model0" version="11"/>')
    (tmp_path / "openvino_model.bin").write_bytes(bytes(1000))
    (tmp_path / "config.json").write_text(json.dumps(sizes))
    found = forecast(str(tmp_path), 1024)
    assert [fit.engine for fit in found.fits] == ["openvino"]
    assert found.fits[0].footprint.kv_cache == 1024 * 2 * 4 * 8 * (64 + 8)


def test_a_card_without_a_size_is_guessed_by_its_parameters() -> None:
    found = forecast("deepseek-r1:671b:q4_k_m")
    assert found.size == footprint_unread.weights_size("q4_k_m", 671_000_000_000)
    assert found.fits[0].verdict.word == "needs_more"
    assert found.fits[0].verdict.missing == found.fits[0].footprint.total - machine.memory().total


@pytest.mark.parametrize(("name", "size"), [("sdxl:1.0", 5.2e9), ("all-minilm:l6-v2:onnx", 91e6)])
def test_what_tells_no_type_is_guessed_with_what_is_usual_in_its_format(name: str, size: float) -> None:
    found = forecast(name)
    assert found.told_by == "parameters"
    assert found.size == pytest.approx(size, rel=0.02)


GROWN = """
import psutil
before = psutil.Process().memory_info().rss
from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.tasks.embed import EmbedRequest
session = engines.load("sentence_encoder", [], LoadOptions(task="embed"))
list(session.embed(EmbedRequest(("una frase para el codificador " * 20,) * 64)))
print(psutil.Process().memory_info().rss - before)
"""


def test_a_model_in_a_package_takes_what_was_foretold() -> None:
    found = forecast("use-multilingual")
    grown = int(subprocess.run([sys.executable, "-c", GROWN], check=True, capture_output=True).stdout)
    assert found.told_by == "package"
    assert abs(found.fits[0].footprint.total - grown) < 100 << 20


def test_a_card_that_tells_nothing_is_not_guessed() -> None:
    with pytest.raises(ModelNotPulled):
        forecast("sdxl-turbo")
    with pytest.raises(UnknownModel):
        forecast("no-such-model-at-all")


def test_a_model_that_an_engine_here_draws_with(tmp_path: Path) -> None:
    found = forecast(str(TinyDiffusers(side=8).write(tmp_path / "tiny").parent))
    assert [fit.engine for fit in found.fits] == ["starter"]
    assert (found.work, found.image) == ("images", (32, 32))
    assert found.fits[0].footprint.total > found.size > 0
    assert found.fits[0].verdict.word == "fits"


SPOKEN = """
import sys
from pathlib import Path
import numpy, onnxruntime
path, symbols = sys.argv[1], int(sys.argv[2])
session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
said = session.run(None, {"input": numpy.zeros((1, symbols), numpy.int64)})[0].size
most = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(said, int(most.split()[1]) * 1024)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells what a process took at most")
def test_a_voice_takes_what_was_foretold(tmp_path: Path) -> None:
    path = TinyVoice(128, (8, 8)).write(tmp_path / "voice.onnx")
    seconds = 15
    symbols = seconds * 24_000 // (8 * 8 * FRAMES)
    command = [sys.executable, "-c", SPOKEN, str(path), str(symbols)]
    said, most = map(int, subprocess.run(command, check=True, capture_output=True).stdout.split())
    found = forecast(str(path), seconds=seconds)
    assert (found.work, found.seconds, found.told_by) == ("speech", seconds, "header")
    assert said == pytest.approx(seconds * 24_000, rel=0.01)
    needed = found.fits[0].footprint
    assert abs(needed.total - most) < 100 << 20
    assert needed.compute > 200 << 20


def test_a_voice_that_is_not_here_is_told_by_its_card() -> None:
    found = forecast("piper:es_es-davefx-medium", users=2)
    assert (found.work, found.seconds, found.told_by) == ("speech", 20, "card")
    assert found.fits[0].footprint.compute == 2 * forecast("piper:es_es-davefx-medium").fits[0].footprint.compute
    assert forecast("kokoro").told_by == "parameters"
