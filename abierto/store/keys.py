"""Keys for other computers: in the system's keyring where there is one, else in a file that only its owner can read.

A key is never shown, logged or written anywhere else. It knows no provider and no environment.
"""

import json
import os
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from abierto.errors import FolderNotWritable

if TYPE_CHECKING:
    from keyring.backend import KeyringBackend

FILE_NAME = "keys.json"
LONGEST_KEY = 4096  # characters
_SERVICE = "abierto"
# Backends of the package that keep nothing.
_EMPTY = ("keyring.backends.fail", "keyring.backends.null")


def sound(key: str) -> bool:
    """Whether a text can be a key: one word of printable ASCII, because it becomes a part of an HTTP header."""
    return 0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable() and " " not in key


def get(folder: Path, name: str) -> str:
    """The key that is kept under a name, or an empty text. folder: of the settings."""
    return _in_keyring(name) or _read(folder).get(name, "")


def add(folder: Path, name: str, key: str) -> str:
    """Keep a key, in place of an earlier one. Returns where: `keyring` or `file`. Raises FolderNotWritable."""
    if _to_keyring(name, key):
        _forget_in_file(folder, name)  # it would come back when the one in the keyring is removed
        return "keyring"
    _write(folder, {**_read(folder), name: key})
    return "file"


def remove(folder: Path, name: str) -> bool:
    """Forget a key wherever it is kept. Whether there was one. Raises FolderNotWritable."""
    found = bool(get(folder, name))
    _to_keyring(name, "")
    _forget_in_file(folder, name)
    return found


def place(folder: Path, name: str) -> str:
    """Where a key is kept: `keyring`, `file`, or empty for nowhere."""
    if name in _read(folder):
        return "file"
    return "keyring" if get(folder, name) else ""


def _keyring() -> "KeyringBackend | None":
    """The system's keyring; None where the package is missing, or finds none that keeps anything."""
    if not find_spec("keyring"):
        return None
    import keyring

    found = keyring.get_keyring()
    backends = getattr(found, "backends", [found])  # a chain of several, or one
    kept = [one for one in backends if type(one).__module__ not in _EMPTY]
    return found if kept else None


def _in_keyring(name: str) -> str:
    """The key that the keyring has; none where it is locked, or the person does not open it."""
    ring = _keyring()
    if ring is None:
        return ""
    from keyring.errors import KeyringError

    with suppress(KeyringError, OSError, RuntimeError):
        return ring.get_password(_SERVICE, name) or ""
    return ""


def _to_keyring(name: str, key: str) -> bool:
    """Put a key into the keyring, or with an empty one take it out. Whether that was done."""
    ring = _keyring()
    if ring is None:
        return False
    from keyring.errors import KeyringError

    with suppress(KeyringError, OSError, RuntimeError):
        if key:
            ring.set_password(_SERVICE, name, key)
        else:
            ring.delete_password(_SERVICE, name)
        return True
    return False


def _read(folder: Path) -> dict[str, str]:
    try:
        found = json.loads((folder / FILE_NAME).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return {str(name): str(key) for name, key in found.items()} if isinstance(found, dict) else {}


def _forget_in_file(folder: Path, name: str) -> None:
    kept = _read(folder)
    if kept.pop(name, None) is not None:
        _write(folder, kept)


def _write(folder: Path, keys: dict[str, str]) -> None:
    path = folder / FILE_NAME
    fresh = folder / f".{FILE_NAME}.{os.getpid()}"
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        # Never for a moment readable by others.
        with suppress(FileNotFoundError):
            fresh.unlink()
        opened = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w", encoding="utf-8") as file:
            json.dump(keys, file)
        fresh.replace(path)
    except OSError:
        raise FolderNotWritable(str(folder)) from None
