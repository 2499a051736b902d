"""What only the person at the server's computer may ask for."""

from abierto.server import guard
from abierto.server.exchange import Call


def check(call: Call) -> None:
    """Raise OwnerOnly, ForbiddenOrigin."""
    guard.check_owner(call.headers, call.state.settings.host, call.state.key)
