"""Times whole processes, one after the other in turn. It knows nothing of what they do."""

import os
import statistics
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Run:
    """One run of a command. Times in seconds, memory in bytes (the largest the process ever held)."""

    wall: float
    first_output: float
    cpu: float
    memory: int
    output: str


def run(command: Sequence[str], environment: Mapping[str, str] | None = None) -> Run:
    """Run a command once. Raises CalledProcessError when it fails."""
    started = time.perf_counter()
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env={**os.environ, **(environment or {})}
    )
    assert process.stdout is not None
    first = process.stdout.read(1)
    first_output = time.perf_counter() - started
    output = first + process.stdout.read()
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - started
    process.stdout.close()
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Run(wall, first_output, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, output.decode())


def in_turn(commands: Mapping[str, Sequence[str]], runs: int, warm_up: int = 1) -> dict[str, list[Run]]:
    """Run every command `runs` times, in turn, after `warm_up` rounds that do not count."""
    found: dict[str, list[Run]] = {name: [] for name in commands}
    for turn in range(warm_up + runs):
        for name, command in commands.items():
            measured = run(command)
            if turn >= warm_up:
                found[name].append(measured)
    return found


def median(values: Sequence[float]) -> float:
    """The middle value."""
    return statistics.median(values)


def spread(values: Sequence[float], digits: int = 2) -> str:
    """Median, and least to most in brackets."""
    return f"{median(values):.{digits}f} ({min(values):.{digits}f} to {max(values):.{digits}f})"


def ratios(ours: Sequence[float], theirs: Sequence[float]) -> list[float]:
    """What ours took for each one that theirs took, run by neighbouring run."""
    return [mine / other for mine, other in zip(ours, theirs, strict=True)]
