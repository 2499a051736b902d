"""The memory that a voice takes with ONNX Runtime on a processor, from what its graph tells (`voice_graph`): its
weights, and what lies side by side in the widest stage while so many seconds of speech are made at once.

ONNX Runtime keeps what it once asked the system for (`BFCArena`, https://github.com/microsoft/onnxruntime), and new
sizes do not always suit the pieces that are there, so that it holds more than is in use: with VITS in proportion to the
length of the speech, with Kokoro up to a tenth more or less. Text and frames take little beside the sound and are not
counted, nor are files with speakers that are loaded beside a model.

The constants under `MEASURED` come from the most that a process held with onnxruntime 1.32 on Linux, two threads, in 32
bits: VITS as Piper exports it (`piper.train`, https://github.com/OHF-Voice/piper1-gpl) with 21 to 128 MB of weights and
2 to 29 seconds of speech, and Kokoro 82M (https://github.com/hexgrad/kokoro) with 2 to 37 seconds, all of random
weights. Of numbers of 16 and 8 bits nothing was measured.
"""

from dataclasses import dataclass

from abierto.formats.footprint import FLOAT_BYTES, Footprint

USUAL_SECONDS = 20  # of speech, of a long sentence; voices are given one sentence after another
LONGEST = 3600

# MEASURED
ENGINE_BYTES = 79_000_000  # Python, numpy, ONNX Runtime
LOADED = 1.1  # times the weights of the file, with the nodes and what is laid out anew
ONCE, TWICE, STYLED = 7.3, 8.3, 8.8  # vectors of a place side by side in the widest stage


@dataclass(frozen=True, slots=True)
class Voice:
    """width: numbers of a place in the widest stage of the part that makes sound; every: samples of sound for such a
    place, more than one where spectra become sound. twice: whether the blocks of that stage have a second convolution
    after each one. rate: samples of a second."""

    width: int
    rate: int
    every: int = 1
    twice: bool = False

    def footprint(self, weights: int, seconds: float, texts: int = 1) -> Footprint:
        """With `weights` bytes in the file and so many seconds of speech of each of `texts` at once."""
        vectors = STYLED if self.every > 1 else TWICE if self.twice else ONCE
        places = self.rate * seconds / self.every
        loaded = round(weights * (LOADED - 1))
        return Footprint(weights, 0, round(places * self.width * vectors * FLOAT_BYTES) * texts, ENGINE_BYTES + loaded)
