"""What this computer has, and whether a model fits in it. It knows no model and no file format.

Sizes are in bytes. Limits that a container or a job scheduler sets (control groups) count as the size of the computer.
"""

import os
import platform
import shutil
from dataclasses import dataclass
from pathlib import Path

from abierto import graphics
from abierto.graphics import ask

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")
CPU_INFO = Path("/proc/cpuinfo")

# What makes inference faster, as Linux spells it and as people do.
_INSTRUCTIONS = {
    "sse4_2": "SSE4.2",
    "avx": "AVX",
    "avx2": "AVX2",
    "fma": "FMA",
    "f16c": "F16C",
    "avx_vnni": "AVX-VNNI",
    "avx512f": "AVX-512",
    "avx512_vnni": "AVX-512 VNNI",
    "avx512_bf16": "AVX-512 BF16",
    "amx_int8": "AMX-INT8",
    "amx_bf16": "AMX-BF16",
    "asimd": "NEON",
    "asimddp": "DOTPROD",
    "i8mm": "I8MM",
    "sve": "SVE",
    "sve2": "SVE2",
    "sme": "SME",
}


@dataclass(frozen=True, slots=True)
class Memory:
    """Main memory. available: what a program can take without anything being written to disk to make room."""

    total: int
    available: int


@dataclass(frozen=True, slots=True)
class Cores:
    """Processor cores that this process may use. logical: with the threads that share a core."""

    physical: int
    logical: int


@dataclass(frozen=True, slots=True)
class Machine:
    """A description for people. instructions: those that make inference faster."""

    processor: str
    instructions: tuple[str, ...]
    cores: Cores
    system: str
    python: str
    memory: Memory
    gpus: tuple[graphics.Card, ...]


def memory() -> Memory:
    """The memory of this computer, or of the control group that this process lives in if that has less."""
    import psutil

    found = psutil.virtual_memory()
    limits = cgroup_memory(CGROUPS, _text(MEMBERSHIP))
    return Memory(
        total=min([found.total, *(limit.total for limit in limits)]),
        available=min([found.available, *(limit.available for limit in limits)]),
    )


def room(memory: Memory, margin: int) -> int:
    """How much a model may take when `margin` is to stay free for everything else. Never negative."""
    return max(0, memory.available - margin)


def cores() -> Cores:
    """The cores that this process may use: fewer than the computer has where it is bound to some of them."""
    import psutil

    logical = psutil.cpu_count() or 1
    physical = psutil.cpu_count(logical=False) or logical
    if hasattr(os, "sched_getaffinity"):
        usable = os.sched_getaffinity(0)
        logical = len(usable)
        siblings = {_text(Path(f"/sys/devices/system/cpu/cpu{core}/topology/thread_siblings_list")) for core in usable}
        physical = len(siblings - {""}) or physical
    share = cgroup_cores(CGROUPS, _text(MEMBERSHIP)) or logical
    logical = min(logical, share)
    return Cores(physical=min(physical, logical), logical=logical)


def process_memory(pid: int) -> int:
    """The memory of one process, without its children; 0 when there is no such process.

    Where the system tells, pages that are shared between processes are divided by the number of those that share
    them (the proportional set size), else they count fully (the resident set size).
    """
    import psutil

    for line in _text(Path(f"/proc/{pid}/smaps_rollup")).splitlines():
        if line.startswith("Pss:"):
            return int(line.split()[1]) * 1024
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.Error:
        return 0


def disk_free(path: Path) -> int:
    """The free space where `path` is, or would be: asked of the nearest folder above it that exists."""
    place = path.absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def describe() -> Machine:
    """All of it. Asks programs of the system, so it may take some 0.1 s."""
    info = _text(CPU_INFO)
    return Machine(
        processor=_processor(info),
        instructions=instructions(),
        cores=cores(),
        system=platform.platform(),
        python=platform.python_version(),
        memory=memory(),
        gpus=graphics.cards(),
    )


def instructions() -> tuple[str, ...]:
    """The instructions of the processor that make inference faster, as people call them; empty where nobody tells."""
    info = _text(CPU_INFO)
    flags: set[str] = set()
    for line in info.splitlines():
        if line.lower().startswith(("flags", "features")):
            flags = set(line.partition(":")[2].split())
            break
    if not flags and platform.machine().lower() in ("arm64", "aarch64"):
        flags = {"asimd"}  # every 64-bit ARM processor has it
    if not flags and platform.system() == "Darwin":
        flags = {flag.lower() for flag in ask("sysctl", "-n", "machdep.cpu.leaf7_features").split()}
    return tuple(name for flag, name in _INSTRUCTIONS.items() if flag in flags)


def cgroup_memory(root: Path, membership: str) -> list[Memory]:
    """The limits of a process's control group and those above it.

    `root`: where the groups are mounted. `membership`: what /proc/PID/cgroup says.
    """
    found = []
    for folder in _cgroup_folders(root, membership, "memory"):
        limit = _number(folder / "memory.max") or _number(folder / "memory.limit_in_bytes")
        used = _number(folder / "memory.current") or _number(folder / "memory.usage_in_bytes") or 0
        if limit is not None and limit < 2**60:  # version 1 writes a huge number when there is no limit
            found.append(Memory(limit, max(0, limit - max(0, used - _file_cache(folder)))))
    return found


def cgroup_cores(root: Path, membership: str) -> int | None:
    """How many cores' worth of time the control group may use, rounded up; None without a limit."""
    found = []
    for folder in _cgroup_folders(root, membership, "cpu"):
        share = _text(folder / "cpu.max").split() or [
            _text(folder / "cpu.cfs_quota_us").strip(),
            _text(folder / "cpu.cfs_period_us").strip(),
        ]
        if all(part.isdecimal() for part in share) and int(share[-1]):
            found.append(max(1, -(-int(share[0]) // int(share[-1]))))
    return min(found, default=None)


def _cgroup_folders(root: Path, membership: str, controller: str) -> list[Path]:
    """The folders of a process's group and those above it, in version 2 and version 1 of control groups."""
    folders: list[Path] = []
    for line in membership.splitlines():
        number, controllers, name = [*line.split(":", 2), "", ""][:3]
        if number == "0" and not controllers:
            top = root
        elif controller in controllers.split(","):
            top = root / controller
        else:
            continue
        # Inside a container the name is that of the outside, and its folder may not be there: then only the top is.
        here = top / name.lstrip("/")
        folders += [here, *(above for above in here.parents if above.is_relative_to(top))]
    return folders


def _file_cache(folder: Path) -> int:
    """The part of a group's memory that is given back when somebody needs it: files that were not used lately."""
    for line in _text(folder / "memory.stat").splitlines():
        name, _, value = line.partition(" ")
        if name in ("inactive_file", "total_inactive_file") and value.strip().isdecimal():
            return int(value)
    return 0


def _processor(info: str) -> str:
    for line in info.splitlines():
        if line.lower().startswith(("model name", "hardware", "cpu model")):
            return line.partition(":")[2].strip()
    return ask("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor() or platform.machine()


def _text(path: Path) -> str:
    """What a file of the system says; nothing when it is not there."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def _number(path: Path) -> int | None:
    found = _text(path).strip()
    return int(found) if found.isdecimal() else None
