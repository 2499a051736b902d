"""Another process, which does as it is told on its standard input and says on its standard output how far it is."""

import subprocess
import sys
from types import TracebackType

# What it has at hand; each line that it is sent lets it go on after a `say`.
_PRELUDE = """
import sys
from pathlib import Path
from abierto.store import locks, pull, records, sources
folder, name = Path(sys.argv[1]), sys.argv[2]
def say(*words):
    print(*words, flush=True)
    sys.stdin.readline()
"""


class OtherProcess:
    """A Python process that runs some lines, with `folder`, `name` and `say` defined. Ends with its context."""

    def __init__(self, lines: str, *arguments: object) -> None:
        command = [sys.executable, "-c", _PRELUDE + lines, *map(str, arguments)]
        self.child = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)

    def __enter__(self) -> "OtherProcess":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.kill()

    def hears(self) -> str:
        """The next line that it says; empty when it has ended."""
        assert self.child.stdout
        return self.child.stdout.readline().rstrip("\n")

    def go_on(self) -> None:
        """Let it return from its `say`."""
        assert self.child.stdin
        self.child.stdin.write("\n")

    def kill(self) -> None:
        """End it at once, without any chance to clean up, and wait until it is gone."""
        self.child.kill()
        self.child.communicate()
