"""Folders of Diffusers for which no engine is here, with little in them."""

import json
from pathlib import Path


def pipeline(folder: Path) -> Path:
    """Its main file, in a new folder."""
    index = {"unet": ["diffusers", "UNet2DConditionModel"], "vae": ["diffusers", "AutoencoderKL"]}
    for part, channels in (("unet", [320, 640]), ("vae", [64, 128, 256, 256])):
        (folder / part).mkdir(parents=True)
        (folder / part / "config.json").write_text(json.dumps({"block_out_channels": channels}))
        (folder / part / "weights.safetensors").write_bytes(bytes(1000))
    main = folder / "model_index.json"
    main.write_text(json.dumps({"_class_name": "StableDiffusionPipeline", **index}))
    return main
