"""What files look like from their first bytes."""

import io
import json
import os
import pickle
import struct
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from abierto.errors import FileMissing
from abierto.formats.detect import PROBE_SIZE, detect
from tests.tiny_gguf import TinyGGUF


def packed() -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        archive.writestr("a", "b")
    return whole.getvalue()


def tarred() -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("a"))
    return whole.getvalue()


def safetensors() -> bytes:
    head = json.dumps({"w": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]}}).encode()
    return struct.pack("<Q", len(head)) + head + bytes(4)


@pytest.mark.parametrize(
    ("expected", "content"),
    [
        ("gguf", TinyGGUF().build()[:100]),
        ("ggml", b"tjgg" + bytes(100)),
        ("safetensors", safetensors()),
        ("pickle", pickle.dumps({"weights": [1.0]})),
        ("zip", packed()),
        ("tar", tarred()),
        ("onnx", b"\x08\x08\x12\x07pytorch\x1a\x052.0.0"),
        ("git_lfs_pointer", b"version https://git-lfs.github.com/spec/v1\noid sha256:12\nsize 3\n"),
        ("html", b"<!DOCTYPE html>\n<html><head><title>404</title>"),
        ("html", b"\n\n  <HTML><body>Not found</body>"),
        ("xml", b'<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'),
        ("json", b'{"error": "Entry not found"}'),
        ("text", b"Entry not found"),
        ("text", "ñ".encode() * PROBE_SIZE + b"."),
        ("text", b"." + "ñ".encode() * PROBE_SIZE),
        ("zeros", bytes(5000)),
        ("empty", b""),
        ("unknown", b"\x01\x02\x03\xff\xfe"),
        ("unknown", bytes(range(256)) * 20),
    ],
)
def test_looks(expected: str, content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "model.gguf"
    path.write_bytes(content)
    assert detect(path) == expected


def test_places_that_are_no_files(tmp_path: Path) -> None:
    assert detect(tmp_path) == "folder"
    for path in (tmp_path / "nothing", tmp_path / "zero\0byte"):
        with pytest.raises(FileMissing):
            detect(path)


@pytest.mark.skipif(sys.platform == "win32", reason="pipes have no path there")
def test_a_pipe_is_not_opened(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.gguf")
    assert detect(tmp_path / "pipe.gguf") == "special"
    assert detect("/dev/null") == "special"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the administrator may read everything")
def test_a_file_that_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "secret.gguf"
    path.write_bytes(b"GGUF")
    path.chmod(0)
    with pytest.raises(FileMissing):
        detect(path)
