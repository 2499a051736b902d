"""A server as a person starts it, in a process of its own, for all tests of a module; and tiny models that it has."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import psutil
import pytest

from tests.tiny_gguf import TinyGGUF

PATIENCE = 60.0
# What the models in the folder say. Half precision, because openvino reads no other tensors that are not quantised.
MODELS = {
    "says": TinyGGUF(says="Hé 你🙂.", context=1024, dtype="f16"),
    "endless": TinyGGUF(says="abc", ends=False, context=8192, dtype="f16"),
    "random": TinyGGUF(context=1024, dtype="f16"),
    # Must leave out its first letter to write an object.
    "object": TinyGGUF(says="x{}", context=1024, dtype="f16"),
}


@dataclass
class Served:
    """A running server. address: without a slash at the end. home: its folder. log: what it wrote."""

    address: str
    process: "subprocess.Popen[str]"
    home: Path
    log: list[str] = field(default_factory=list)

    def client(self, **options: object) -> httpx2.Client:
        """A plain HTTP client for this server."""
        return httpx2.Client(base_url=self.address, timeout=PATIENCE, **options)  # type: ignore[arg-type]

    def children(self) -> list[psutil.Process]:
        """The processes that it started."""
        return psutil.Process(self.process.pid).children(recursive=True)

    def stop(self) -> int:
        """End it as Ctrl-C does; its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(PATIENCE)


Serve = Callable[..., Served]


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Serve]:
    """`serve(*arguments, **settings)` starts a server with the settings as ABIERTO_<NAME>; all are ended."""
    folder = tmp_path_factory.mktemp("models")
    for name, model in MODELS.items():
        model.write(folder / f"{name}.gguf")
    started: list[Served] = []

    def start(*arguments: str, home: Path | None = None, **settings: object) -> Served:
        place = home or tmp_path_factory.mktemp("home")
        chosen = {"language": "en", "other_programs": "no", "folders": folder, "model": "echo", **settings}
        environment = {f"ABIERTO_{name.upper()}": str(value) for name, value in chosen.items()}
        process = subprocess.Popen(
            [sys.executable, "-m", "abierto", "serve", "--port", "0", *arguments],
            env={**os.environ, "ABIERTO_HOME": str(place), **environment},
            stderr=subprocess.PIPE,
            text=True,
        )
        assert process.stderr
        first = process.stderr.readline()
        found = re.search(r"http://[^ ]*[^ .]", first)
        assert found, first + process.stderr.read()
        served = Served(found[0], process, place)
        started.append(served)
        return served

    yield start
    for served in started:
        with suppress(ProcessLookupError):
            served.stop()
        if served.process.stderr:
            served.process.stderr.close()


@pytest.fixture(scope="module")
def server(serve: Serve) -> Served:
    """The one server of most tests of a module."""
    return serve()
