# SPDX-License-Identifier: Apache-2.0
"""What each stage of the training teaches, and by which measure.

autoencoder   pictures to latents and back
words         captions and pictures that belong together lie close (Radford et al. 2021, with a small tower on latents);
              the caption may be in either language, so both come to mean the same
sketch        captions to the picture that is expected of them, by a small network that is thrown away. That is what the
              denoiser has to begin with, where noise is all it sees; the text encoder alone learns it many times faster
denoiser      to take noise from latents, told by a caption: v-prediction (Salimans & Ho 2022), zero terminal SNR
              (Lin et al. 2024), at first weights of min-SNR (Hang et al. 2023, gamma 5). What a caption asks for is
              decided where noise is strong, which min-SNR hardly weighs, so that later all levels weigh the same
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from abierto.recipes.trazo import captions, hashes, latents, networks, vocabulary
from abierto.recipes.trazo.captions import Shown
from abierto.recipes.trazo.latents import Encoded
from abierto.recipes.trazo.networks import Trio
from abierto.recipes.trazo.pictures import DataSet
from abierto.recipes.trazo.settings import LANGUAGES, Plan, Settings

UNTOLD = 0.1  # share of the pictures that come without a caption, for guidance (Ho & Salimans 2022)
_GAMMA = 5.0
_STRONG = 600  # of 1000 levels of noise: from here on it is decided what a caption asks for
_PATCH = 4  # latents of a side
_CROP = 64  # pixels: the autoencoder sees no more at a time, and less than half as much work teaches it the same
_BLUR = 0.05  # of the latents, so that the decoder forgives the denoiser small faults


@dataclass(frozen=True, slots=True)
class Material:
    """What a segment learns from. encoded: the latents of a variant by its number, made when first asked for.

    house: the family that a caption without words of style means; empty where it may be any. taken: words
    that are the name of a thing, or keywords of several.
    """

    settings: Settings
    data: DataSet
    tokenizer: Any
    encoded: Callable[[int], Encoded]
    house: str = ""
    taken: frozenset[str] = frozenset()


class Stage(Protocol):
    """One way to teach. modules: what is trained, by the names that the weights have in a segment's state.

    What is drawn at random is drawn by the processor on every device, so that all of them learn from the same.
    """

    modules: dict[str, nn.Module]

    def loss(self, places: list[int], variant: int, random: np.random.Generator) -> Tensor:
        """How bad the networks are at the drawings at these places. Noise comes from torch's own seed."""
        ...


class Autoencoder:
    """Of crops: how far what comes back is from what went in, in colour, in edges, and at half the size."""

    def __init__(self, trio: Trio, material: Material) -> None:
        self.modules: dict[str, nn.Module] = {"vae": trio.vae.to(memory_format=torch.channels_last)}
        self._vae, self._material = trio.vae, material

    def loss(self, places: list[int], variant: int, random: np.random.Generator) -> Tensor:
        """The sum of the differences, and a pull of the latents towards mean 0 and variance 1."""
        whole = latents.pictures(self._material.settings, self._material.data, places, variant)
        side = min(_CROP, whole.shape[-1])
        corners = random.integers(0, whole.shape[-1] - side + 1, (len(places), 2))
        given = torch.stack(
            [one[:, top : top + side, left : left + side] for one, (top, left) in zip(whole, corners, strict=True)]
        )
        given = given.contiguous(memory_format=torch.channels_last).to(self._vae.device)
        hidden = self._vae.encode(given).latents
        blur = _BLUR * torch.randn_like(hidden, device="cpu").to(hidden.device)
        back = self._vae.decode(hidden + blur).sample.float()
        halves = functional.avg_pool2d(back, 2), functional.avg_pool2d(given, 2)
        mean, variance = hidden.float().mean((0, 2, 3)), hidden.float().var((0, 2, 3))
        pull = (mean.square() + (variance + 1e-4).log().square()).mean()
        return (
            (back - given).abs().mean()
            + 0.5 * _edges(back, given)
            + 0.5 * (halves[0] - halves[1]).abs().mean()
            + 0.01 * pull
        )


