"""Reads a small JSON file of somebody else's. A size that no honest file has is refused before it is read."""

import json
from pathlib import Path
from typing import Any

from abierto.errors import FileMissing
from abierto.formats.faults import corrupt

MAX_SIZE = 4_000_000  # bytes; what can be made of them in memory is some thirty times as much


def read_bytes(path: Path, limit: int = MAX_SIZE) -> bytes:
    """All of a file. Raises FileMissing, CorruptFile for more than `limit` bytes."""
    try:
        with path.open("rb") as file:
            raw = file.read(limit + 1)
    except OSError as error:
        raise FileMissing(str(path)) from error
    if len(raw) > limit:
        raise corrupt(str(path), "header_too_large", limit=limit)
    return raw


def read_object(path: Path, limit: int = MAX_SIZE) -> dict[str, Any]:
    """The object that it holds. Raises what `read_bytes` raises, CorruptFile for anything but an object."""
    return parsed(read_bytes(path, limit), path)


def parsed(raw: bytes, path: Path, where: str = "") -> dict[str, Any]:
    """The object in some bytes of a file; `where` names them. Raises CorruptFile."""
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise corrupt(str(path), "no_json", where=where or path.name)
    return body
