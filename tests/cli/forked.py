"""Commands that begin at once: each is forked from one process that has imported already what most of them import.

A command has its own arguments, environment, folder and files, and ends as it would alone. It is a process like any
other but for its beginning, which other tests look at: `python -m abierto` in a terminal, without a network, and so on.
"""

import gc
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

from tests.conftest import REPOSITORY

PATIENCE = 120.0  # seconds
ANSWER = 4  # bytes: the exit status as text


class Forked:
    """The process that is forked. Close it."""

    def __init__(self) -> None:
        self._python = of_python(os.environ)
        self._start()

    def _start(self) -> None:
        self._line, other = socket.socketpair()
        self._line.settimeout(PATIENCE)
        with other:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.cli.forked", str(other.fileno())],
                cwd=REPOSITORY,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                pass_fds=[other.fileno()],
                start_new_session=True,
            )

    def begins_alike(self, environment: Mapping[str, str]) -> bool:
        """Whether a Python of its own would begin in the same way in this environment."""
        return of_python(environment) == self._python

    def run(self, arguments: Sequence[str], environment: Mapping[str, str], files: Sequence[IO[bytes]]) -> int:
        """Run a command with these files as its input, output and errors. Returns the exit status."""
        with tempfile.TemporaryFile() as request:
            request.write(json.dumps([arguments, dict(environment), str(Path.cwd())]).encode())
            request.seek(0)
            socket.send_fds(self._line, [b"."], [request.fileno(), *(file.fileno() for file in files)])
        try:
            return int(self._line.recv(ANSWER, socket.MSG_WAITALL))
        except TimeoutError:
            os.killpg(self._process.pid, signal.SIGKILL)
            self.close()
            self._start()  # the commands after this one are not to blame
            raise

    def close(self) -> None:
        """End it."""
        self._line.close()
        self._process.wait(PATIENCE)


def of_python(environment: Mapping[str, str]) -> dict[str, str]:
    """What Python itself looks at when it begins."""
    return {name: value for name, value in environment.items() if name.startswith("PYTHON")}


def main() -> None:
    """Wait for commands, and fork for each."""
    import abierto.journal  # noqa: F401  its library takes longest
    from abierto import catalog, cli

    catalog.shipped()  # is kept; the cards of a person's own are looked up by each command
    gc.collect()
    gc.freeze()  # what is here is not looked through by those that are forked, and so not copied either
    line = socket.socket(fileno=int(sys.argv[1]))
    while files := socket.recv_fds(line, 1, 4)[1]:
        child = os.fork()
        if not child:
            line.close()
            become(files)
            cli.main()
        for file in files:
            os.close(file)
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        line.sendall(f"{status:{ANSWER}}".encode())


def become(files: Sequence[int]) -> None:
    """Take over what a command is given: the request, and its input, output and errors."""
    with os.fdopen(files[0], encoding="utf-8") as request:
        arguments, environment, folder = json.load(request)
    for number, file in enumerate(files[1:]):
        os.dup2(file, number)
        os.close(file)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv[1:] = arguments


if __name__ == "__main__":
    main()
