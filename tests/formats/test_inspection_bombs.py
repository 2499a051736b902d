"""Files whose counts lie, in each format: findings, and less than 500 MB of memory."""

import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import h5py
import numpy
import pytest

from tests.formats.test_torch_file import BOUNDED
from tests.tiny_gguf import TinyGGUF
from tests.tiny_protobuf import message, onnx

MANY = 2_000_000


def _gguf(folder: Path) -> None:
    """A header that claims 10^9 entries of metadata, and one that claims as many tensors."""
    body = bytearray(TinyGGUF().build())
    struct.pack_into("<Q", body, 16, 10**9)
    (folder / "keys.gguf").write_bytes(body)
    struct.pack_into("<QQ", body, 8, 10**9, 1)
    (folder / "tensors.gguf").write_bytes(body)


def _messages(folder: Path) -> None:
    """Graphs of nothing but empty nodes, empty tensors, or sizes."""
    many = {"nodes": b"\x0a\x00" * MANY, "tensors": b"\x2a\x00" * MANY, "sizes": message((5, b"\x08\x01" * MANY))}
    for name, graph in many.items():
        (folder / f"{name}.onnx").write_bytes(message((1, 8), (2, "pytorch"), (7, graph)))
    long = onnx([(5, message((1, 1), (2, 1), (8, "n" * 8_000_000)))])
    (folder / "name.onnx").write_bytes(long)
    (folder / "saved_model.pb").write_bytes(message((1, 1), (2, message((2, b"\x0a\x00" * MANY)))))


def _others(folder: Path) -> None:
    (folder / "flax.msgpack").write_bytes(b"\xdd\x7f\xff\xff\xff" + b"\x90" * MANY)
    (folder / "model.bin").write_bytes(struct.pack("<IH", 6, 2) + b"a\0" + struct.pack("<II", 1, 10**9))
    layer = b'<layer id="0" name="a" type="Const" version="opset1"><data offset="0" size="0" shape=""/></layer>'
    (folder / "net.xml").write_bytes(b'<net name="a" version="11">' + layer * 300_000 + b"</net>")
    with zipfile.ZipFile(folder / "m.keras", "w", zipfile.ZIP_DEFLATED) as made:
        with made.open("config.json", "w") as file:
            for _ in range(300):
                file.write(bytes(1_000_000))
        made.writestr("metadata.json", "{}")


def _hdf5(folder: Path) -> None:
    """Texts that unpack to far more than they are, and a table of names that claims more than there are."""
    with h5py.File(folder / "texts.h5", "w") as file:
        for number in range(12):
            file.create_dataset(f"t{number}", data=numpy.zeros(1, "S16000000"), chunks=(1,), compression="gzip")
    with h5py.File(folder / "names.h5", "w") as file:
        file.create_group("a")
    raw = (folder / "names.h5").read_bytes()
    (folder / "names.h5").write_bytes(raw.replace(b"SNOD\x01\0\x01\0", b"SNOD\x01\0\xff\xff"))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is looked up in /proc")
@pytest.mark.parametrize("made", [_gguf, _messages, _others, _hdf5], ids=lambda made: made.__name__)
def test_counts_that_lie_take_less_than_500_mb(tmp_path: Path, made: object) -> None:
    assert callable(made)
    made(tmp_path)
    done = subprocess.run([sys.executable, "-c", BOUNDED, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak, *found = done.stdout.split()
    assert {"unreadable", "too_many_tensors"} & set(found)
    assert int(peak) < 500_000
