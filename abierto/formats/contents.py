"""What a reader found in one file, the same for all formats. It reads nothing itself."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import prod
from typing import Any, Literal

MAX_TENSORS = 200_000  # of one model; the largest have some 100,000
LONGEST_NAME = 300  # characters of a tensor's name that are kept

Level = Literal["executes", "fault", "note"]


@dataclass(frozen=True, slots=True)
class Tensor:
    """shape: the slowest dimension first, as PyTorch has it; None where the file does not say. size: bytes."""

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    size: int = 0

    @property
    def elements(self) -> int:
        """How many numbers it holds; 0 where the shape is not known."""
        return 0 if self.shape is None else prod(self.shape)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something to know about a file.

    code: a key under `finding.`, worded with `about`. level: `executes` for what runs code when the file is loaded by
    the program that it was made for, `fault` for what cannot be true or is not read, `note` for the rest.
    """

    code: str
    level: Level
    about: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Facts:
    """What a file says of the model. An empty value or 0: it does not say.

    framework: what wrote it or reads it. context: tokens. vocabulary: how many tokens there are. lineage: the models
    it was made of; datasets: what it was trained with, by name. templates: names of Jinja templates, which a program
    runs to make a prompt. special_tokens: by their role. components: parts of a pipeline, by name. adapter: the kind of
    an adapter and its rank. generation: values to answer with. more: other facts of the format, by their names there.
    """

    architecture: str = ""
    framework: str = ""
    license: str = ""
    quantization: str = ""
    tokenizer: str = ""
    context: int = 0
    vocabulary: int = 0
    lineage: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    templates: tuple[str, ...] = ()
    special_tokens: Mapping[str, str] = field(default_factory=dict)
    components: Mapping[str, str] = field(default_factory=dict)
    adapter: Mapping[str, Any] = field(default_factory=dict)
    generation: Mapping[str, Any] = field(default_factory=dict)
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Contents:
    """All of one file. format: what it is; `tensors` in the order of the file."""

    format: str
    tensors: Sequence[Tensor] = ()
    facts: Facts = Facts()
    findings: tuple[Finding, ...] = ()


def merged(parts: Sequence[Facts]) -> Facts:
    """The facts of several files as one: of each the first that says something, lists and mappings put together."""
    made: dict[str, Any] = {}
    for name in Facts.__dataclass_fields__:
        values = [value for part in parts if (value := getattr(part, name))]
        if not values:
            continue
        if isinstance(values[0], tuple):
            made[name] = tuple(dict.fromkeys(item for value in values for item in value))
        elif isinstance(values[0], Mapping):
            made[name] = {key: item for value in reversed(values) for key, item in value.items()}
        else:
            made[name] = values[0]
    return Facts(**made)


def short(text: str, limit: int = LONGEST_NAME) -> str:
    """A text of somebody else's, cut and without characters that cannot be printed."""
    cut = text if len(text) <= limit else f"{text[: limit - 1]}…"
    return "".join(letter if letter.isprintable() else "\ufffd" for letter in cut)
