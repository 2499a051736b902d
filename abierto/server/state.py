"""What all routes of one server share."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import time

from abierto.config import Settings
from abierto.runtime.residents import Residents
from abierto.server.kept import Kept

# Threads that wait for models, or for the disk. A thread costs some 50 kB; a request has one while it is answered.
MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class State:
    """residents: the models. threads: where work is done that would hold up the others. started: seconds since 1970.

    responses: answers that can be read again for a while.
    """

    settings: Settings
    residents: Residents
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_THREADS))
    started: float = field(default_factory=time)
    responses: Kept = field(default_factory=Kept)

    def close(self) -> None:
        """Break off all that runs."""
        self.responses.close()
        self.residents.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
