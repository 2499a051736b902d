"""Where things lie in the folder of models, and what they are called there. It reads and writes nothing.

    <folder>/<model>/model.json      the record, written last: what it names is whole
    <folder>/<model>/<file>          the model, under its own name
    <folder>/<model>/.partial/       what a pull has fetched so far
    <folder>/.locks/<model>.<what>   empty; locked, never deleted

A model's name becomes a folder's name by percent encoding, since not every system allows a colon.
"""

import re
from pathlib import Path

RECORD = "model.json"
PARTIAL = ".partial"
LOCKS = ".locks"

# Only these stand for themselves: some systems take capitals for small letters, and some forbid the rest.
_PLAIN = re.compile(rb"[a-z0-9_+=@-]|\.(?!$)")
# Names of devices on Windows, whatever follows after a dot.
_DEVICE = re.compile(r"(?i)(?:con|prn|aux|nul|com\d|lpt\d)(?:\.|$)")


def directory_name(name: str) -> str:
    """The name of a model's folder; `model_name` gives the name back."""
    raw = name.encode("utf-8", "surrogatepass")
    out = [chr(byte) if _PLAIN.match(raw, at) else f"%{byte:02X}" for at, byte in enumerate(raw)]
    if out and (out[0] == "." or _DEVICE.match(name)):
        out[0] = f"%{raw[0]:02X}"
    return "".join(out) or "%"


def model_name(directory: str) -> str | None:
    """The model whose folder is called so, or None for a folder that is no model's."""
    coded = directory.encode("utf-8", "replace")
    raw = re.sub(rb"%([0-9A-F]{2})", lambda found: bytes([int(found[1], 16)]), coded)
    try:
        name = raw.decode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        return None
    return name if name and directory_name(name) == directory else None


def is_plain_filename(filename: str) -> bool:
    """Whether a file can lie under this name in a model's folder, on any system, beside the record."""
    fixed = filename.startswith(".") or filename.endswith((".", " ")) or filename == RECORD
    return not (fixed or _DEVICE.match(filename))


def model_folder(folder: Path, name: str) -> Path:
    """The folder of one model."""
    return folder / directory_name(name)


def record_path(folder: Path, name: str) -> Path:
    """The file that says what was pulled."""
    return model_folder(folder, name) / RECORD


def partial_folder(folder: Path, name: str) -> Path:
    """The workplace of a pull."""
    return model_folder(folder, name) / PARTIAL


def lock_path(folder: Path, name: str, what: str) -> Path:
    """The file whose lock says that somebody is at `what` (`use` or `pull`) with the model."""
    return folder / LOCKS / f"{directory_name(name)}.{what}"
