"""Builds a voice of random weights, lets it say one text, and prints what its process took: for `bench.media`, which
runs it with a Python that has the packages. It imports nothing of Abierto.

    python voice_run.py piper FILE QUALITY[,SPEAKERS] SECONDS
    python voice_run.py kokoro FILE 82m SECONDS

The networks are those of piper-tts 1.8 and kokoro 0.9, in the sizes that their makers publish, and they are exported as
their makers do. Piper writes the samples of a second beside its file, as in the voices that it publishes.
"""

import json
import os
import sys
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import Any

THREADS = 2
PHONEMES = 15  # of a second of speech
FRAME = {"piper": 256, "kokoro": 600}  # samples
KOKORO_RATE, MOST_TOKENS = 24_000, 510
RANDOM_FRAMES = 25  # of a token, that a Kokoro of random weights makes of it
EXPORT = {"dynamo": False, "verbose": False}  # by tracing, as the published files were made


def piper(file: Path, quality: str, speakers: int) -> None:
    """As `piper.train.export_onnx` writes it."""
    import torch
    from piper.train.vits.config import ModelAudioConfig
    from piper.train.vits.models import SynthesizerTrn

    audio = ModelAudioConfig.high_quality() if quality == "high" else ModelAudioConfig.low_quality()
    width = 96 if quality == "x_low" else 192
    sizes = {"spec_channels": 513, "segment_size": 32, "n_heads": 2, "n_layers": 6, "kernel_size": 3, "p_dropout": 0.1}
    sizes |= {"inter_channels": width, "hidden_channels": width, "filter_channels": 4 * width, "n_speakers": speakers}
    several = {"gin_channels": 512} if speakers > 1 else {}
    model = SynthesizerTrn(n_vocab=256, **sizes, **several, **vars(audio)).eval()
    with torch.no_grad():
        model.dec.remove_weight_norm()

    def infer(text: Any, lengths: Any, scales: Any, sid: Any = None) -> Any:
        noise, length, noise_w = scales[0], scales[1], scales[2]
        made = model.infer(text, lengths, noise_scale=noise, length_scale=length, noise_scale_w=noise_w, sid=sid)
        return made[0].unsqueeze(1)

    model.forward = infer
    inputs = [torch.randint(0, 256, (1, 50)), torch.LongTensor([50]), torch.FloatTensor([0.667, 1.0, 0.8])]
    names = ["input", "input_lengths", "scales"]
    if speakers > 1:
        inputs, names = [*inputs, torch.LongTensor([0])], [*names, "sid"]
    axes = {"input": {0: "batch_size", 1: "phonemes"}, "input_lengths": {0: "batch_size"}}
    axes["output"] = {0: "batch_size", 2: "time"}
    torch.onnx.export(
        model, tuple(inputs), str(file), opset_version=15, input_names=names, output_names=["output"],
        dynamic_axes=axes, **EXPORT,
    )  # fmt: skip
    rate = 22_050 if quality in ("medium", "high") else 16_000
    file.with_name(f"{file.name}.json").write_text(json.dumps({"audio": {"sample_rate": rate}}))


def kokoro(file: Path) -> None:
    """As the configuration of the published model says."""
    import torch
    from transformers import AlbertConfig

    # The first file of the package asks for what turns texts into phonemes, which needs much and is not needed here.
    place = find_spec("kokoro")
    assert place is not None, "kokoro is not installed"
    whole = ModuleType("kokoro")
    whole.__path__ = list(place.submodule_search_locations or ())
    sys.modules["kokoro"] = whole
    from kokoro.istftnet import Decoder
    from kokoro.model import KModel, KModelForONNX
    from kokoro.modules import CustomAlbert, ProsodyPredictor, TextEncoder

    sizes = {"hidden_size": 768, "num_attention_heads": 12, "intermediate_size": 2048, "num_hidden_layers": 12}
    sizes |= {"vocab_size": 178, "max_position_embeddings": 512}
    sound = {"upsample_kernel_sizes": [20, 12], "upsample_rates": [10, 6], "gen_istft_hop_size": 5}
    sound |= {"gen_istft_n_fft": 20, "resblock_kernel_sizes": [3, 7, 11], "upsample_initial_channel": 512}
    sound |= {"resblock_dilation_sizes": [[1, 3, 5]] * 3, "disable_complex": True}
    model = KModel.__new__(KModel)  # to make one takes its weights
    torch.nn.Module.__init__(model)
    model.bert = CustomAlbert(AlbertConfig(attn_implementation="eager", **sizes))
    model.bert_encoder = torch.nn.Linear(768, 512)
    model.predictor = ProsodyPredictor(style_dim=128, d_hid=512, nlayers=3, max_dur=50, dropout=0.2)
    model.text_encoder = TextEncoder(channels=512, kernel_size=5, depth=3, n_symbols=178)
    model.decoder = Decoder(dim_in=512, style_dim=128, dim_out=80, **sound)
    inputs = (torch.randint(1, 100, (1, 48)), torch.randn(1, 256), torch.tensor([8.0]))
    axes = {"tokens": {1: "tokens"}, "audio": {0: "samples"}}
    torch.onnx.export(
        KModelForONNX(model.eval()).eval(), inputs, str(file), opset_version=17, dynamic_axes=axes,
        input_names=["tokens", "style", "speed"], output_names=["audio", "duration"], **EXPORT,
    )  # fmt: skip


def speak(kind: str, file: Path, seconds: int, rate: int) -> int:
    """How many samples were said. The networks know nothing, so that they are told how long to speak."""
    import numpy as np
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(str(file), sess_options=options, providers=["CPUExecutionProvider"])
    random = np.random.default_rng(0)
    frames = seconds * rate / FRAME[kind]
    if kind == "kokoro":
        count = min(seconds * PHONEMES, MOST_TOKENS) + 2
        feed = {"tokens": random.integers(1, 100, (1, count))}
        feed["style"] = random.standard_normal((1, 256)).astype(np.float32)
        feed["speed"] = np.array([RANDOM_FRAMES * count / frames], np.float32)
        return int(session.run(["audio"], feed)[0].size)
    count = 2 * seconds * PHONEMES  # with the pauses between them
    feed = {"input": random.integers(0, 256, (1, count)), "input_lengths": np.array([count])}
    feed["scales"] = np.array([0.667, frames / count, 0.0], np.float32)
    if len(session.get_inputs()) > len(feed):
        feed["sid"] = np.array([0])
    return int(session.run(None, feed)[0].size)


def most() -> int:
    """The most bytes that this process had."""
    said = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in said.splitlines() if line.startswith("VmHWM")) * 1024


def main() -> None:
    kind, name, shape, seconds = sys.argv[1:5]
    file = Path(name)
    if not file.exists():  # making a network takes more than running it, so that a new process does that
        if kind == "kokoro":
            kokoro(file)
        else:
            quality, _, speakers = shape.partition(",")
            piper(file, quality, int(speakers or 1))
        os.execv(sys.executable, [sys.executable, *sys.argv])
    about = file.with_name(f"{file.name}.json")
    rate = json.loads(about.read_text())["audio"]["sample_rate"] if about.exists() else KOKORO_RATE
    samples = speak(kind, file, int(seconds), rate)
    print(json.dumps({"peak": most(), "seconds": samples / rate}))


if __name__ == "__main__":
    main()
