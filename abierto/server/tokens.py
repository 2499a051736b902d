"""Who may use the server: API tokens, one file for each in a folder that only this person can open.

The files are the truth, and what the server has read of them is thrown away as soon as the folder changes: so it sees
a new or a removed token at once. Only a digest of a token is kept, from which nobody can make the token.
"""

import hashlib
import hmac
import os
import re
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from time import time_ns

import msgspec

from abierto.errors import FolderNotWritable, TokenNameTaken, UnknownToken, UsageFault

# What a token begins with, so that a forgotten one is found in a file, and a removed one is known for what it was.
PREFIX = "abierto-"
# A change of the folder within this time of the last may have the same time as that one.
COARSEST_CLOCK = 2_000_000_000  # nanoseconds: file systems of the FAT family


@dataclass(frozen=True, slots=True)
class Token:
    """name: who uses it. digest: SHA-256 of the secret, hexadecimal. per_minute: requests, 0 for as many as one likes.
    created: ISO 8601, UTC."""

    name: str
    digest: str
    per_minute: int
    created: str


class Tokens:
    """The tokens in a data folder."""

    def __init__(self, data: Path) -> None:
        self._folder = data / "tokens"
        self._known: list[Token] = []
        self._changed = -1

    def all(self) -> list[Token]:
        """All that there are, by name."""
        found = (_read(path) for path in sorted(self._folder.glob("token-*.json")))
        return [token for token in found if token]

    def add(self, name: str, per_minute: int = 0) -> str:
        """Make a token. The secret is returned, and kept nowhere.

        Raises UsageFault, TokenNameTaken, FolderNotWritable.
        """
        if not re.fullmatch(r"[A-Za-z0-9][\w.@-]{0,63}", name, re.ASCII):
            raise UsageFault("bad_value", {"name": "NAME", "value": name})
        secret = PREFIX + secrets.token_urlsafe(32)
        created = datetime.now(UTC).isoformat(timespec="seconds")
        body = msgspec.json.encode(Token(name, digest(secret), per_minute, created))
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            handle = os.open(self._path(name), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise TokenNameTaken(name) from error
        except OSError as error:
            raise FolderNotWritable(str(self._folder)) from error
        with os.fdopen(handle, "wb") as file:
            file.write(body)
        return secret

    def remove(self, name: str) -> None:
        """Forget a token; a running server refuses it from now on. Raises UnknownToken, FolderNotWritable."""
        if name not in [token.name for token in self.all()]:
            raise UnknownToken(name)
        try:
            self._path(name).unlink(missing_ok=True)
        except OSError as error:
            raise FolderNotWritable(str(self._folder)) from error

    def find(self, secret: str) -> Token | None:
        """The token with this secret."""
        wanted, found = digest(secret), None
        # All are compared, each in constant time: how long it takes tells nothing about what is kept.
        for token in self._current():
            if hmac.compare_digest(token.digest.encode(), wanted.encode()):
                found = token
        return found

    def _current(self) -> list[Token]:
        try:
            changed = self._folder.stat().st_mtime_ns
        except OSError:
            return []
        if changed != self._changed:
            self._known = self.all()
            self._changed = changed if time_ns() - changed > COARSEST_CLOCK else -1
        return self._known

    def _path(self, name: str) -> Path:
        return self._folder / f"token-{name}.json"


def digest(secret: str) -> str:
    """What is kept of a secret.

    One round of SHA-256 is enough, and salt would add nothing: a secret has 256 random bits, which nobody can try one
    after the other. A slow hash is for what people think up, and would here slow down every request.
    """
    return hashlib.sha256(secret.encode()).hexdigest()


def _read(path: Path) -> Token | None:
    """The token in a file; None where it was removed meanwhile, is not yet whole, or is none."""
    with suppress(OSError, msgspec.MsgspecError):
        return msgspec.json.decode(path.read_bytes(), type=Token)
    return None
