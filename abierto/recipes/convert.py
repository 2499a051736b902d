"""A model as its makers publish it, made into one GGUF file that engines read: its weights, its numbers, its tokenizer.

What cannot be done rightly is refused: an unknown architecture, an unknown tokenizer, a tensor too many or too few.
"""

import struct
from collections.abc import Generator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from math import prod
from pathlib import Path
from typing import Any

from abierto import __version__, config, machine
from abierto.catalog import Card, Evidence, Weights
from abierto.errors import ModelNotPulled, NotConvertible, UnknownType
from abierto.formats.safetensors import WIDTHS
from abierto.recipes import architectures, codec_choice, gguf_writer, mixtures, vocabulary
from abierto.recipes.architectures import Shape
from abierto.recipes.checkpoint import Checkpoint, Stored, open_checkpoint
from abierto.recipes.codec import Codec
from abierto.recipes.destination import destination
from abierto.recipes.gguf_writer import Made
from abierto.recipes.mixtures import MIXTURES, Traits
from abierto.recipes.steps import Step, by_file, hashed, written
from abierto.store import records
from abierto.store.records import Record

# Positions that are computed anew by every engine; older files hold them.
_IGNORED = "rotary_emb.inv_freq"
_READ = ("F32", "F16", "BF16")
MAX_README = 1 << 20  # bytes


@dataclass(frozen=True, slots=True)
class Source:
    """A published model that can be converted. pairs: the metadata of the GGUF file, all but the kind of file."""

    checkpoint: Checkpoint
    shape: Shape
    pairs: dict[str, bytes]
    about: dict[str, Any]

    @property
    def name(self) -> str:
        """What it is called: for a folder in a hub's cache, the repository; else the folder."""
        return _hub_name(self.checkpoint.folder)[0].rpartition("/")[2] or self.checkpoint.folder.name

    @property
    def usual_kind(self) -> str:
        """The kind of file that keeps the numbers as they are, as far as engines compute with them."""
        stored = {tensor.info.dtype for tensor in self.checkpoint.tensors.values()}
        return "bf16" if "BF16" in stored else "f16"


def folder_of(name: str) -> Path:
    """Where the model lies that a person means: a folder, or the name or the source of a model that was pulled.

    Raises ModelNotPulled for a source that was not.
    """
    path, models = Path(name).expanduser(), config.folders().models
    if path.is_dir():
        return path
    for record in records.all_records(models):
        if name in (record.name, record.source):
            return record.files[0].path.parent
    if name.startswith("hf:"):
        raise ModelNotPulled(name)
    return path


def open_source(folder: Path) -> Source:
    """Read what a folder says of its model. Raises NotConvertible, CorruptFile, FileMissing."""
    folder = folder.expanduser().absolute()
    checkpoint = open_checkpoint(folder)
    shape = architectures.shape_of(checkpoint.config, str(folder / "config.json"))
    _check_tensors(checkpoint, shape)
    about = _readme(folder)
    pairs = {
        "general.architecture": gguf_writer.string(shape.architecture.name),
        "general.type": gguf_writer.string("model"),
        "general.name": gguf_writer.string(_hub_name(folder)[0].rpartition("/")[2] or folder.name),
    }
    if license_ := about.get("license"):
        pairs["general.license"] = gguf_writer.string(license_)
    pairs |= architectures.metadata(shape, str(folder / "config.json"))
    pairs |= vocabulary.vocabulary(folder, shape.vocabulary, checkpoint.config)
    return Source(checkpoint, shape, pairs, about)


def convert(source: Source, kind: str, name: str, out: Path | None = None) -> Generator[Step, None, Record]:
    """Make the file step by step; returns the record of the new model. Closing the generator leaves nothing.

    kind: a key of `mixtures.MIXTURES`. Raises UnknownType, CorruptFile, PackageMissing, and what `destination` raises.
    """
    codec = codec_choice.find()
    if kind not in MIXTURES or not codec.writes(MIXTURES[kind].dtype):
        raise UnknownType(kind, [known for known in MIXTURES if codec.writes(MIXTURES[known].dtype)])
    pairs = source.pairs | mixtures.metadata(kind)
    tensors = _made(source, kind, codec)
    size = gguf_writer.file_size(pairs, tensors)
    with ExitStack() as held:
        place = held.enter_context(destination(name, f"{source.name}-{kind.upper()}.gguf", out, size))
        hashes = {}
        for path in source.checkpoint.files:
            hashes[path.name] = yield from hashed(path)
        work = gguf_writer.write(place.growing, pairs, tensors, codec, machine.cores().physical)
        sha256 = yield from written(work, size, place.growing.parent)
        weights = Weights(f"file:{place.target}", "gguf", sha256, size)
        card = _card(source, kind, name, codec.tool, hashes, weights)
        return place.settle(card, f"{source.name}#{kind}", sha256)