class Words:
    """Of a batch: how well each caption finds its picture among all, and each picture its caption."""

    def __init__(self, trio: Trio, material: Material) -> None:
        settings = material.settings
        width, channels = settings.networks.text_width, settings.networks.latent_channels
        self._tower = _tower(channels, width)
        self._heat = nn.ParameterDict({"log": nn.Parameter(torch.tensor(2.5))})
        self.modules: dict[str, nn.Module] = {
            "text_encoder": trio.text_encoder,
            "tower": self._tower,
            "heat": self._heat,
        }
        self._text, self._scale, self._material = trio.text_encoder, trio.scale, material

    def loss(self, places: list[int], variant: int, random: np.random.Generator) -> Tensor:
        """The mean of both cross entropies."""
        encoded = self._material.encoded(variant)
        device = self._text.device
        seen = torch.from_numpy(encoded.values[places]).float().to(device) * self._scale
        said = [told(self._material, encoded, place, random) for place in places]
        tokens = vocabulary.encode(self._material.tokenizer, said).to(device)
        words = functional.normalize(self._text(tokens).pooler_output, dim=-1)
        views = functional.normalize(self._tower(seen), dim=-1)
        close = words @ views.T * self._heat["log"].exp().clamp(max=100)
        # Drawings of one concept in a batch are both right.
        concepts = [self._material.data.drawings[place].concept for place in places]
        same = torch.tensor([[float(one == other) for other in concepts] for one in concepts]).to(device)
        right = same / same.sum(-1, keepdim=True)
        return (functional.cross_entropy(close, right) + functional.cross_entropy(close.T, right)) / 2


class Sketch:
    """Of captions alone: how far the latents that are expected are from those of a picture."""

    def __init__(self, trio: Trio, material: Material) -> None:
        settings = material.settings
        self._sketcher = _Sketcher(
            settings.networks.text_width, settings.networks.latent_channels, networks.latent_side(settings)
        )
        self.modules: dict[str, nn.Module] = {"text_encoder": trio.text_encoder, "sketcher": self._sketcher}
        self._text, self._scale, self._material = trio.text_encoder, trio.scale, material

    def loss(self, places: list[int], variant: int, random: np.random.Generator) -> Tensor:
        """The mean square."""
        encoded = self._material.encoded(variant)
        device = self._text.device
        said = [told(self._material, encoded, place, random) for place in places]
        tokens = vocabulary.encode(self._material.tokenizer, said).to(device)
        expected = self._sketcher(self._text(tokens).last_hidden_state).float()
        shown = torch.from_numpy(encoded.values[places]).float().to(device) * self._scale
        return (expected - shown).square().mean()


class Denoiser:
    """Of noisy latents: how far the velocity that the network tells is from the true one."""

    def __init__(self, trio: Trio, material: Material, plan: Plan) -> None:
        from diffusers import DDIMScheduler
        from diffusers.models.attention_processor import AttnProcessor, AttnProcessor2_0

        # The way back through fused attention takes three fifths of a step in bfloat16 on a processor, and in float32
        # saves a third of it.
        trio.unet.set_attn_processor(AttnProcessor() if plan.precision == "bfloat16" else AttnProcessor2_0())
        trio.unet.to(memory_format=torch.channels_last)
        self.modules: dict[str, nn.Module] = {"unet": trio.unet, "text_encoder": trio.text_encoder}
        self._trio, self._material, self._plan = trio, material, plan
        self._kept = DDIMScheduler(**networks.NOISE).alphas_cumprod

    def loss(self, places: list[int], variant: int, random: np.random.Generator) -> Tensor:
        """The weighted mean square."""
        encoded = self._material.encoded(variant)
        clean = torch.from_numpy(encoded.values[places]).float() * self._trio.scale
        said = ["" if random.random() < UNTOLD else told(self._material, encoded, place, random) for place in places]
        tokens = vocabulary.encode(self._material.tokenizer, said)
        times = torch.randint(0, len(self._kept), (len(places),))
        if self._plan.strong:
            strong = torch.randint(_STRONG, len(self._kept), (len(places),))
            times = torch.where(torch.rand(len(places)) < self._plan.strong, strong, times)
        device = self._trio.unet.device
        clean, noise = clean.to(device), torch.randn_like(clean).to(device)
        kept = self._kept[times][:, None, None, None].to(device)
        noisy, velocity = (
            kept.sqrt() * clean + (1 - kept).sqrt() * noise,
            kept.sqrt() * noise - (1 - kept).sqrt() * clean,
        )
        words = self._trio.text_encoder(tokens.to(device)).last_hidden_state
        found = self._trio.unet(noisy, times.to(device), words).sample.float()
        away = (found - velocity).square().mean((1, 2, 3))
        if self._plan.even:
            return away.mean()
        ratio = kept.flatten() / (1 - kept.flatten())
        weight = ratio.clamp(max=_GAMMA) / (ratio + 1)
        # Noise alone would weigh nothing, and pictures begin there.
        return (away * weight.clamp(min=0.05)).mean()


