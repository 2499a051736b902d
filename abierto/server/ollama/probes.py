"""What Ollama's clients ask before anything else: whether it is there, and which version it is."""

import abierto
from abierto.server.exchange import Call, Reply, Route

# Whose dialect this is: the version of Ollama that was read for it. Clients compare it with the one that they need.
VERSION = "0.33.0"


def alive(_call: Call) -> Reply:
    """The words by which clients know Ollama."""
    return Reply(b"Ollama is running", media_type="text/plain; charset=utf-8")


def version(_call: Call) -> Reply:
    """The version of the dialect, and of the server that speaks it."""
    return Reply({"version": VERSION, "abierto": abierto.__version__})


# A route for GET answers HEAD, too.
ROUTES = (Route("GET", "/", alive), Route("GET", "/api/version", version))
