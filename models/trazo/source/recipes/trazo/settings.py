# SPDX-License-Identifier: Apache-2.0
"""Reads trazo.toml: everything that can be chosen about the model, typed and checked."""

import tomllib
from dataclasses import dataclass, field, replace
from hashlib import sha256
from pathlib import Path

from abierto.errors import FileMissing
from abierto.formats.faults import corrupt

FILE = Path(__file__).with_name("trazo.toml")
LANGUAGES = ("en", "es")


@dataclass(frozen=True, kw_only=True)
class Data:
    """The data set. size: pixels of a side, a multiple of 8. unseen_pairs: share of (concept, color) held back."""

    size: int
    variants: int
    left_out_groups: tuple[str, ...] = ()
    left_out_subgroups: tuple[str, ...] = ()
    licenses: tuple[str, ...]
    unseen_pairs: float


@dataclass(frozen=True, kw_only=True)
class Words:
    """The vocabulary: so many pieces, so many tokens of a caption."""

    vocabulary: int
    tokens: int


@dataclass(frozen=True, kw_only=True)
class Networks:
    """The shapes of the three networks."""

    latent_channels: int
    autoencoder_channels: int
    encoder_blocks: tuple[int, ...]
    decoder_blocks: tuple[int, ...]
    text_width: int
    text_layers: int
    text_heads: int
    unet_channels: tuple[int, ...]
    unet_layers: int
    unet_head: int
    unet_groups: int


@dataclass(frozen=True, kw_only=True)
class Source:
    """A package of the npm registry. use: `train`, `judge` (drawings), `names` or `keywords`."""

    package: str
    version: str
    sha256: str
    use: str
    family: str = ""
    styles: dict[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        """Of the archive, as the registry names it."""
        return f"{self.package.rpartition('/')[2]}-{self.version}.tgz"

    @property
    def local(self) -> str:
        """Of the archive on this disk: two scopes may hold packages of one name."""
        return f"{self.package.lstrip('@').replace('/', '-')}-{self.version}.tgz"


@dataclass(frozen=True, kw_only=True)
class Plan:
    """One segment of the training. precision: `float32` or `bfloat16`. trains: which weights, by parts of their names.

    device: `cpu` or `cuda`. rate: the learning rate after `warmup` steps; with `decay`, it falls to nothing at the
    end. average: how much of the running average stays at each step. times: so many such segments follow each other.
    even: whether all levels of noise weigh the same for the denoiser. strong: the share of its pictures whose noise is
    strong in any case. plain: the share of the steps that show drawings as they are, on white. variants: how many
    variants the other steps show, by chance; 0 for all, one after the other. everyday: how often a drawing of an
    everyday thing comes while every other one comes once. muon: the learning rate of the matrices of hidden layers,
    if they learn by Muon; else 0. house: the family that a caption without words of style means; of all others the
    style is always told. housed: how often a drawing of that family comes while every other one comes once.
    """

    stage: str
    steps: int
    batch: int
    rate: float
    warmup: int = 100
    decay: bool = False
    average: float = 0.998
    precision: str = "float32"
    threads: int = 2
    device: str = "cpu"
    trains: tuple[str, ...] = ()
    even: bool = False
    strong: float = 0.0
    plain: float = 0.0
    variants: int = 0
    everyday: int = 1
    muon: float = 0.0
    house: str = ""
    housed: int = 1
    times: int = 1


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The whole file."""

    name: str
    seed: int
    data: Data
    words: Words
    networks: Networks
    sources: tuple[Source, ...]
    segments: tuple[Plan, ...]

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The segments one by one."""
        return tuple(replace(plan, times=1) for plan in self.segments for _ in range(plan.times))


def read(path: Path = FILE) -> Settings:
    """The settings in a file. Raises FileMissing, CorruptFile."""
    import msgspec

    try:
        return msgspec.convert(tomllib.loads(path.read_text("utf-8")), Settings)
    except OSError:
        raise FileMissing(str(path)) from None
    except (ValueError, msgspec.ValidationError) as problem:
        raise corrupt(str(path), "no_json", where=str(problem)) from None


def digest(settings: Settings, part: str) -> str:
    """The SHA-256 of a part of the settings: what was made under it is known again by it."""
    import msgspec

    return sha256(msgspec.json.encode(getattr(settings, part), order="sorted")).hexdigest()
