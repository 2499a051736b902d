"""How fast a model will be that never ran here, foretold from what `recipes.measurement` measured of this computer.

A token that is written takes a time for each byte of the weights that are read for it, which depends on their type, one
for each block, one for each word of the vocabulary that is chosen from, and one of its own. A token of a prompt takes a
time for each weight that it is multiplied with, and one for each number of its attention. All of these are measured
with models of random weights, and a prompt of 512 tokens. What answers took is learned from: models that were slower or
faster than foretold move what is foretold of others.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import median, quantiles
from typing import Any

from abierto import catalog, config
from abierto.catalog import Card
from abierto.errors import AbiertoError, JournalUnavailable
from abierto.formats.ggml_types import TYPES
from abierto.formats.gguf import read_parts
from abierto.formats.gguf_header import GGUFHeader, TensorInfo
from abierto.runtime.speed import LEAST_TOKENS, Speed
from abierto.store import records

ROWS_READ = 200  # of the journal, the newest
USUAL_ENGINE = "llamacpp"
ENOUGH = 0.95  # of the weights must be of types that were measured
# Of the last block these compute only the tokens that are answered (`inp_out_ids` in llama.cpp's src/models).
_SKIPS = ("llamacpp",)
# What is further from the forecast tells of other work on the computer: of many who asked at once.
LEARNED_WITHIN = 2.0
# The main type of what llama.cpp's mixtures are called.
_SUFFIXES = ("_s", "_m", "_l", "_xl")
_PER_BYTE = {kind.name: kind.block_elements / kind.block_bytes for kind in TYPES.values()}
_EMBEDDINGS, _OUTPUT = "token_embd.weight", "output.weight"


@dataclass(frozen=True, slots=True)
class Rates:
    """What one engine takes on this computer, in seconds. token: for each that is written; block, word: for each block
    and each word of the vocabulary besides; byte: for each byte of weights that is read, by type; weight: for each
    weight and token of a prompt, by type; attention: for each number of a block's attention and token of a prompt."""

    token: float
    block: float
    word: float
    attention: float
    byte: Mapping[str, float]
    weight: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Work:
    """What a model costs. read: bytes for each token that is written, by type. multiplied: weights for each token of a
    prompt, by type. attention: numbers of all heads of all blocks."""

    blocks: int
    words: int
    attention: int
    read: Mapping[str, int]
    multiplied: Mapping[str, int]


def work_of(header: GGUFHeader, engine: str) -> Work:
    """What the model of a file costs with an engine. Of experts those count that a token goes through."""
    experts = header.number("{arch}.expert_count") or 0
    share = (header.number("{arch}.expert_used_count") or experts) / experts if experts else 1.0
    tied = not any(tensor.name == _OUTPUT for tensor in header.tensors)
    read: dict[str, int] = {}
    multiplied: dict[str, int] = {}
    for tensor in header.tensors:
        if len(tensor.shape) < 2 or (tensor.name == _EMBEDDINGS and not tied):
            continue
        used = share if "_exps." in tensor.name else 1.0
        read[tensor.dtype] = read.get(tensor.dtype, 0) + round(tensor.size * used)
        if not _only_at_the_end(tensor, header, engine):
            multiplied[tensor.dtype] = multiplied.get(tensor.dtype, 0) + round(tensor.elements * used)
    attention = sum(heads * header.key_length for heads in header.head_count)
    return Work(header.block_count, header.vocab_size or 0, attention, read, multiplied)


def work_of_card(card: Card, form: str, size: int) -> Work | None:
    """About the same for a model that is not here, from the numbers on its card. Where that does not say how many
    weights there are, they are as many as a file of this size and type has. None for a type that is not known."""
    dtype = _main_type(form)
    parameters = card.parameters or round(size * _PER_BYTE.get(dtype, 0.0))
    if not parameters:
        return None
    active = card.active_parameters or parameters
    return Work(0, 0, 0, {dtype: round(size * active / parameters)}, {dtype: active})


def foretell(work: Work, rates: Rates, factor: float = 1.0) -> Speed | None:
    """The speed of a model, or None where it is of types that nobody measured. factor: what was learned here."""
    byte, weight = _mean(work.read, rates.byte), _mean(work.multiplied, rates.weight)
    if byte is None or weight is None:
        return None
    writing = rates.token + work.blocks * rates.block + work.words * rates.word + sum(work.read.values()) * byte
    reading = sum(work.multiplied.values()) * weight + work.attention * rates.attention
    return Speed(factor / max(reading, 1e-9), factor / max(writing, 1e-9), "computer")


