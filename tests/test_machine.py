"""What this computer has: against what the system says, and control groups made of files."""

import os
import subprocess
import sys
from pathlib import Path

import psutil

from abierto.machine import (
    Memory,
    cgroup_cores,
    cgroup_memory,
    cores,
    describe,
    disk_free,
    memory,
    process_memory,
    room,
)


def group(folder: Path, **files: str) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name.replace("__", ".")).write_text(content, "utf-8")


def test_memory_is_within_what_the_system_has() -> None:
    found = memory()
    assert 0 < found.available <= found.total <= psutil.virtual_memory().total


def test_room_keeps_the_margin() -> None:
    assert room(Memory(total=8000, available=5000), 1000) == 4000
    assert room(Memory(total=8000, available=500), 1000) == 0


def test_cores() -> None:
    found = cores()
    assert 1 <= found.physical <= found.logical <= (os.cpu_count() or 1)


def test_memory_of_processes() -> None:
    assert process_memory(os.getpid()) > 1_000_000
    child = subprocess.Popen([sys.executable, "-c", "pass"])
    child.wait()
    assert process_memory(child.pid) == 0


def test_memory_of_a_process_grows_with_what_it_takes() -> None:
    # Not this process, in which the tests before leave memory to be given back at any time.
    code = "print(flush=True); input(); taken = bytearray(b'x') * 50_000_000; print(flush=True); input()"
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", code], stdin=pipe, stdout=pipe) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        child.stdout.readline()
        before = process_memory(child.pid)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.stdout.readline()
        assert process_memory(child.pid) - before > 40_000_000
        child.stdin.write(b"\n")


def test_disk_free_of_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert disk_free(tmp_path / "a" / "b") > 0


def test_description() -> None:
    found = describe()
    assert found.processor
    assert found.memory.total > 0
    assert found.python == ".".join(map(str, sys.version_info[:3]))


def test_cgroup_version_2(tmp_path: Path) -> None:
    group(tmp_path / "job", memory__max="max\n", memory__current="100\n", cpu__max="150000 100000\n")
    group(tmp_path / "job" / "step", memory__max="4000\n", memory__current="3000\n", cpu__max="max 100000\n")
    (tmp_path / "job" / "step" / "memory.stat").write_text("anon 5\ninactive_file 500\n", "utf-8")
    assert cgroup_memory(tmp_path, "0::/job/step\n") == [Memory(total=4000, available=1500)]
    assert cgroup_cores(tmp_path, "0::/job/step\n") == 2


def test_cgroup_version_1(tmp_path: Path) -> None:
    group(tmp_path / "memory", memory__limit_in_bytes=str(2**63 - 4096), memory__usage_in_bytes="7")
    group(tmp_path / "memory" / "job", memory__limit_in_bytes="4000", memory__usage_in_bytes="5000")
    group(tmp_path / "cpu" / "job", cpu__cfs_quota_us="100000", cpu__cfs_period_us="100000")
    membership = "4:memory:/job\n2:cpu,cpuacct:/job\n"
    assert cgroup_memory(tmp_path, membership) == [Memory(total=4000, available=0)]
    assert cgroup_cores(tmp_path, membership) == 1


def test_cgroup_of_a_container_whose_name_is_that_of_the_outside(tmp_path: Path) -> None:
    group(tmp_path, memory__max="4000", memory__current="1000")
    assert cgroup_memory(tmp_path, "0::/outside/name\n") == [Memory(total=4000, available=3000)]


def test_no_cgroup(tmp_path: Path) -> None:
    group(tmp_path / "cpu", cpu__cfs_quota_us="-1", cpu__cfs_period_us="100000")
    for membership in ("", "0::/\n", "2:cpu:/\n", "nonsense"):
        assert cgroup_memory(tmp_path, membership) == []
        assert cgroup_cores(tmp_path, membership) is None
