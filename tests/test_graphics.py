"""What drivers tell of graphics cards: texts and files in the form that they document."""

import json
from pathlib import Path

from abierto.graphics import Card, amd, apple, nvidia

MIB, GIB = 1 << 20, 1 << 30


def amd_card(drm: Path, name: str, node: int, **files: str) -> None:
    device = drm / name / "device"
    (device / "drm" / f"renderD{node}").mkdir(parents=True)
    for file, content in {"vendor": "0x1002", **files}.items():
        (device / file).write_text(f"{content}\n")


def compute_node(topology: Path, number: int, **properties: int) -> None:
    folder = topology / str(number)
    folder.mkdir(parents=True)
    (folder / "properties").write_text("".join(f"{name} {value}\n" for name, value in properties.items()))


def test_cards_of_nvidia() -> None:
    told = "NVIDIA GeForce RTX 3060, 12288, 11519\nNVIDIA H200, 143771, 143158\n"
    assert nvidia(told) == [
        Card("NVIDIA GeForce RTX 3060", 12_288 * MIB, 11_519 * MIB),
        Card("NVIDIA H200", 143_771 * MIB, 143_158 * MIB),
    ]


def test_a_card_of_nvidia_without_memory_of_its_own() -> None:
    assert nvidia("NVIDIA GB10, [N/A], [N/A]") == [Card("NVIDIA GB10", unified=True)]


def test_no_card_of_nvidia() -> None:
    assert nvidia("") == []
    assert nvidia("No devices were found") == []


def test_cards_of_amd(tmp_path: Path) -> None:
    drm, topology = tmp_path / "drm", tmp_path / "nodes"
    sizes = {"mem_info_vram_total": str(16 * GIB), "mem_info_vram_used": str(GIB)}
    amd_card(drm, "card0", 128, product_name="Radeon RX 7800 XT", **sizes)
    amd_card(drm, "card1", 129, device="0x1586", mem_info_vram_total=str(GIB), mem_info_vram_used="0")
    amd_card(drm, "card2", 130, vendor="0x8086")
    (drm / "card0-HDMI-A-1").mkdir()
    compute_node(topology, 0, cpu_cores_count=16, simd_count=80, drm_render_minor=129)
    compute_node(topology, 1, cpu_cores_count=0, simd_count=120, drm_render_minor=128)
    assert amd(drm, topology) == [
        Card("Radeon RX 7800 XT", 16 * GIB, 15 * GIB),
        Card("AMD 0x1586", GIB, GIB, unified=True),
    ]


def test_a_computer_without_the_kernels_folders(tmp_path: Path) -> None:
    assert amd(tmp_path / "no", tmp_path / "none") == []


def test_cards_of_apple_and_in_its_computers() -> None:
    listed = [
        {"_name": "Apple M1 Max", "sppci_cores": "32", "sppci_model": "Apple M1 Max"},
        {"_name": "kHW_AMDRadeonPro5500MItem", "sppci_model": "AMD Radeon Pro 5500M", "spdisplays_vram": "8 GB"},
    ]
    assert apple(json.dumps({"SPDisplaysDataType": listed})) == [
        Card("Apple M1 Max", unified=True),
        Card("AMD Radeon Pro 5500M", 8 * GIB),
    ]
    for nothing in ("", "{}", "[]", "no json"):
        assert apple(nothing) == []
