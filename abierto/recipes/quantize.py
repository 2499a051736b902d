"""The same model with fewer bits for each number, or with more: a new GGUF file with a card that tells its lineage.

Bits that an earlier quantisation threw away do not come back. Which tensors get which type is in `mixtures`, who
computes it in `codec`. It knows no engine.
"""

import re
from collections.abc import Generator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from abierto import __version__, config, machine
from abierto.catalog import Card, Evidence, Weights
from abierto.errors import FileMissing, NotConvertible, UnknownType
from abierto.formats.ggml_types import TYPES
from abierto.formats.gguf import GGUFHeader, TensorInfo, read_header, read_pairs, read_parts
from abierto.formats.split import whole_name
from abierto.recipes import codec_choice, gguf_writer, mixtures
from abierto.recipes.codec import Codec
from abierto.recipes.destination import destination
from abierto.recipes.gguf_writer import Made
from abierto.recipes.mixtures import MIXTURES, Traits
from abierto.recipes.steps import Step, by_file, hashed, written
from abierto.runtime.resolve import Target, resolve
from abierto.store import locks, records
from abierto.store.records import Record

# Described by keys of their own, which a copy must not inherit.
_DROPPED: tuple[str, ...] = (
    *("general.alignment", "general.file_type", "general.quantization_version"),
    *("split.no", "split.count", "split.tensors.count"),
)
# How file names and model names tell a quantisation: model.Q4_K_M, model-f16, model:q8_0.
_MARK = re.compile(r"(?i)[-._:](i?q\d\w*|b?f16|f32)$")
_BITS = {kind.name: 8 * kind.block_bytes / kind.block_elements for kind in TYPES.values()}


@dataclass(frozen=True, slots=True)
class Offer:
    """A kind of file that can be made of a model. size: bytes of the file. bits: for each number, on average."""

    kind: str
    size: int
    bits: float


@dataclass(frozen=True, slots=True)
class Original:
    """The model that another one is made of. header: of all its files together; parts: of each, in their order.

    rounded: the type that most of its numbers are quantised in, or None.
    """

    target: Target
    header: GGUFHeader
    parts: tuple[GGUFHeader, ...]
    rounded: str | None

    @property
    def path(self) -> str:
        """Its first file."""
        return self.target.files[0]


def open_original(name: str) -> Original:
    """The model of this name, as far as it can be quantised. Raises NotConvertible and what `resolve` raises."""
    target = resolve(name, config.folders().models)
    if not target.files:
        raise NotConvertible(target.name, "no_file")
    header = read_parts(target.files)
    if header.kind != "model" or not header.architecture:
        raise NotConvertible(target.files[0], "not_a_network", {"kind": header.kind})
    return Original(target, header, tuple(map(read_header, target.files)), _rounded(header))


def default_name(original: str, kind: str) -> str:
    """What a model is called that was made of another one and given no name."""
    stem = _MARK.sub("", "-".join(original.rpartition("/")[2].split()))
    return f"{stem}-{kind}".lower()


def offers(original: Original) -> list[Offer]:
    """What can be made of a model here, the largest first."""
    codec, pairs = codec_choice.find(), read_pairs(original.path)
    found = []
    for kind in MIXTURES:
        if _can(codec, kind):
            tensors = _tensors(original, kind, codec)
            size = gguf_writer.file_size(_pairs(pairs, kind), tensors)
            bits = 8 * sum(one.size for one in tensors) / max(original.header.parameter_count, 1)
            found.append(Offer(kind, size, bits))
    return sorted(found, key=lambda offer: -offer.size)


def is_no_gain(original: Original, kind: str) -> bool:
    """Whether the new file gives the numbers of a quantised one more bits than they have."""
    return original.rounded is not None and kind in MIXTURES and _BITS[MIXTURES[kind].dtype] > _BITS[original.rounded]


def quantize(original: Original, kind: str, name: str, out: Path | None = None) -> Generator[Step, None, Record]:
    """Make the file step by step; returns the record of the new model. Closing the generator leaves nothing.

    kind: a key of `mixtures.MIXTURES`. out: where the file is to lie, if not in the data folder.
    Raises UnknownType, NotConvertible, CorruptFile, PackageMissing, and what `destination` raises.
    """
    codec = codec_choice.find()
    if kind not in MIXTURES or not _can(codec, kind):
        raise UnknownType(kind, [known for known in MIXTURES if _can(codec, known)])
    with ExitStack() as held:
        if original.target.record:
            held.enter_context(locks.use(config.folders().models, original.target.record))
        tensors = _tensors(original, kind, codec)
        pairs = _pairs(read_pairs(original.path), kind)
        size = gguf_writer.file_size(pairs, tensors)
        filename = f"{_MARK.sub('', whole_name(Path(original.path).name).removesuffix('.gguf'))}-{kind.upper()}.gguf"
        place = held.enter_context(destination(name, filename, out, size))
        hashes = yield from _hashes(original)
        work = gguf_writer.write(place.growing, pairs, tensors, codec, machine.cores().physical)
        sha256 = yield from written(work, size, place.growing.parent)
        weights = Weights(f"file:{place.target}", "gguf", sha256, size)
        card = _card(original, kind, name, codec.tool, hashes, weights)
        return place.settle(card, f"{original.target.name}#{kind}", sha256)


