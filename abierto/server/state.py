"""What all routes of one server share."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import time

from abierto.config import Settings
from abierto.runtime.residents import Residents
from abierto.server.kept import Kept
from abierto.server.pulls import Pulls
from abierto.server.requests import Requests

# Threads that wait for models, or for the disk. A thread costs some 50 kB; a request has one while it is answered.
MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class State:
    """residents: the models. threads: where work is done that would hold up the others. started: seconds since 1970.

    key: what only this person's programs on this computer know; empty for none. end: asks the server to end. pulls:
    what is fetched in the background. requests: what was asked so far. responses: answers that can be read again for a
    while.
    """

    settings: Settings
    residents: Residents
    key: str = ""
    end: Callable[[], None] = lambda: None
    pulls: Pulls = field(default_factory=Pulls)
    requests: Requests = field(default_factory=Requests)
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_THREADS))
    started: float = field(default_factory=time)
    responses: Kept = field(default_factory=Kept)

    def close(self) -> None:
        """Break off all that runs."""
        self.pulls.close()
        self.responses.close()
        self.residents.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
