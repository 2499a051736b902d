"""Loads a GGUF file with llama.cpp and asks it, token by token; and makes models to the end."""

from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import xllamacpp

from abierto.engines._llama_client import Address, ask
from abierto.recipes.steps import Step
from abierto.store.records import Record


@dataclass(frozen=True)
class Loaded:
    """A file as llama.cpp has loaded it."""

    address: Address
    server: Any

    def greedy(self, tokens: list[int], count: int) -> list[int]:
        """The likeliest tokens, one after the other."""
        body = {"prompt": tokens, "n_predict": count, "temperature": 0, "return_tokens": True, "ignore_eos": True}
        found: list[int] = self._asked("/completion", body)["tokens"]
        return found

    def tokenize(self, text: str) -> list[int]:
        """The tokens of a text, special ones too."""
        found: list[int] = self._asked("/tokenize", {"content": text, "parse_special": True})["tokens"]
        return found

    def first(self, tokens: list[int]) -> tuple[int, float]:
        """The likeliest next token, and the logarithm of its probability."""
        found = self._asked("/completion", {"prompt": tokens, "n_predict": 1, "temperature": 0, "n_probs": 1})
        best = found["completion_probabilities"][0]
        return best["id"], best["logprob"]

    def _asked(self, path: str, body: dict[str, Any]) -> Any:
        status, found = ask(self.address, "POST", path, body)
        assert status == 200, found
        return found


@pytest.fixture
def llama(tmp_path: Path) -> Iterator[Callable[[Path], Loaded]]:
    """`llama(path)` loads a file."""
    loaded: list[Loaded] = []

    def load(path: Path) -> Loaded:
        address = Address(path=str(tmp_path / f"{len(loaded)}.sock"))
        params = xllamacpp.CommonParams()
        params.model.path = str(path)
        params.hostnames, params.api_keys = [address.path], [address.key]
        params.n_ctx, params.n_parallel, params.verbosity = 256, 1, -1
        params.warmup = params.fit_params = params.ui = False
        server = xllamacpp.Server(params)
        ask(address, "GET", "/slots")  # only its loop can answer this; before, it must not be dropped
        loaded.append(Loaded(address, server))
        return loaded[-1]

    yield load
    loaded.clear()


def finished(steps: Generator[Step, None, Record]) -> Record:
    """Let a model be made to its end."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            record: Record = end.value
            return record
