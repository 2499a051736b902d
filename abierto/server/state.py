"""What all routes of one server share."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from time import time

from abierto.config import Settings
from abierto.runtime.residents import Residents

# Threads that wait for models, or for the disk. A thread costs some 50 kB; a request has one while it is answered.
MOST_THREADS = 1024


@dataclass(frozen=True, slots=True)
class State:
    """residents: the models. threads: where work is done that would hold up the others. started: seconds since 1970."""

    settings: Settings
    residents: Residents
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(MOST_THREADS))
    started: float = field(default_factory=time)

    def close(self) -> None:
        """Break off all that runs."""
        self.residents.close()
        self.threads.shutdown(wait=False, cancel_futures=True)
