"""Runs the command line as a person's shell does: as a process of its own."""

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass

import pytest


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left: its exit status and what it wrote."""

    status: int
    out: str
    err: str


Abierto = Callable[..., Result]


@pytest.fixture
def abierto() -> Abierto:
    """`abierto(*arguments, stdin=..., **environment)` runs `abierto ARGUMENTS` in the home of this test."""

    def run(*arguments: str, stdin: bytes | None = None, **environment: str) -> Result:
        done = subprocess.run(
            [sys.executable, "-m", "abierto", *arguments],
            input=stdin,
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            env={**os.environ, **environment},
            timeout=120,
        )
        return Result(done.returncode, done.stdout.decode(), done.stderr.decode())

    return run
