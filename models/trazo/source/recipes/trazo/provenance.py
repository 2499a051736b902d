# SPDX-License-Identifier: Apache-2.0
"""What a segment's result depends on beside its own plan: source code, package versions, processor."""

import hashlib
import platform
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec

from abierto.recipes.trazo.settings import Settings

# Whatever of the source has a part in what a segment makes, or in the data.
SOURCES = ("attribution", "captions", "colors", "concepts", "families", "hashes", "latents", "networks",
           "optimizers", "packages", "pictures", "segment", "settings", "stages", "variants", "vocabulary")  # fmt: skip
PACKAGES = ("diffusers", "numpy", "pillow", "resvg-py", "safetensors", "tokenizers", "torch", "transformers")
# An assumption, as no meter is read: what servers draw from the wall for each busy core (AMD rates an EPYC 9654 at
# 360 W for 96 cores; memory, supply and cooling about double that).
WATTS = 8.0


def of_this_computer(threads: int, device: str) -> dict[str, Any]:
    """Code, packages and processor, as a record holds them; and the graphics card where the device is `cuda`."""
    return {
        "code": code_hash(),
        "packages": {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}},
        "processor": {**processor(), "threads": threads, **card(device)},
    }


def spent(seconds: float) -> dict[str, float]:
    """Seconds of a processor, and the energy that this is estimated to be, in watt-hours."""
    return {"processor_seconds": round(seconds), "watt_hours_estimated": round(seconds * WATTS / 3600, 2)}


def code_hash() -> str:
    """The SHA-256 of the recipe's own source files that have a part in the result."""
    found = hashlib.sha256()
    for name in SOURCES:
        found.update(name.encode() + b"\0" + Path(__file__).with_name(f"{name}.py").read_bytes() + b"\0")
    return found.hexdigest()


def settings_hash(settings: Settings) -> str:
    """The SHA-256 of the settings without the plans of the segments: each record holds its own."""
    body = msgspec.to_builtins(settings)
    del body["segments"]
    return hashlib.sha256(msgspec.json.encode(body, order="sorted")).hexdigest()


def processor() -> dict[str, str]:
    """The kind of processor, and which of its instructions the arithmetic is done with."""
    import torch

    return {
        "kind": platform.machine(),
        "model": _model(),
        "instructions": torch.backends.cpu.get_cpu_capability(),
        "system": platform.system(),
    }


def card(device: str) -> dict[str, str]:
    """The graphics card that a segment is trained on, if it is."""
    import torch

    return {"card": torch.cuda.get_device_name()} if device == "cuda" and torch.cuda.is_available() else {}


def _model() -> str:
    """Family and model number, which tell more than the name that a rented computer is given."""
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.processor()
    facts = dict(reversed([[part.strip() for part in line.split(":", 1)] for line in lines if ":" in line]))
    keys = ("vendor_id", "cpu family", "model", "model name")
    return " ".join(facts[key] for key in keys if key in facts) or platform.processor()
