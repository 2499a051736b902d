"""How often each route was asked, how it ended, and how long that took. It knows no wire format."""

import threading
from collections import Counter

# Methods that there are; a client may write anything in that place.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
OTHER = "other"


class Requests:
    """Numbers that only grow. Its keys are few, whatever clients send."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._ended: Counter[tuple[str, str, str, int]] = Counter()
        self._seconds: dict[tuple[str, str], float] = {}

    def add(self, dialect: str, route: str, method: str, status: int, seconds: float) -> None:
        """A request has ended. route: the path as the route writes it, empty where there is none."""
        with self._lock:
            self._ended[dialect, method if method in METHODS else OTHER, route or OTHER, status] += 1
            key = dialect, route or OTHER
            self._seconds[key] = self._seconds.get(key, 0.0) + seconds

    def ended(self) -> dict[tuple[str, str, str, int], int]:
        """How many, by dialect, method, route and HTTP status."""
        with self._lock:
            return dict(self._ended)

    def seconds(self) -> dict[tuple[str, str], float]:
        """How long they took together, by dialect and route."""
        with self._lock:
            return dict(self._seconds)
