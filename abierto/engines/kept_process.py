"""Runs a program that must not outlive us, not even when we are killed without warning.

No operating system but Linux ties a child's life to its parent's, and Linux ties it to the thread that started it.
So a keeper stands between: this file, run as a program, starts the real one and waits for the end of its own
standard input, which comes when the parent is gone, however it went. It imports nothing but the standard library,
knows nothing of models, and is run by its path, so that it is up in a few milliseconds.
"""

import os
import shutil
import signal
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Mapping, Sequence
from typing import IO

GRACE = 3.0  # seconds between asking a program to end and killing it
TAIL_LINES = 200
LINE_LIMIT = 4096  # bytes
# Ctrl-C in a terminal goes to every process of the group; whether it ends the program is for the parent to say.
NEW_GROUP = int(getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0))


def status_of(returncode: int) -> str:
    """How a process ended, as people name it: `SIGSEGV`, or `exit 3`."""
    try:
        return signal.Signals(-returncode).name if returncode < 0 else f"exit {returncode}"
    except ValueError:
        return f"signal {-returncode}"


class Tail:
    """Reads a stream to its end in a thread of its own, and keeps its last lines."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._lines: deque[bytes] = deque(maxlen=TAIL_LINES)
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def text(self, patience: float = 0.0) -> str:
        """What is there, after waiting at most `patience` seconds for the end of the stream."""
        self._thread.join(patience)
        return b"".join(list(self._lines)).decode("utf-8", "replace")

    def _read(self) -> None:
        with self._stream:
            while line := self._stream.readline(LINE_LIMIT):
                self._lines.append(line)


class KeptProcess:
    """A program under a keeper, with a folder that is removed when it is gone. Raises OSError when it does not start.

    pid: the program's own process. ended: set when it is gone.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], folder: str) -> None:
        self._keeper = subprocess.Popen(
            [sys.executable, "-I", "-S", __file__, folder, *command],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=dict(environment),
            start_new_session=os.name == "posix",
            creationflags=NEW_GROUP,
        )
        assert self._keeper.stdin is not None
        assert self._keeper.stdout is not None
        assert self._keeper.stderr is not None
        self._stdin, self._reports = self._keeper.stdin, self._keeper.stdout
        self._tail = Tail(self._keeper.stderr)
        self._returncode: int | None = None
        self.ended = threading.Event()
        first = self._reports.readline().split()
        self._thread = threading.Thread(target=self._await_end, daemon=True)
        self._thread.start()
        if first[:1] != [b"pid"]:
            self.close()
            raise OSError(self.tail().strip())
        self.pid = int(first[1])

    def status(self, patience: float) -> str | None:
        """How the program ended, or None when it still runs after `patience` seconds."""
        if not self.ended.wait(patience):
            return None
        return "ended" if self._returncode is None else status_of(self._returncode)

    def tail(self) -> str:
        """The last lines that the program wrote to its standard error; all of them, once it has ended."""
        return self._tail.text(GRACE if self.ended.is_set() else 0.0)

    def close(self) -> None:
        """End the program, and kill it if it does not listen. May be called twice."""
        self._stdin.close()
        try:
            self._keeper.wait(GRACE + 2)
        except subprocess.TimeoutExpired:
            self._keeper.kill()
            self._keeper.wait()
        self._thread.join(GRACE)

    def _await_end(self) -> None:
        with self._reports:
            words = self._reports.readline().split()
            if words[:1] == [b"status"]:
                self._returncode = int(words[1])
        self.ended.set()


def _keep(folder: str, command: list[str]) -> int:
    """The keeper: say the program's pid, wait until it or our parent is gone, tidy up, say how it ended."""
    try:
        program = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=sys.stderr.fileno())
    except OSError as error:
        sys.stderr.write(str(error))
        return 1
    _say(f"pid {program.pid}")
    threading.Thread(target=_watch, args=(program,), daemon=True).start()
    returncode = program.wait()
    shutil.rmtree(folder, ignore_errors=True)
    _say(f"status {returncode}")
    return 0


def _watch(program: "subprocess.Popen[bytes]") -> None:
    while os.read(0, 4096):
        pass
    program.terminate()
    try:
        program.wait(GRACE)
    except subprocess.TimeoutExpired:
        program.kill()


def _say(line: str) -> None:
    try:
        os.write(1, line.encode() + b"\n")
    except OSError:
        return  # nobody is left to hear it


if __name__ == "__main__":
    sys.exit(_keep(sys.argv[1], sys.argv[2:]))
