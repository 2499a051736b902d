# SPDX-License-Identifier: Apache-2.0
"""What files, folders and records are known by."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any


def sha256_of(path: Path) -> str:
    """The SHA-256 of a file. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def digest(record: Mapping[str, Any]) -> str:
    """The SHA-256 of a record, in the one form of JSON that the manifest is hashed in."""
    return hashlib.sha256(canonical(record)).hexdigest()


def canonical(record: Mapping[str, Any]) -> bytes:
    """Keys in order, no spaces, UTF-8."""
    return json.dumps(record, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def number(*parts: object) -> int:
    """A number of 63 bits that depends on all the parts: seeds are made of it, the same on every computer."""
    return int.from_bytes(hashlib.sha256(repr(parts).encode()).digest()[:8]) >> 1
