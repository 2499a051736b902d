"""What a file looks like, from its first few kB. It knows how formats begin and nothing of what follows."""

import re
import stat
from pathlib import Path

from abierto.errors import FileMissing

PROBE_SIZE = 4096

# The bytes at which position mean which format. The first that matches decides.
_SIGNATURES: tuple[tuple[int, bytes, str], ...] = (
    (0, b"GGUF", "gguf"),
    (0, b"tjgg", "ggml"),
    (0, b"fmgg", "ggml"),
    (0, b"lmgg", "ggml"),
    (0, b"algg", "ggml"),
    (0, b"version https://git-lfs.github.com/spec/", "git_lfs_pointer"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"PK\x05\x06", "zip"),
    (0, b"\x89HDF\r\n\x1a\n", "hdf5"),
    (4, b"TFL3", "tflite"),
    (0, b"\x93NUMPY", "numpy"),
    (0, b"\x1f\x8b", "gzip"),
    (0, b"BZh", "bzip2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (0, b"%PDF-", "pdf"),
    (0, b"\x89PNG\r\n\x1a\n", "image"),
    (0, b"\xff\xd8\xff", "image"),
    (0, b"GIF8", "image"),
    (0, b"RIFF", "media"),
    (4, b"ftyp", "media"),
    (0, b"OggS", "media"),
    (0, b"\x7fELF", "program"),
    (0, b"MZ", "program"),
)
# protocol 2 to 5, then the opcodes that every pickle of a state dictionary begins with
_PICKLE_OPCODES = b"}]c(\x8a\x8cXU\x95Kq"


def detect(path: str | Path) -> str:
    """The name of the format, or of what it looks like otherwise.

    Besides the names of formats: `folder`, `special` (a device, a pipe, a socket), `empty`, `zeros` (as a download
    that was interrupted leaves behind), `git_lfs_pointer`, `html`, `xml`, `json`, `text`, `unknown`.
    Raises FileMissing when there is no such file or it cannot be read.
    """
    path = Path(path)
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            return "folder"
        if not stat.S_ISREG(mode):
            return "special"  # opening a pipe would wait for somebody to write into it
        with path.open("rb") as file:
            return looks_like(file.read(PROBE_SIZE))
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise FileMissing(str(path)) from error


def looks_like(start: bytes) -> str:
    """The same for the first bytes of a file, at best PROBE_SIZE of them."""
    if not start:
        return "empty"
    if not start.strip(b"\x00"):
        return "zeros"
    for position, signature, name in _SIGNATURES:
        if start[position : position + len(signature)] == signature:
            return name
    if start[:1] == b"\x80" and len(start) > 2 and 2 <= start[1] <= 5 and start[2] in _PICKLE_OPCODES:
        return "pickle"
    if _is_safetensors(start):
        return "safetensors"
    if start[:1] == b"\x08" and any(word in start for word in (b"pytorch", b"onnx", b"ONNX", b"ai.")):
        return "onnx"  # a protobuf message whose first field is a version; the producer's name follows
    return _kind_of_text(start)


def _is_safetensors(start: bytes) -> bool:
    # Eight bytes with the length of a JSON header, then the header: https://github.com/huggingface/safetensors
    length = int.from_bytes(start[:8], "little")
    return 2 <= length <= 100_000_000 and start[8:9] == b"{"


def _kind_of_text(start: bytes) -> str:
    try:
        # The last character may be cut in the middle.
        text = start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "strict" if len(start) < PROBE_SIZE else "ignore")
    except UnicodeDecodeError:
        return "unknown"
    if "\x00" in text or len(text.encode()) < len(start) - 16:
        return "unknown"
    begin = text.lstrip()[:512].lower()
    if begin.startswith("<!doctype html") or "<html" in begin or "<head>" in begin:
        return "html"
    if re.match(r'(?:<\?xml[^>]*>\s*)?<net name="[^"]*" version="1\d"', begin):
        return "openvino"
    if begin.startswith(("<?xml", "<error")):
        return "xml"
    if begin.startswith(("{", "[")):
        return "json"
    return "text"
