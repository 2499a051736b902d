"""How this computer's pip reaches its package index: proxy, certificates, credentials, patience.

The values can hold credentials. They live in memory for the length of a pull, never shown and never stored.
"""

import ast
import subprocess
import sys
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

# pip's own, where nothing is set.
_TIMEOUT = 15.0
_RETRIES = 5


@dataclass(frozen=True, slots=True)
class PipSettings:
    """What pip's configuration files and variables say. timeout: seconds of silence that are borne."""

    indexes: tuple[str, ...] = field(default=(), repr=False)
    proxy: str | None = field(default=None, repr=False)
    certificates: str | None = None
    client_certificate: str | None = None
    trusted_hosts: frozenset[str] = frozenset()
    timeout: float = _TIMEOUT
    retries: int = _RETRIES

    def credentials(self, url: str) -> tuple[str, str] | None:
        """User and password for an address: from an index on the same host, else from the person's netrc."""
        place = urlsplit(url)
        for index in self.indexes:
            known = urlsplit(index)
            if known.username and (known.scheme, known.hostname, known.port) == (
                place[0],
                place.hostname,
                place.port,
            ):
                return unquote(known.username), unquote(known.password or "")
        return _from_netrc(place.hostname or "")

    def trusts(self, url: str) -> bool:
        """Whether the person told pip to talk to this host without looking at its certificate."""
        place = urlsplit(url)
        return bool(self.trusted_hosts & {place.hostname, f"{place.hostname}:{place.port}"})


def read() -> PipSettings:
    """Ask pip, which takes half a second."""
    command = [sys.executable, "-P", "-m", "pip", "config", "list"]
    asked = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    return parse(asked.stdout)


def parse(listing: str) -> PipSettings:
    """The settings out of what `pip config list` prints: lines like `global.index-url='https://...'`."""
    found: dict[str, str] = {}
    # A later section wins over an earlier one, as in pip. Empty values count as not set, also as in pip.
    for section in ("global.", "install.", ":env:."):
        for line in listing.splitlines():
            key, _, value = line.partition("=")
            if key.startswith(section):
                text = _literal(value)
                found.update({key.removeprefix(section).removeprefix("default-"): text} if text else {})
    return PipSettings(
        indexes=tuple(" ".join(found.get(key, "") for key in ("index-url", "extra-index-url", "find-links")).split()),
        proxy=found.get("proxy"),
        certificates=found.get("cert"),
        client_certificate=found.get("client-cert"),
        trusted_hosts=frozenset(found.get("trusted-host", "").split()),
        timeout=_number(found.get("timeout"), _TIMEOUT),
        retries=int(_number(found.get("retries"), _RETRIES)),
    )


def _literal(value: str) -> str:
    try:
        return str(ast.literal_eval(value)).strip()
    except (ValueError, SyntaxError):
        return ""


def _number(text: str | None, default: float) -> float:
    try:
        number = float(text or default)
    except ValueError:
        return default
    return number if 0 <= number < 1e9 else default


def _from_netrc(host: str) -> tuple[str, str] | None:
    import netrc

    try:
        entry = netrc.netrc().authenticators(host)
    except (OSError, netrc.NetrcParseError):
        return None
    return (entry[0], entry[2] or "") if entry else None
