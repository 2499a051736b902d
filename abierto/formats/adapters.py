"""Tells an adapter by the names of its tensors: LoRA as peft, kohya's scripts and Diffusers write it.

Of files that say nothing of themselves, it knows the kind and the rank. It knows no base model.
"""

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

from abierto.formats.contents import Tensor

# The tensor whose smallest side is the rank, by how it is called.
_DOWN = {
    "kohya": re.compile(r"lora_(?:unet|te\d?|transformer)_.*\.lora_down\.weight"),
    "peft": re.compile(r".*\.lora_A(?:\.\w+)?\.weight"),
    "diffusers": re.compile(r".*(?:\.lora\.down|_lora\.down|\.lora_down)\.weight"),
}
_KINDS = {"lokr_w1": "LoKr", "hada_w1_a": "LoHa", "dora_scale": "DoRA", "lora_magnitude_vector": "DoRA"}


def of_tensors(tensors: Iterable[Tensor]) -> dict[str, Any]:
    """Kind, layout and rank of an adapter; nothing for what is none."""
    ranks: Counter[int] = Counter()
    layout = kind = ""
    for tensor in tensors:
        kind = kind or next((name for part, name in _KINDS.items() if part in tensor.name), "")
        if "lora" not in tensor.name:
            continue
        found = next((name for name, pattern in _DOWN.items() if pattern.fullmatch(tensor.name)), "")
        if found and tensor.shape:
            layout = layout or found
            ranks[min(tensor.shape[0], tensor.shape[1] if len(tensor.shape) > 1 else tensor.shape[0])] += 1
    if not ranks:
        return {"peft_type": kind} if kind else {}
    rank = ranks.most_common(1)[0][0]
    ranked = {"r": rank} if len(ranks) == 1 else {"r": rank, "ranks": sorted(ranks)[:20]}
    return {"peft_type": kind if kind == "DoRA" else "LORA", "layout": layout, **ranked}
