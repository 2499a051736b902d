"""What a card states, and how it is read from its YAML file. It knows no folder and looks nothing up."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from abierto.formats.footprint_voice import Voice
from abierto.formats.shape import Shape


@dataclass(frozen=True, slots=True)
class Weights:
    """What to fetch for one form of a model. size: bytes of all files together; sha256: hexadecimal, of a single file.

    format: as `formats.detect` names it. source: as `abierto pull` takes it.
    """

    source: str
    format: str
    sha256: str | None = None
    size: int | None = None


@dataclass(frozen=True, slots=True)
class Published:
    """What the makers of a model published of it. url: where. status: `present`, or `absent` where they say so there.
    license: its own, as it is written there; None where none is stated for it."""

    url: str
    license: str | None = None
    status: Literal["present", "absent"] = "present"


@dataclass(frozen=True, slots=True)
class Evaluation:
    """A result that somebody published. benchmark: with what was counted, where that is not obvious. value: as the
    document states it, in the benchmark's own unit. better: which way of it is good; less, where it counts errors.
    language: ISO 639-1, of a benchmark in one language that names it. source: where it was published first, as far as
    the document that was read tells; empty where it tells nothing."""

    benchmark: str
    value: float
    source: str = ""
    better: Literal["more", "less"] = "more"
    language: str = ""


@dataclass(frozen=True, slots=True)
class Evidence:
    """Where facts of a card were read. facts: the names of the card's fields; read: ISO date."""

    facts: tuple[str, ...]
    url: str
    read: str


@dataclass(frozen=True, slots=True)
class Card:
    """What is known of a model. An absent fact is an unknown one.

    pipeline_tag: the task, in the words of the Hugging Face hub. languages: ISO 639-1 codes.
    parameters: how many numbers the model has; active_parameters: how many of them take part in one token.
    publisher, version, released: who published it, what they call this version, and the day of its release as ISO date.
    context: tokens it was trained to take in at once. blocks: what they are like, from which follows what conversations
    keep. voice: how wide the network is where it makes sound. license: an SPDX identifier, or the license's own name.
    weights: forms to choose from, by quantisation; none where no file can be fetched and verified, and then there are
    links. projectors: files that turn images into what the model reads, by precision. links: addresses of its
    documents, by what they are. defaults: values that its makers use: for a conversation those of `Sampling`; to draw,
    steps and guidance; to film, frames and fps too.
    package: the Python package that holds the model whole, so that no file is pulled; an engine reads it as a format.
    lineage: what a file that was made on this computer was made of, and how.
    components: what its makers published besides the weights, by the keys of the Model Openness Framework's components
    in `openness.evidence`. told: addresses of documents, by the aspect that they tell of, such as `limitations`.
    evaluations: results of examinations that were published of it, in the form that its makers published.
    chat_template, openness: for each language of ours, a list of sentences: what to mind in a conversation or before a
    text that is compared, and what is open about the model and what is not.
    """

    name: str
    title: str
    pipeline_tag: str
    aliases: tuple[str, ...] = ()
    architecture: str | None = None
    parameters: int | None = None
    active_parameters: int | None = None
    languages: tuple[str, ...] = ()
    license: str | None = None
    publisher: str = ""
    version: str = ""
    released: str = ""
    context: int | None = None
    blocks: Shape | None = None
    voice: Voice | None = None
    weights: Mapping[str, Weights] = field(default_factory=dict)
    projectors: Mapping[str, Weights] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)
    package: str = ""
    lineage: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[str, Published] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)
    evaluations: tuple[Evaluation, ...] = ()
    chat_template: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    openness: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    evidence: tuple[Evidence, ...] = ()

    @property
    def built_in(self) -> bool:
        """Whether this needs no file: it is a part of Abierto, or of a package. Other models lead to their makers."""
        return bool(self.package) or (not self.weights and not self.links)

    @property
    def chats(self) -> bool:
        """Whether a conversation can be had with it."""
        return self.pipeline_tag in ("text-generation", "image-text-to-text")

    @property
    def draws(self) -> bool:
        """Whether it makes images of words. What is a part of Abierto itself does everything, after a fashion."""
        return self.pipeline_tag == "text-to-image" or (self.built_in and not self.package)


def read(text: str) -> Card:
    """The card that a YAML text holds. Raises yaml.YAMLError, TypeError, KeyError for what is no card."""
    import yaml

    # The parser in C is ten times as fast; PyYAML's own wheels hold it, a build by hand may not.
    body = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
    for name in ("weights", "projectors"):
        body[name] = {form: Weights(**facts) for form, facts in body.get(name, {}).items()}
    body["blocks"] = Shape(**body["blocks"]) if body.get("blocks") else None
    body["voice"] = Voice(**body["voice"]) if body.get("voice") else None
    body["components"] = {key: Published(**facts) for key, facts in body.get("components", {}).items()}
    body["evaluations"] = tuple(Evaluation(**facts) for facts in body.get("evaluations", ()))
    for name in ("chat_template", "openness"):
        body[name] = {language: tuple(said) for language, said in body.get(name, {}).items()}
    body["evidence"] = tuple(
        Evidence(tuple(item["facts"]), item["url"], str(item["read"])) for item in body.get("evidence", ())
    )
    for name in ("aliases", "languages"):
        body[name] = tuple(body.get(name, ()))
    return Card(**body)
