# SPDX-License-Identifier: Apache-2.0
"""Trazo (Spanish: stroke): a small text-to-image model, made from nothing but openly licensed drawings.

    trazo.toml   everything that can be chosen: sources with their hashes, sizes, the chain of segments
    packages     fetches the sources · concepts names what a drawing shows · families reads the icon sets
    pictures     rasterises them into the data set · colors, captions, variants turn it into pairs of words and picture
    networks     the three networks · stages what each is taught · segment one run from checkpoint to checkpoint
    chain        the manifest: every segment with all that it rests on, and its replay

Settled for whoever uses the model: the folder `models/trazo` is a Diffusers `StableDiffusionPipeline` (CLIPTextModel,
CLIPTokenizer, UNet2DConditionModel on 8x16x16 latents, AutoencoderTiny, DDIMScheduler: `v_prediction`, zero terminal
SNR, trailing steps; 128x128 pixels, at most 32 tokens) with weights in float16. Beside it `onnx/*.onnx` compute in
float32 and take their weights from `onnx/*.safetensors`, the same bytes as those of the Diffusers folders.
"""
