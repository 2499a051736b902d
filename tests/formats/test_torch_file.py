"""Pickles of PyTorch and others: tensors are listed, names that would be imported are told, nothing is run."""

import os
import pickle
import resource
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

from abierto.formats.inspection import Report, inspect
from tests import tiny_torch
from tests.formats.test_inspection import codes

TWO = {"layer.weight": tiny_torch.tensor("0", [3, 2]), "layer.bias": tiny_torch.tensor("1", [3], "HalfStorage")}
STORED = {"0": bytes(24), "1": bytes(6)}


def told(report: Report, code: str) -> Any:
    return next(one.about for _, one in report.findings if one.code == code)


def write(path: Path, body: bytes) -> Path:
    path.write_bytes(body)
    return path


def test_an_archive_of_torch_is_a_tree(tmp_path: Path) -> None:
    body = tiny_torch.archive(tiny_torch.state(TWO), STORED)
    report = inspect(write(tmp_path / "pytorch_model.bin", body))
    (part,) = report.parts
    assert (part.format, part.parameters, part.size, part.dtypes) == ("torch", 9, 30, {"F32": 6, "F16": 3})
    assert [(child.name, child.shape) for child in part.tree[0].children] == [("bias", (3,)), ("weight", (3, 2))]
    assert codes(report) == {("pytorch_model.bin", "pickle_globals")}
    assert "torch._utils._rebuild_tensor_v2" in told(report, "pickle_globals")["names"]


def test_the_old_format_is_read_and_its_end_is_looked_for(tmp_path: Path) -> None:
    tensors = {"w": tiny_torch.tensor("0", [3, 2], old=True)}
    body = tiny_torch.old(tiny_torch.state(tensors), {"0": bytes(24)})
    report = inspect(write(tmp_path / "model.pt", body))
    assert (report.parts[0].format, report.parameters) == ("torch", 6)
    assert codes(report, "fault") == set()
    cut = inspect(write(tmp_path / "cut.pth", body[:-1]))
    assert codes(cut, "fault") == {("cut.pth", "ends_early")}


def test_a_whole_module_with_parameters_is_flagged_and_read(tmp_path: Path) -> None:
    inner = b"}" + tiny_torch.text("_parameters") + b"}" + tiny_torch.text("w") + TWO["layer.weight"] + b"ss"
    module = b"\x80\x02" + tiny_torch.name("my.code", "Net") + b")\x81" + inner + b"b."
    report = inspect(write(tmp_path / "net.pt", tiny_torch.archive(module, STORED)))
    assert report.parts[0].tree[0].name == "w"
    assert told(report, "pickle_executes")["names"] == "my.code.Net"


class Runs:
    """What calls a function when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self) -> tuple[Any, ...]:
        return os.system, (f"touch {self.mark}",)


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_what_a_pickle_would_run_is_named_and_not_run(tmp_path: Path, protocol: int) -> None:
    mark = tmp_path / "ran"
    path = write(tmp_path / "model.pkl", pickle.dumps({"a": Runs(mark)}, protocol))
    report = inspect(path)
    assert told(report, "pickle_executes")["names"] == f"{os.name}.system"
    assert not mark.exists()


def test_a_name_made_of_parts_and_an_instance_of_old_are_seen(tmp_path: Path) -> None:
    for name, body in {
        "inst.bin": b"\x80\x02}(S'x'\nios\nsystem\n.",
        "memo.bin": b"\x80\x04\x95" + bytes(8) + b"\x8c\x02os\x94\x8c\x06system\x940h\x00h\x01\x93.",
        "ext.bin": b"\x80\x02}\x82\x05.",
    }.items():
        (_, found), *_ = [one for one in inspect(write(tmp_path / name, body)).findings if one[1].level == "executes"]
        assert found.about["names"] in ("os.system", "copyreg.extension_5")


def test_what_comes_before_a_broken_opcode_is_listed(tmp_path: Path) -> None:
    report = inspect(write(tmp_path / "x.bin", b"\x80\x02}cos\nsystem\n\xff" + bytes(50)))
    assert codes(report, "executes") == {("x.bin", "pickle_executes")}
    assert ("x.bin", "pickle_cut") in codes(report, "fault")


def test_an_archive_that_lies_is_told(tmp_path: Path) -> None:
    body = tiny_torch.archive(tiny_torch.state(TWO), {"0": bytes(20)}, **{"../out": b"x", "archive/code/a.py": b"x"})
    report = inspect(write(tmp_path / "m.pt", body))
    assert codes(report, "fault") == {("m.pt", "storage_missing"), ("m.pt", "archive_outside")}
    assert codes(report, "executes") == {("m.pt", "torchscript")}
    assert told(report, "storage_missing")["tensors"] == "layer.weight, layer.bias"


def test_a_pickle_that_refers_to_itself_ends(tmp_path: Path) -> None:
    doubled = b"\x80\x02}q\x00" + tiny_torch.text("a") + b"h\x00s" + tiny_torch.text("b") + b"]q\x01h\x01as."
    assert inspect(write(tmp_path / "a.bin", doubled)).files[0].tensors == 0
    deep = b"\x80\x02]" + b"]" * 100_000 + b"a" * 100_000 + b"."
    assert inspect(write(tmp_path / "b.bin", deep)).files[0].tensors == 0
    shape = tiny_torch.tensor("0", [2**62] * 9)
    report = inspect(write(tmp_path / "c.pt", tiny_torch.archive(tiny_torch.state({"w": shape}), {})))
    assert report.parameters == 0


BOUNDED = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (900_000_000, 900_000_000))
from abierto.formats.inspection import inspect
found = {one.code for name, one in inspect(Path(sys.argv[1])).findings}
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(peak.split()[1], *sorted(found))
"""


def _bombs(folder: Path) -> None:
    with zipfile.ZipFile(folder / "zip.pt", "w", zipfile.ZIP_DEFLATED) as made, made.open("a/data.pkl", "w") as file:
        for _ in range(100):
            file.write(b"\x80\x02" + bytes(4_000_000))
    (folder / "opcodes.bin").write_bytes(b"\x80\x02}" + b"]" * 3_000_000)
    (folder / "texts.bin").write_bytes(b"\x80\x02}(" + tiny_torch.text("x" * 3_900) * 30_000 + b"t.")
    (folder / "numbers.bin").write_bytes(b"\x80\x02}(" + b"(K\x01l" * 800_000 + b"t.")
    with (folder / "claims.bin").open("wb") as file:
        file.write(b"\x80\x02}\x8d" + (10**9).to_bytes(8, "little"))
        file.truncate(1_000_000_100)
    with (folder / "list.pt").open("wb") as file:
        file.write(b"PK\x03\x04")
        file.truncate(2_000_000_000)
        file.seek(0, 2)
        end = b"PK\x05\x06" + bytes(4) + b"\xff\xff\xff\xfe"[:2] * 2
        file.write(end + (1_900_000_000).to_bytes(4, "little") + (100_000_000).to_bytes(4, "little") + bytes(2))


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is looked up in /proc")
def test_bombs_take_less_than_500_mb(tmp_path: Path) -> None:
    assert resource.RLIMIT_AS
    _bombs(tmp_path)
    done = subprocess.run([sys.executable, "-c", BOUNDED, tmp_path], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    peak, *found = done.stdout.split()
    assert {"unreadable", "pickle_cut"} <= set(found)
    assert int(peak) < 500_000
