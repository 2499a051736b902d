# SPDX-License-Identifier: Apache-2.0
"""The networks of a folder, run by ONNX Runtime, and what turns latent images into pixels and words into numbers.

Arrays go in and come out as 32-bit floats, whatever the file stores. One network is run at a time: each uses all
threads that the session has, and drawings of several people take turns step by step.
"""

import threading
from pathlib import Path
from typing import Any

from abierto.errors import EngineFailed, TooManyWords
from abierto.formats import diffusers_folder, json_file
from abierto.formats.diffusers_folder import DiffusersFolder

NAME = "starter"
_TYPES = {
    "tensor(float)": "float32",
    "tensor(float16)": "float16",
    "tensor(double)": "float64",
    "tensor(int64)": "int64",
    "tensor(int32)": "int32",
}
_SEED = 0  # of the latent image by which the map to colours is found


def faults() -> tuple[type[Exception], ...]:
    """What ONNX Runtime raises: kinds of its own, which only have Exception in common, and RuntimeError."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    own = [kind for kind in vars(state).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    return (*own, RuntimeError)


class Network:
    """One file. Raises `faults` for one that ONNX Runtime cannot read."""

    def __init__(self, path: Path, options: Any, lock: threading.Lock) -> None:
        import onnxruntime

        self._session: Any = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        self.inputs = {one.name: one for one in self._session.get_inputs()}
        self._lock = lock

    def run(self, **arrays: Any) -> Any:
        """The first output for these inputs, each of the type that the file asks for. Raises EngineFailed."""
        given = {name: array.astype(_TYPES[self.inputs[name].type]) for name, array in arrays.items()}
        refusals = faults()
        try:
            with self._lock:
                return self._session.run(None, given)[0].astype("float32")
        except refusals as error:
            raise EngineFailed(NAME, str(error)) from error

    def close(self) -> None:
        """Give the memory back, when what runs is done."""
        with self._lock:
            self._session = None


class Networks:
    """text: tokens to what the denoiser looks at. denoiser: a latent image with noise to what is noise in it. decoder:
    a latent image to pixels."""

    def __init__(self, main: Path, threads: int) -> None:
        import onnxruntime

        onnxruntime.disable_telemetry_events()
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        # Or the threads of one network would spin for a while, waiting for more, as the next one computes.
        options.add_session_config_entry("session.force_spinning_stop", "1")
        options.log_severity_level = 3  # errors; they are raised as well
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        lock = threading.Lock()
        self.text, self.denoiser, self.decoder = (
            Network(diffusers_folder.network(main, name), options, lock) for name in diffusers_folder.NETWORKS
        )

    def close(self) -> None:
        """Give the memory back. May be called twice."""
        for network in (self.text, self.denoiser, self.decoder):
            network.close()

    @property
    def side(self) -> int:
        """Places of each side of the only latent images that the denoiser takes; 0 where it takes any."""
        last = self.denoiser.inputs["sample"].shape[-1]
        return last if isinstance(last, int) else 0

    def denoise(self, latent: Any, time: int, seen: Any) -> Any:
        """What the denoiser predicts. latent: [batch, channels, height, width]; seen: [batch, tokens, width]."""
        import numpy as np

        shape = self.denoiser.inputs["timestep"].shape
        # An export may take one time for all images, or one for each.
        told = np.full([] if not shape else [shape[0] if isinstance(shape[0], int) else len(latent)], time)
        return self.denoiser.run(sample=latent, timestep=told, encoder_hidden_states=seen)


class Words:
    """Text to the numbers of its tokens, each time as many as the model was trained with."""

    def __init__(self, main: Path, tokens: int) -> None:
        self.most = tokens
        self._tokenizer = _tokenizer(main.parent / "tokenizer" / "tokenizer.json")
        self._tokenizer.no_padding()
        self._tokenizer.no_truncation()
        self._filling = self._number_of(main, "pad_token")

    def count(self, words: str) -> int:
        """How many tokens, with those that mark beginning and end."""
        return len(self._tokenizer.encode(words).ids)

    def numbers(self, words: str) -> list[int]:
        """The tokens, filled up. Raises TooManyWords."""
        ids: list[int] = self._tokenizer.encode(words).ids
        if len(ids) > self.most:
            raise TooManyWords(len(ids), self.most)
        return ids + [self._filling] * (self.most - len(ids))

    def _number_of(self, main: Path, name: str) -> int:
        config = main.parent / "tokenizer" / "tokenizer_config.json"
        told = json_file.read_object(config).get(name) if config.is_file() else None
        token = told.get("content") if isinstance(told, dict) else told
        number: int | None = self._tokenizer.token_to_id(token) if isinstance(token, str) else None
        return number or 0


def _tokenizer(file: Path) -> Any:
    """Raises ValueError for a file that is none."""
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:
        raise ValueError(f"{file.name}: {error}") from error


class Pixels:
    """Latent images to images, whole and as previews."""

    def __init__(self, networks: Networks, folder: DiffusersFolder) -> None:
        self._decoder, self._folder = networks.decoder, folder
        self._colours: Any = None

    def decoded(self, latent: Any) -> Any:
        """The image of one latent image: bytes, [height, width, 3]."""
        values = self._decoder.run(latent_sample=latent / self._folder.scaling)[0]
        return _bytes(values.transpose(1, 2, 0) / 2 + 0.5)

    def seen(self, latent: Any) -> Any:
        """The same as a preview: each place of the latent image is one colour, and between places it is blended.

        It costs next to nothing, where the decoder costs about as much as a step.
        """
        import numpy as np

        if self._colours is None:
            self._colours = self._map()
        places = latent[0].transpose(1, 2, 0)
        ones = np.ones((*places.shape[:2], 1), "float32")
        values = np.concatenate([places, ones], axis=2) @ self._colours
        down, across = (_stretching(length, self._folder.scale) for length in values.shape[:2])
        return _bytes(np.einsum("yi,xj,ijc->yxc", down, across, values, optimize=True))

    def _map(self) -> Any:
        """From the channels of a place to its mean colour, by least squares over one image that is decoded."""
        import numpy as np

        folder = self._folder
        noise = np.random.default_rng(_SEED).standard_normal((1, folder.channels, folder.side, folder.side), "float32")
        image = self._decoder.run(latent_sample=noise / folder.scaling)[0] / 2 + 0.5
        means = image.reshape(3, folder.side, folder.scale, folder.side, folder.scale).mean((2, 4)).reshape(3, -1).T
        places = noise[0].reshape(folder.channels, -1).T
        known = np.concatenate([places, np.ones((len(places), 1), "float32")], axis=1)
        return np.linalg.lstsq(known, means, rcond=None)[0].astype("float32")


def _bytes(values: Any) -> Any:
    return (values.clip(0, 1) * 255 + 0.5).astype("uint8")


def _stretching(length: int, scale: int) -> Any:
    """The matrix that makes `length * scale` values of `length`, by straight lines between them."""
    import numpy as np

    places = ((np.arange(length * scale) + 0.5) / scale - 0.5).clip(0, length - 1)
    distance = np.abs(places[:, None] - np.arange(length)[None])
    return (1 - distance).clip(0).astype("float32")
