"""Builds a model of random weights, lets it work once, and prints what its process took: for `bench.media`, which runs
it with a Python that has the packages. It imports nothing of Abierto.

    python media_run.py whisper FOLDER WIDTH LAYERS TYPE
    python media_run.py unet|vae|dit FOLDER CHANNELS SIDE IMAGES
"""

import json
import os
import resource
import sys
from pathlib import Path
from typing import Any

WORDS = 50_257  # of Whisper's vocabulary, before its marks
HEAD = 64
THREADS = 2


def resident() -> int:
    """Bytes of this process now."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmRSS"):
            return int(line.split()[1]) * 1024
    return 0


def whisper(folder: Path, width: int, layers: int, kind: str) -> None:
    """A model of CTranslate2, written and then loaded in a process of its own: writing takes more than running."""
    import ctranslate2
    import numpy as np

    if not folder.exists():
        _write_whisper(folder, width, layers, kind)
        os.execv(sys.executable, [sys.executable, *sys.argv])
    model = ctranslate2.models.Whisper(str(folder), device="cpu", intra_threads=THREADS)
    sound = np.random.default_rng(0).standard_normal((1, 80, 3000)).astype(np.float32)
    heard = model.encode(ctranslate2.StorageView.from_array(sound))
    prompt = [WORDS + 1, WORDS + 2, WORDS + 102, WORDS + 106]
    model.generate(heard, [prompt], beam_size=5, max_length=224, suppress_blank=False)


def _write_whisper(folder: Path, width: int, layers: int, kind: str) -> None:
    from ctranslate2.specs import WhisperSpec

    spec = WhisperSpec(layers, width // HEAD, layers, width // HEAD)
    weights = _Weights(width)
    encoder, decoder = spec.encoder, spec.decoder
    encoder.conv1.weight, encoder.conv1.bias = weights.of(width, 80, 3), weights.of(width)
    encoder.conv2.weight, encoder.conv2.bias = weights.of(width, width, 3), weights.of(width)
    encoder.position_encodings.encodings = weights.of(1500, width)
    decoder.embeddings.weight = decoder.projection.weight = weights.of(WORDS + 1608, width)
    decoder.position_encodings.encodings, decoder.scale_embeddings = weights.of(448, width), False
    for part in (encoder, decoder):
        weights.norm(part.layer_norm)
        for layer in part.layer:
            weights.attention(layer.self_attention, (3, 1))
            if part is decoder:
                weights.attention(layer.attention, (1, 2, 1))
            weights.feed_forward(layer.ffn)
    marks = ["<|endoftext|>", "<|startoftranscript|>", *(f"<|l{number}|>" for number in range(99)), "<|translate|>"]
    marks += ["<|transcribe|>", "<|startoflm|>", "<|startofprev|>", "<|nospeech|>", "<|notimestamps|>"]
    times = [f"<|{number * 0.02:.2f}|>" for number in range(1501)]
    spec.register_vocabulary([*(f"w{number}" for number in range(WORDS)), *marks, *times])
    spec.validate()
    spec.optimize(quantization=None if kind == "float32" else kind)
    folder.mkdir(parents=True)
    spec.save(str(folder))


class _Weights:
    """Random numbers in the shapes that a part of CTranslate2's has."""

    def __init__(self, width: int) -> None:
        import numpy as np

        self._width, self._numpy, self._random = width, np, np.random.default_rng(0)

    def of(self, *shape: int) -> Any:
        return self._random.standard_normal(shape, dtype=self._numpy.float32) * self._numpy.float32(0.02)

    def norm(self, part: Any) -> None:
        part.gamma, part.beta = (self._numpy.full(self._width, value, self._numpy.float32) for value in (1, 0))

    def attention(self, part: Any, heights: tuple[int, ...]) -> None:
        self.norm(part.layer_norm)
        for linear, height in zip(part.linear, heights, strict=True):
            linear.weight, linear.bias = self.of(height * self._width, self._width), self.of(height * self._width)

    def feed_forward(self, part: Any) -> None:
        self.norm(part.layer_norm)
        wide = 4 * self._width
        part.linear_0.weight, part.linear_0.bias = self.of(wide, self._width), self.of(wide)
        part.linear_1.weight, part.linear_1.bias = self.of(self._width, wide), self.of(self._width)


def network(kind: str, folder: Path, channels: list[int], side: int, images: int) -> None:
    """A part of a Diffusers pipeline in PyTorch, 32 bits. side: places of the latent image."""
    import diffusers
    import torch

    torch.set_num_threads(THREADS)
    parts = len(channels)
    with torch.inference_mode():
        if kind == "unet":
            down = ("CrossAttnDownBlock2D",) * (parts - 1) + ("DownBlock2D",)
            up = ("UpBlock2D",) + ("CrossAttnUpBlock2D",) * (parts - 1)
            sizes = {"block_out_channels": tuple(channels), "cross_attention_dim": 768, "sample_size": side}
            model = diffusers.UNet2DConditionModel(down_block_types=down, up_block_types=up, **sizes)
            _keep(model, folder)
            model(torch.randn(images, 4, side, side), torch.tensor(5), torch.randn(images, 77, 768))
        elif kind == "vae":
            blocks = {
                "down_block_types": ("DownEncoderBlock2D",) * parts,
                "up_block_types": ("UpDecoderBlock2D",) * parts,
            }
            model = diffusers.AutoencoderKL(block_out_channels=tuple(channels), layers_per_block=2, **blocks)
            _keep(model, folder)
            model.decode(torch.randn(images, 4, side, side))
        else:
            layers, width = channels
            sizes = {"num_layers": layers, "num_attention_heads": width // HEAD, "caption_projection_dim": width}
            model = diffusers.SD3Transformer2DModel(attention_head_dim=HEAD, joint_attention_dim=4096, **sizes)
            _keep(model, folder)
            words, pooled = torch.randn(images, 333, 4096), torch.randn(images, 2048)
            model(torch.randn(images, 16, side, side), words, pooled, torch.full((images,), 5.0))


def _keep(model: Any, folder: Path) -> None:
    """Write what the formula reads; and count from here on, because making a model takes more than loading one."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "config.json").write_text(json.dumps(dict(model.config), default=list))
    (folder / "size").write_text(str(sum(one.numel() * one.element_size() for one in model.parameters())))
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most bytes that this process had since they were counted anew."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def main() -> None:
    kind, folder, *rest = sys.argv[1:]
    if kind == "whisper":
        whisper(Path(folder), int(rest[0]), int(rest[1]), rest[2])
    else:
        network(kind, Path(folder), [int(part) for part in rest[0].split(",")], int(rest[1]), int(rest[2]))
    print(json.dumps({"peak": peak(), "after": resident()}))


if __name__ == "__main__":
    main()
