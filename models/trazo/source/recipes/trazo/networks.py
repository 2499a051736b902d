# SPDX-License-Identifier: Apache-2.0
"""The three networks, in the classes of Diffusers and Transformers, and their weights in files.

The text encoder turns up to 32 tokens into as many vectors. The autoencoder turns pictures (values -1 to 1) into
latents an eighth as wide, and back. The denoiser is given latents with noise, how much noise there is (0 to 999) and
the vectors of the text, and tells the velocity (Salimans & Ho 2022).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abierto.recipes.trazo.settings import Settings

PARTS = ("vae", "text_encoder", "unet")
NOISE = {
    "num_train_timesteps": 1000,
    "beta_start": 0.00085,
    "beta_end": 0.012,
    "beta_schedule": "scaled_linear",
    "prediction_type": "v_prediction",
    "rescale_betas_zero_snr": True,  # the last step is noise alone, so that plain backgrounds are possible
    "timestep_spacing": "trailing",
    "clip_sample": False,
    "set_alpha_to_one": True,
}


@dataclass(frozen=True, slots=True)
class Trio:
    """The networks. scale: what latents are multiplied with, so that they vary by about 1."""

    vae: Any
    text_encoder: Any
    unet: Any
    scale: float = 1.0

    def parts(self) -> Iterator[tuple[str, Any]]:
        """Name and network."""
        for part in PARTS:
            yield part, getattr(self, part)


def fresh(settings: Settings, end_token: int) -> Trio:
    """The networks before they have learned anything; the same ones every time."""
    import torch
    from diffusers import AutoencoderTiny, UNet2DConditionModel
    from transformers import CLIPTextConfig, CLIPTextModel

    torch.manual_seed(settings.seed)
    with torch.device("cpu"):
        return Trio(
            AutoencoderTiny(**autoencoder_shape(settings)),
            CLIPTextModel(CLIPTextConfig(**text_shape(settings, end_token))),
            UNet2DConditionModel(**unet_shape(settings)),
        )


def autoencoder_shape(settings: Settings) -> dict[str, Any]:
    """What AutoencoderTiny is made with."""
    shape = settings.networks
    channels = (shape.autoencoder_channels,) * len(shape.encoder_blocks)
    return {
        "encoder_block_out_channels": channels,
        "decoder_block_out_channels": channels,
        "num_encoder_blocks": shape.encoder_blocks,
        "num_decoder_blocks": shape.decoder_blocks,
        "latent_channels": shape.latent_channels,
    }


def text_shape(settings: Settings, end_token: int) -> dict[str, Any]:
    """What CLIPTextConfig is made with."""
    shape, words = settings.networks, settings.words
    return {
        "vocab_size": words.vocabulary,
        "hidden_size": shape.text_width,
        "intermediate_size": shape.text_width * 4,
        "projection_dim": shape.text_width,
        "num_hidden_layers": shape.text_layers,
        "num_attention_heads": shape.text_heads,
        "max_position_embeddings": words.tokens,
        "bos_token_id": end_token - 1,
        "eos_token_id": end_token,
        "pad_token_id": end_token,
        "attention_dropout": 0.0,
    }


def unet_shape(settings: Settings) -> dict[str, Any]:
    """What UNet2DConditionModel is made with: attention everywhere but at the finest level."""
    shape = settings.networks
    deeper = len(shape.unet_channels) - 1
    return {
        "sample_size": latent_side(settings),
        "in_channels": shape.latent_channels,
        "out_channels": shape.latent_channels,
        "block_out_channels": shape.unet_channels,
        "layers_per_block": shape.unet_layers,
        "down_block_types": ("DownBlock2D", *("CrossAttnDownBlock2D",) * deeper),
        "up_block_types": (*("CrossAttnUpBlock2D",) * deeper, "UpBlock2D"),
        "cross_attention_dim": shape.text_width,
        "attention_head_dim": shape.unet_head,
        "norm_num_groups": shape.unet_groups,
    }


def latent_side(settings: Settings) -> int:
    """Latents of a side: each block of the autoencoder but the first halves it."""
    return settings.data.size >> (len(settings.networks.encoder_blocks) - 1)


def save(trio: Trio, folder: Path) -> None:
    """Write the weights in float16, one file for each network; the same weights are the same bytes."""
    import torch
    from safetensors.torch import save_file

    folder.mkdir(parents=True, exist_ok=True)
    for part, network in trio.parts():
        weights = {name: value.detach().to(torch.float16).contiguous() for name, value in network.state_dict().items()
                   if value.is_floating_point()}  # fmt: skip
        save_file(weights, folder / f"{part}.safetensors", {"format": "pt"})


def load(trio: Trio, folder: Path) -> None:
    """Read the weights of a folder into the networks, in float32."""
    import torch
    from safetensors.torch import load_file

    for part, network in trio.parts():
        weights = load_file(folder / f"{part}.safetensors")
        missing, more = network.load_state_dict(
            {name: value.to(torch.float32) for name, value in weights.items()}, strict=False
        )
        assert not more, more
        assert all("position_ids" in name for name in missing), missing