@dataclass(frozen=True, slots=True)
class Known:
    """What this computer is known to do, by engine. factors: what was learned from answers."""

    rates: Mapping[str, Rates]
    factors: Mapping[str, float]

    def of_header(self, header: GGUFHeader, engine: str) -> Speed | None:
        """What to expect of the model of a file; None where nothing is known."""
        rates = self.rates.get(engine)
        return foretell(work_of(header, engine), rates, self.factors[engine]) if rates else None

    def of_card(self, card: Card, form: str, size: int) -> Speed | None:
        """What to expect of a model that is not here, with the engine that reads every such file."""
        rates, work = self.rates.get(USUAL_ENGINE), work_of_card(card, form, size)
        return foretell(work, rates, self.factors[USUAL_ENGINE]) if rates and work else None


def known() -> Known:
    """What the journal tells of this computer."""
    found = measured()
    return Known(found, {engine: learned(engine, rates) for engine, rates in found.items()})


def measured() -> dict[str, Rates]:
    """The newest rates of each engine, by its name; of types that were not measured again, older ones. Empty where this
    computer was never measured."""
    from abierto.journal import MEASUREMENTS

    found: dict[str, Rates] = {}
    for row in reversed(_rows(MEASUREMENTS, ROWS_READ)):
        new, old = Rates(**row["rates"]), found.get(row["engine"])
        if old:
            new = replace(new, byte={**old.byte, **new.byte}, weight={**old.weight, **new.weight})
        found[row["engine"]] = new
    return found


def facts(rates: Rates) -> dict[str, Any]:
    """As the journal keeps them."""
    return asdict(rates)


def learned(engine: str, rates: Rates) -> float:
    """By what the models that answered here were faster than foretold. With few of them, nearly one."""
    from abierto.journal import RUNS

    speeds: dict[str, list[float]] = {}
    for row in _rows(RUNS, ROWS_READ):
        if row["engine"] == engine and (row["completion_tokens"] or 0) >= LEAST_TOKENS and row["generation_seconds"]:
            speeds.setdefault(row["model"], []).append(row["completion_tokens"] / row["generation_seconds"])
    ratios = [ratio for model, told in speeds.items() if (ratio := _ratio(model, engine, told, rates))]
    return median([1.0, *(ratio for ratio in ratios if 1 / LEARNED_WITHIN < ratio < LEARNED_WITHIN)])


def _ratio(model: str, engine: str, speeds: Sequence[float], rates: Rates) -> float | None:
    """The speed where nothing disturbed it, against what was foretold."""
    best = quantiles(speeds, n=10)[-1] if len(speeds) > 1 else speeds[0]
    card, form = catalog.find_form(model)
    name = f"{card.name}:{form}" if card and form else card.name if card else model
    try:
        record = records.get(config.folders().models, name)
        files = [str(file.path) for file in record.files] if record else []
        told = foretell(work_of(read_parts(files), engine), rates) if files and files[0].endswith(".gguf") else None
    except AbiertoError:
        return None
    return best / told.generation if told else None


def _rows(table: Any, limit: int) -> list[Mapping[str, Any]]:
    from abierto.journal import Journal

    folder, address = config.folders().data, config.settings().journal
    if not address and not (folder / "journal.db").exists():
        return []
    try:
        journal = Journal.at(folder, address)
        try:
            return journal.recent(table, limit=limit)
        finally:
            journal.close()
    except JournalUnavailable:
        return []


def _only_at_the_end(tensor: TensorInfo, header: GGUFHeader, engine: str) -> bool:
    """Whether only the last token of a prompt is multiplied with it, as with what words are chosen with."""
    last = f"blk.{header.block_count - 1}.ffn_"
    return tensor.name in (_EMBEDDINGS, _OUTPUT) or (engine in _SKIPS and tensor.name.startswith(last))


def _mean(amounts: Mapping[str, int], rates: Mapping[str, float]) -> float | None:
    """The rate for a mixture of types, by what is known of most of it."""
    known = {dtype: amount for dtype, amount in amounts.items() if dtype in rates}
    whole, sure = sum(amounts.values()), sum(known.values())
    if not whole or sure < ENOUGH * whole:
        return None
    return sum(amount * rates[dtype] for dtype, amount in known.items()) / sure


def _main_type(form: str) -> str:
    name = form.lower()
    for suffix in _SUFFIXES:
        name = name.removesuffix(suffix)
    return {"fp16": "F16", "fp32": "F32", "q4_k_": "Q4_K"}.get(name, name.upper())
