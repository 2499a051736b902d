"""Runs the command line as a person's shell does: each command is a process."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from tests.cli.forked import PATIENCE, Forked


@dataclass(frozen=True, slots=True)
class Result:
    """What a command left: its exit status and what it wrote."""

    status: int
    out: str
    err: str


Abierto = Callable[..., Result]


@pytest.fixture(scope="session")
def forked() -> Iterator[Forked | None]:
    """What commands are forked from; None where the system does not fork."""
    if not hasattr(os, "fork"):
        yield None
        return
    made = Forked()
    yield made
    made.close()


@contextmanager
def given_as(stdin: bytes | None) -> Iterator[IO[bytes]]:
    """A file with what a command is to read; None is nothing at all."""
    with Path(os.devnull).open("rb") if stdin is None else tempfile.TemporaryFile() as file:
        if stdin:
            file.write(stdin)
            file.seek(0)
        yield file


@pytest.fixture
def abierto(forked: Forked | None) -> Abierto:
    """`abierto(*arguments, stdin=..., **environment)` runs `abierto ARGUMENTS` in the home of this test."""

    def run(*arguments: str, stdin: bytes | None = None, **environment: str) -> Result:
        there = {**os.environ, **environment}
        with given_as(stdin) as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            if forked and forked.begins_alike(there):
                status = forked.run(arguments, there, (given, out, err))
            else:
                command = [sys.executable, "-m", "abierto", *arguments]
                done = subprocess.run(command, stdin=given, stdout=out, stderr=err, env=there, timeout=PATIENCE)
                status = done.returncode
            for file in (out, err):
                file.seek(0)
            return Result(status, out.read().decode(), err.read().decode())

    return run