def begin(plan: Plan, trio: Trio, material: Material) -> Stage:
    """The stage of a plan. Raises KeyError for one that there is not."""
    stages: dict[str, Callable[[Trio, Material], Stage]] = {
        "autoencoder": Autoencoder,
        "words": Words,
        "sketch": Sketch,
        "denoiser": partial(Denoiser, plan=plan),
    }
    return stages[plan.stage](trio, replace(material, house=plan.house))


def told(material: Material, encoded: Encoded, place: int, random: np.random.Generator) -> str:
    """A caption of a variant of the drawing at a place, in either language."""
    data, variant = material.data, encoded.shown[place]
    drawing = data.drawings[place]
    styles = next(one.styles for one in material.settings.sources if one.family == drawing.family)
    styled = material.house not in ("", drawing.family)
    shown = Shown(
        data.concepts[drawing.concept], styles, variant.colors, variant.background,
        styled=styled, turned=bool(variant.angle), taken=material.taken,
    )  # fmt: skip
    return captions.caption(shown, LANGUAGES[int(random.integers(len(LANGUAGES)))], random)


def batch(plan: Plan, seed: int, step: int, places: list[int]) -> tuple[list[int], int]:
    """The drawings of a step, and how many times all have been gone through before: each comes once in a round."""
    per_round = max(1, len(places) // plan.batch)
    order = np.random.default_rng(hashes.number(seed, "order", step // per_round)).permutation(len(places))
    start = step % per_round * plan.batch
    return [places[at] for at in order[start : start + plan.batch]], step // per_round


def _edges(back: Tensor, given: Tensor) -> Tensor:
    wide = (back.diff(dim=-1) - given.diff(dim=-1)).abs().mean()
    return wide + (back.diff(dim=-2) - given.diff(dim=-2)).abs().mean()


def _tower(channels: int, width: int) -> nn.Module:
    def layer(inputs: int, stride: int) -> list[nn.Module]:
        return [nn.Conv2d(inputs, width // 2, 3, stride, 1), nn.GroupNorm(4, width // 2), nn.SiLU()]

    ends = [nn.Flatten(), nn.LazyLinear(width)]
    return nn.Sequential(*layer(channels, 1), *layer(width // 2, 2), *layer(width // 2, 2), *ends)


class _Sketcher(nn.Module):
    """Words to latents: each patch of the picture asks the words what it shows."""

    def __init__(self, width: int, channels: int, side: int) -> None:
        super().__init__()
        self.places = nn.Parameter(0.5 * torch.randn((side // _PATCH) ** 2, width))
        self.asked = nn.ModuleList([nn.MultiheadAttention(width, 8, batch_first=True) for _ in range(2)])
        self.thought = nn.ModuleList(
            [nn.Sequential(nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.GELU(), nn.Linear(2 * width, width))
             for _ in range(2)]
        )  # fmt: skip
        self.norms = nn.ModuleList([nn.LayerNorm(width) for _ in range(2)])
        self.shown = nn.Sequential(nn.LayerNorm(width), nn.Linear(width, channels * _PATCH**2))
        self._across = side // _PATCH

    def forward(self, words: Tensor) -> Tensor:
        """words: [caption, token, width]; returns [caption, channels, side, side]."""
        hidden = self.places.expand(len(words), -1, -1)
        for norm, asked, thought in zip(self.norms, self.asked, self.thought, strict=True):
            hidden = hidden + asked(norm(hidden), words, words, need_weights=False)[0]
            hidden = hidden + thought(hidden)
        patches = self.shown(hidden).unflatten(1, (self._across, self._across)).permute(0, 3, 1, 2)
        return functional.pixel_shuffle(patches, _PATCH)
