"""The graphics cards of this computer with their memory, as their drivers tell. It knows no model.

NVIDIA: `nvidia-smi`, whose fields `nvidia-smi --help-query-gpu` explains. AMD: files of the Linux kernel
(https://docs.kernel.org/gpu/amdgpu/driver-misc.html). Apple: `system_profiler`. What a driver says is read by functions
that ask nobody. A card whose memory is the computer's own is `unified`.
"""

import json
import platform
import re
import shutil
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

DRM = Path("/sys/class/drm")
TOPOLOGY = Path("/sys/class/kfd/kfd/topology/nodes")
PROBE_SECONDS = 5.0
_MIB = 1 << 20
_AMD = "0x1002"
_UNITS = {"MB": 1 << 20, "GB": 1 << 30, "TB": 1 << 40}


@dataclass(frozen=True, slots=True)
class Card:
    """memory, free: bytes, 0 where the driver does not tell. unified: it shares the memory of the computer, and what it
    may take of that is the computer's to say."""

    name: str
    memory: int = 0
    free: int = 0
    unified: bool = False


def cards() -> tuple[Card, ...]:
    """All that a driver tells of. Asks programs of the system, so it may take some 0.1 s."""
    told = ask("nvidia-smi", "--query-gpu=name,memory.total,memory.free", "--format=csv,noheader,nounits")
    found = [*nvidia(told), *amd(DRM, TOPOLOGY)]
    if platform.system() == "Darwin":
        found += apple(ask("system_profiler", "SPDisplaysDataType", "-json"))
    return tuple(found)


def nvidia(told: str) -> list[Card]:
    """From the lines `name, total, free` in MiB. Cards without memory of their own say `[N/A]`."""
    found = []
    for line in told.splitlines():
        name, _, numbers = line.partition(",")
        total, _, free = numbers.partition(",")
        sizes = [int(part) * _MIB if part.strip().isdecimal() else 0 for part in (total, free)]
        if name.strip() and numbers:
            found.append(Card(name.strip(), sizes[0], sizes[1], unified=not sizes[0]))
    return found


def amd(drm: Path, topology: Path) -> list[Card]:
    """From the folders of the kernel. drm: of the cards; topology: of what computes, where a part that has both a
    processor and a card shares its memory."""
    shared = _with_processor(topology)
    found = []
    for card in sorted(drm.glob("card[0-9]*")):
        device = card / "device"
        if "-" in card.name or _text(device / "vendor") != _AMD:
            continue
        total, used = (_number(device / f"mem_info_vram_{part}") for part in ("total", "used"))
        nodes = {node.name.removeprefix("renderD") for node in (device / "drm").glob("renderD*")}
        name = _text(device / "product_name") or f"AMD {_text(device / 'device')}"
        found.append(Card(name, total, max(total - used, 0), unified=bool(nodes & shared)))
    return found


def apple(told: str) -> list[Card]:
    """From the JSON of `system_profiler SPDisplaysDataType`. Cards of Apple's own have no memory; others say theirs."""
    try:
        listed = json.loads(told or "{}").get("SPDisplaysDataType", [])
    except (ValueError, AttributeError):
        return []
    found = []
    for item in listed if isinstance(listed, list) else []:
        name = str(item.get("sppci_model") or item.get("_name") or "")
        said = re.fullmatch(r"(\d+) ([MGT]B)", str(item.get("spdisplays_vram", "")))
        memory = int(said[1]) * _UNITS[said[2]] if said else 0
        if name:
            found.append(Card(name, memory, unified=not memory))
    return found


def ask(program: str, *arguments: str) -> str:
    """What a program of the system prints; nothing when it is not there, fails, or does not answer."""
    path = shutil.which(program)
    if path is None:
        return ""
    try:
        done = subprocess.run(
            [path, *arguments], capture_output=True, text=True, errors="replace", timeout=PROBE_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip()


def _with_processor(topology: Path) -> set[str]:
    """The numbers of the render nodes of cards that are a part of a processor."""
    found = set()
    for file in topology.glob("*/properties"):
        facts = dict(_pairs(_text(file).splitlines()))
        if facts.get("cpu_cores_count", "0") != "0" and facts.get("simd_count", "0") != "0":
            found.add(facts.get("drm_render_minor", ""))
    return found - {"", "0"}


def _pairs(lines: Iterable[str]) -> Iterable[tuple[str, str]]:
    for line in lines:
        name, _, value = line.partition(" ")
        yield name, value.strip()


def _text(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace").strip()
    except OSError:
        return ""


def _number(path: Path) -> int:
    found = _text(path)
    return int(found) if found.isdecimal() else 0
