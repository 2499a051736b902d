"""Writes files as `torch.save` does, without PyTorch: pickles made opcode by opcode."""

import io
import pickle
import struct
import zipfile
from collections.abc import Mapping, Sequence
from math import prod

MAGIC = 0x1950A86A20F9469CFC6C


def text(value: str) -> bytes:
    return b"X" + struct.pack("<I", len(value.encode())) + value.encode()


def number(value: int) -> bytes:
    return b"\x8a\x08" + struct.pack("<q", value)


def name(module: str, what: str) -> bytes:
    return b"c" + f"{module}\n{what}\n".encode()


def numbers(values: Sequence[int]) -> bytes:
    return b"(" + b"".join(map(number, values)) + b"t"


def tensor(key: str, shape: Sequence[int], storage: str = "FloatStorage", old: bool = False) -> bytes:
    """What makes one tensor: the function, the storage, offset, shape, stride, and two more."""
    stride = [min(prod(shape[place + 1 :]), 2**62) for place in range(len(shape))]
    kept = b"(" + text("storage") + name("torch", storage) + text(key) + text("cpu") + number(min(prod(shape), 2**62))
    kept += b"N" * old + b"tQ"
    hooks = name("collections", "OrderedDict") + b")R"
    rebuild = name("torch._utils", "_rebuild_tensor_v2")
    return rebuild + b"(" + kept + number(0) + numbers(shape) + numbers(stride) + b"\x89" + hooks + b"tR"


def state(tensors: Mapping[str, bytes], more: bytes = b"") -> bytes:
    """The pickle of a dictionary of tensors. more: opcodes before its end that leave the stack as it was."""
    items = b"".join(text(key) + body for key, body in tensors.items())
    return b"\x80\x02" + name("collections", "OrderedDict") + b")R(" + items + b"u" + more + b"."


def archive(pickled: bytes, storages: Mapping[str, bytes], **more: bytes) -> bytes:
    """The ZIP archive."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as made:
        made.writestr("archive/data.pkl", pickled)
        made.writestr("archive/version", "3\n")
        for key, body in storages.items():
            made.writestr(f"archive/data/{key}", body)
        for path, body in more.items():
            made.writestr(path, body)
    return file.getvalue()


def old(pickled: bytes, storages: Mapping[str, bytes], width: int = 4) -> bytes:
    """The format from before PyTorch 1.6."""
    head = pickle.dumps(MAGIC, 2) + pickle.dumps(1001, 2) + pickle.dumps({"little_endian": True}, 2)
    bodies = b"".join(struct.pack("<q", len(body) // width) + body for body in storages.values())
    return head + pickled + pickle.dumps(list(storages), 2) + bodies
