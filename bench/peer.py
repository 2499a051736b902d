"""llama.cpp's own server, built on this computer from its source: the peer that the engines here are measured against.

The source distribution of llama-cpp-python holds llama.cpp (vendor/llama.cpp): `cmake -B build
-DCMAKE_BUILD_TYPE=Release` and `cmake --build build --target llama-server`, with the best that the compiler has
for this processor, which is the default. The program is found on the PATH.
"""

import json
import os
import shutil
import subprocess
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any

from abierto.engines._llama_client import Address, Exchange, ask


@dataclass(frozen=True, slots=True)
class Timed:
    """One answer. Seconds from the request; tokens of the answer."""

    first: float
    whole: float
    tokens: int

    @property
    def speed(self) -> float:
        """Tokens per second after the first."""
        return (self.tokens - 1) / (self.whole - self.first)


def program() -> str | None:
    """Where the peer is."""
    return shutil.which("llama-server")


class Peer:
    """A running server with a model, and no setting but threads, context and slots; use it in a `with` block."""

    def __init__(self, model: str, threads: int, slots: int, context: int) -> None:
        self._folder = tempfile.mkdtemp(prefix="bench-")
        self._address = Address(path=str(Path(self._folder) / "peer.sock"))
        command = [str(program()), "-m", model, "--host", self._address.path, "--no-webui"]
        command += ["-t", str(threads), "-np", str(slots), "-c", str(slots * context)]
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            command, stdout=quiet, stderr=quiet, env={**os.environ, "LLAMA_API_KEY": self._address.key}
        )

    def __enter__(self) -> "Peer":
        while self._process.poll() is None:
            with suppress(OSError):
                if ask(self._address, "GET", "/health")[0] == 200:
                    return self
            time.sleep(0.05)
        raise RuntimeError(f"{program()} ended with {self._process.returncode}")

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)

    def answer(self, prompt: str, tokens: int) -> Timed:
        """Ask, streaming, with greedy sampling."""
        body: dict[str, Any] = {"messages": [{"role": "user", "content": prompt}], "max_tokens": tokens}
        body |= {"temperature": 0, "stream": True, "stream_options": {"include_usage": True}}
        began, first, made = time.perf_counter(), 0.0, 0
        exchange = Exchange(self._address, "POST", "/v1/chat/completions", body)
        assert exchange.status() == 200
        for line in exchange.events():
            if line == b"[DONE]":
                break
            chunk = json.loads(line)
            if any(choice["delta"].get("content") for choice in chunk["choices"]):
                first = first or time.perf_counter() - began
            made = (chunk.get("usage") or {}).get("completion_tokens", made)
        whole = time.perf_counter() - began
        exchange.close()
        return Timed(first, whole, made)