def _check_tensors(checkpoint: Checkpoint, shape: Shape) -> None:
    wanted = architectures.tensors(shape)
    for name, (_, size) in wanted.items():
        stored = checkpoint.tensors.get(name)
        if stored is None:
            raise NotConvertible(str(checkpoint.folder), "tensor_absent", {"tensor": name})
        if stored.info.shape != size:
            facts = {"tensor": name, "shape": list(stored.info.shape), "expected": list(size)}
            raise NotConvertible(str(stored.path), "tensor_shape", facts)
        if stored.info.dtype not in _READ:
            raise NotConvertible(str(stored.path), "tensor_type", {"tensor": name, "type": stored.info.dtype})
    for name, stored in checkpoint.tensors.items():
        # A tied output matrix may be stored twice.
        if name not in wanted and not name.endswith(_IGNORED) and name != "lm_head.weight":
            raise NotConvertible(str(stored.path), "tensor_unknown", {"tensor": name[:100]})


def _made(source: Source, kind: str, codec: Codec) -> list[Made]:
    shape = source.shape
    traits = Traits(shape.blocks, shape.heads // shape.heads_kv, 0, shape.tied)
    made = []
    for name, (renamed, size) in architectures.tensors(shape).items():
        stored = source.checkpoint.tensors[name]
        ggml_shape = tuple(reversed(size))
        dtype = "F32"
        if not mixtures.is_kept(renamed, ggml_shape):
            dtype = mixtures.type_for(kind, renamed, ggml_shape, traits)
            dtype = dtype if codec.writes(dtype) else mixtures.simplest(ggml_shape)
        heads = architectures.rotated_heads(shape, renamed)
        read = _reordered(stored, shape.head) if heads else stored.read
        made.append(Made(renamed, ggml_shape, dtype, stored.info.dtype, read, str(stored.path)))
    factors = architectures.frequency_factors(shape, str(source.checkpoint.folder / "config.json"))
    if factors:
        data = struct.pack(f"<{len(factors)}f", *factors)
        made.insert(
            0, Made("rope_freqs.weight", (len(factors),), "F32", "F32", lambda _start, _count: data, "config.json")
        )
    return made


def _reordered(stored: Stored, head: int) -> gguf_writer.Rows:
    """Reads rows, or the numbers of a vector, in the order in which the engine rotates them."""
    vector = len(stored.info.shape) == 1
    width = WIDTHS[stored.info.dtype] * (1 if vector else stored.row)

    def read(start: int, count: int) -> bytes:
        first, last = start - start % head, start + count + -(start + count) % head
        if vector:
            first, count = 0, stored.row
            data = stored.read(0, 1)
        else:
            data = stored.read(first, last - first)
        places = (architectures.source_row(row, head) - first for row in range(start, start + count))
        return b"".join(data[place * width : (place + 1) * width] for place in places)

    return read


def _card(source: Source, kind: str, name: str, tool: str, hashes: dict[str, str], weights: Weights) -> Card:
    repository, commit = _hub_name(source.checkpoint.folder)
    today = datetime.now(UTC).date().isoformat()
    lineage = {
        "base": repository or source.checkpoint.folder.name,
        "source": f"hf:{repository}@{commit}" if repository else f"file:{source.checkpoint.folder}",
        **by_file(hashes),
        "type": kind,
        "tool": f"abierto {__version__}, {tool}",
        "date": today,
    }
    parameters = sum(prod(size) for _, size in architectures.tensors(source.shape).values())
    evidence = [Evidence(("architecture", "parameters", "context"), "config.json", today)]
    if source.about:
        evidence.append(Evidence(tuple(source.about), "README.md", today))
    return Card(
        name=name,
        title=f"{source.name} ({kind})",
        pipeline_tag="text-generation",
        architecture=source.shape.architecture.name,
        parameters=parameters,
        context=source.shape.context,
        weights={kind: weights},
        lineage=lineage,
        evidence=tuple(evidence),
        **source.about,
    )


def _hub_name(folder: Path) -> tuple[str, str]:
    """Repository and commit of a folder in a hub's cache (models--owner--name/snapshots/commit), else empty."""
    above = folder.parent
    parts = above.parent.name.split("--") if above.name == "snapshots" else []
    return ("/".join(parts[1:]), folder.name) if len(parts) == 3 and parts[0] == "models" else ("", "")


def _readme(folder: Path) -> dict[str, Any]:
    """The licence and the languages that the makers state at the head of their README.md."""
    import yaml

    path = folder / "README.md"
    try:
        text = path.read_text("utf-8") if path.stat().st_size <= MAX_README else ""
        head = yaml.safe_load(text.split("\n---", 1)[0]) if text.startswith("---\n") else {}
    except (OSError, UnicodeDecodeError, yaml.YAMLError, RecursionError):
        return {}
    head = head if isinstance(head, dict) else {}
    license_, languages = head.get("license"), head.get("language")
    languages = [languages] if isinstance(languages, str) else languages
    found: dict[str, Any] = {}
    if isinstance(license_, str):
        found["license"] = license_[:100]
    if isinstance(languages, list) and languages and all(isinstance(one, str) for one in languages):
        found["languages"] = tuple(one[:20] for one in languages)
    return found