def _rounded(header: GGUFHeader) -> str | None:
    """The quantised type that most numbers have, if any has one."""
    numbers: dict[str, int] = {}
    for tensor in header.tensors:
        if _BITS[tensor.dtype] < 16:
            numbers[tensor.dtype] = numbers.get(tensor.dtype, 0) + tensor.elements
    return max(numbers, key=lambda dtype: numbers[dtype]) if numbers else None


def _can(codec: Codec, kind: str) -> bool:
    return codec.writes(MIXTURES[kind].dtype)


def _tensors(original: Original, kind: str, codec: Codec) -> list[Made]:
    header = original.header
    names = {tensor.name for tensor in header.tensors}
    heads, shared = max(header.head_count, default=1), max(header.head_count_kv, default=1)
    traits = Traits(
        blocks=header.block_count,
        sharing=heads // shared if shared else 1,
        experts=header.number("{arch}.expert_count") or 0,
        tied="output.weight" not in names,
    )
    parts = zip(original.target.files, original.parts, strict=True)
    return [_tensor(path, part, tensor, (kind, traits, codec)) for path, part in parts for tensor in part.tensors]


def _tensor(path: str, part: GGUFHeader, tensor: TensorInfo, order: tuple[str, Traits, Codec]) -> Made:
    kind, traits, codec = order
    shape = tensor.shape or (1,)
    dtype = tensor.dtype
    if not mixtures.is_kept(tensor.name, shape):
        dtype = mixtures.type_for(kind, tensor.name, shape, traits)
        if not codec.writes(dtype):
            dtype = mixtures.simplest(shape)
    if dtype != tensor.dtype and not codec.reads(tensor.dtype):
        raise NotConvertible(path, "tensor_type", {"tensor": tensor.name, "type": tensor.dtype})
    begin, row = part.data_offset + tensor.offset, gguf_writer.byte_size(tensor.dtype, shape[0])
    return Made(tensor.name, shape, dtype, tensor.dtype, _reader(Path(path), begin, row), path)


def _reader(path: Path, begin: int, row: int) -> gguf_writer.Rows:
    def read(start: int, count: int) -> bytes:
        try:
            with path.open("rb") as file:
                file.seek(begin + start * row)
                found = file.read(count * row)
        except OSError:
            raise FileMissing(str(path)) from None
        if len(found) < count * row:  # somebody shortens the file while it is read
            raise FileMissing(str(path))
        return found

    return read


def _pairs(pairs: Mapping[str, bytes], kind: str) -> dict[str, bytes]:
    return {key: value for key, value in pairs.items() if key not in _DROPPED} | mixtures.metadata(kind)


def _hashes(original: Original) -> Generator[Step, None, dict[str, str]]:
    """The SHA-256 of each file: as the record says, if nothing changed since; else by reading it."""
    record = records.get(config.folders().models, original.target.record) if original.target.record else None
    known = {str(file.path): file.sha256 for file in record.files} if record and record.intact else {}
    found = {}
    for path in original.target.files:
        found[Path(path).name] = known.get(path) or (yield from hashed(Path(path)))
    return found


def _card(original: Original, kind: str, name: str, tool: str, hashes: dict[str, str], weights: Weights) -> Card:
    lineage = {
        "base": original.target.name,
        "source": _source(original),
        **by_file(hashes),
        "from_type": original.rounded or "",
        "type": kind,
        "tool": f"abierto {__version__}, {tool}",
        "date": datetime.now(UTC).date().isoformat(),
    }
    known = original.target.card or card_of_header(original.header, original.target.name)
    evidence = tuple(
        replace(item, facts=facts)
        for item in known.evidence
        if (facts := tuple(fact for fact in item.facts if fact not in ("weights", "projectors")))
    )
    return replace(
        known,
        name=name,
        title=f"{known.title} ({kind})",
        aliases=(),
        weights={kind: weights},
        projectors={},
        lineage={key: value for key, value in lineage.items() if value},
        evidence=evidence,
    )


def card_of_header(header: GGUFHeader, name: str) -> Card:
    """A card with what the header of a file says about the model."""
    facts = {
        "architecture": header.architecture or None,
        "parameters": header.parameter_count,
        "languages": header.languages,
        "license": header.license,
        "context": header.context_length,
    }
    known = {fact: value for fact, value in facts.items() if value}
    evidence = Evidence(tuple(known), "header of the file that it was made of", datetime.now(UTC).date().isoformat())
    # The header does not tell whether a model was trained to converse; that it has a template for it does.
    tag = "text-generation"
    return Card(name, header.name or name, tag, evidence=(evidence,), **known)  # type: ignore[arg-type]


def _source(original: Original) -> str:
    record = records.get(config.folders().models, original.target.record) if original.target.record else None
    return record.source if record else f"file:{original.path}"
