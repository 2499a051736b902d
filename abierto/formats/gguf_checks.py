"""Whether the header of a GGUF file can be true, and whether an engine would survive it.

It knows what the parts of a header say about each other. Besides the layout it looks for what makes llama.cpp end its
process by an assertion or a bad memory access instead of an error; that was found by loading broken variants of a
small model with xllamacpp 2026.10. What the engine refuses by itself with an error is left to the engine, except where
the memory estimate needs the number.
"""

import math
import re

from abierto.errors import CorruptFile
from abierto.formats.faults import corrupt
from abierto.formats.gguf_header import MAX_BLOCKS, GGUFHeader

MAX_CONTEXT = 2**31 - 1
MAX_EXPERTS = 1024
ENGINE_ALIGNMENT = 32  # TENSOR_ALIGNMENT in ggml: weights are used where the file is mapped into memory
MAX_TEMPLATE = 1 << 20  # characters
MAX_NESTING = 200  # of brackets in a chat template; the parser calls itself for each, until the stack is full
ROPE_SCALINGS = ("none", "linear", "yarn", "longrope")
# No multiplication in ggml's CPU code takes these types for weights.
_UNUSABLE = ("I8", "I16", "I32", "I64", "F64", "Q8_1", "Q8_K")
_MATRIX = re.compile(r"(token_embd|output|blk\.\d+\.(attn_(q|k|v|qkv|output)|ffn_(gate|up|down)))\.weight")
_NORM = re.compile(r"(blk\.\d+\.)?\w*norm\.weight")
_BLOCK = re.compile(r"blk\.(\d{1,9})\.")


def check_layout(header: GGUFHeader, path: str) -> None:
    """Raise CorruptFile when tensors share a name or bytes, or lie outside of the file."""
    names: set[str] = set()
    for tensor in header.tensors:
        if tensor.name in names:
            raise corrupt(path, "duplicate_tensor", tensor=tensor.name)
        names.add(tensor.name)
        if tensor.offset % header.alignment:
            raise corrupt(path, "tensor_unaligned", tensor=tensor.name, offset=tensor.offset)
    end = 0
    room = header.file_size - header.data_offset
    for tensor in sorted(header.tensors, key=lambda tensor: tensor.offset):
        if tensor.offset < end:
            raise corrupt(path, "tensors_overlap", tensor=tensor.name)
        padded = end + -end % header.alignment
        if tensor.offset > padded and tensor.offset > room:
            # A file that was cut short has its tensors in a row; this one points to nowhere.
            raise corrupt(path, "tensor_outside_file", tensor=tensor.name, offset=tensor.offset)
        end = tensor.offset + tensor.size
    if end > max(room, 0):
        raise corrupt(path, "truncated", expected=header.data_offset + end, actual=header.file_size)


def check_model(header: GGUFHeader, path: str) -> None:
    """Raise CorruptFile for numbers that cannot be true of a model that works.

    Adapters, later parts of a split model and networks other than language models have to obey fewer rules.
    """
    check = _Check(header, path)
    check.ranges()
    if header.split_number or header.kind != "model":
        return
    check.template()
    check.alignment()
    blocks = {int(found[1]) for tensor in header.tensors if (found := _BLOCK.match(tensor.name))}
    if not blocks:
        return
    check.required()
    if header.split_count == 1:
        check.blocks(blocks)
    check.heads()
    check.experts()
    check.floats()
    check.types()


class _Check:
    def __init__(self, header: GGUFHeader, path: str) -> None:
        self._header = header
        self._path = path

    def ranges(self) -> None:
        """The numbers that decide how much memory is taken, here and in the engine."""
        self._within("block_count", 1, MAX_BLOCKS)
        self._within("context_length", 1, MAX_CONTEXT)
        self._within("embedding_length", 1, MAX_CONTEXT)
        self._within("nextn_predict_layers", 0, self._header.block_count)
        scaling = self._header.text("{arch}.rope.scaling.type")
        if scaling is not None and scaling not in ROPE_SCALINGS:
            raise self._fault("unknown_rope_scaling", type=scaling)

    def template(self) -> None:
        """Chat templates are programs; these would crash the engine's parser."""
        template = self._header.chat_template or ""
        depth = deepest = 0
        for bracket in re.findall(r"[(\[{}\])]", template[: MAX_TEMPLATE + 1]):
            depth = depth + 1 if bracket in "([{" else max(depth - 1, 0)
            deepest = max(deepest, depth)
        if len(template) > MAX_TEMPLATE or deepest > MAX_NESTING:
            raise self._fault("template_too_complex", limit=MAX_NESTING)

    def alignment(self) -> None:
        """The engine asserts where the first tensor lies in memory, whatever alignment the file claims."""
        first = min(self._header.tensors, key=lambda tensor: tensor.offset, default=None)
        if first and (self._header.data_offset + first.offset) % ENGINE_ALIGNMENT:
            raise self._fault("tensor_unaligned", tensor=first.name, offset=first.offset)

    def required(self) -> None:
        """The keys without which nothing can be said about the model."""
        if not self._header.architecture:
            raise self._fault("missing_key", key="general.architecture")
        for name in ("block_count", "context_length", "embedding_length"):
            if self._header.number("{arch}." + name) is None:
                raise self._fault("missing_key", key=f"{self._header.architecture}.{name}")

    def blocks(self, found: set[int]) -> None:
        """Every block has tensors, and no tensor is of a block beyond the last."""
        count = self._header.block_count
        # Blocks that predict further tokens may have been left out; blocks may be empty in the deci architecture.
        least = count - (self._header.number("{arch}.nextn_predict_layers") or 0)
        present = len(found) if self._header.architecture != "deci" else count
        if max(found) >= count or present < least:
            raise self._fault("blocks_disagree", claimed=count, last=max(found) + 1, present=len(found))

    def heads(self) -> None:
        """Heads share the embedding, heads of keys and values divide the heads, and each block has its numbers."""
        header = self._header
        for key in ("head_count", "head_count_kv"):
            found = header.per_block("{arch}.attention." + key)
            if found is not None and len(found) < header.block_count:
                raise self._fault("too_few_items", key=key, count=len(found), blocks=header.block_count)
        with_keys = {tensor.name for tensor in header.tensors if tensor.name.endswith(".attn_k.weight")}
        for block, (heads, shared) in enumerate(zip(header.head_count, header.head_count_kv, strict=False)):
            attends = f"blk.{block}.attn_k.weight" in with_keys
            if (attends and not (heads > 0 and shared > 0)) or (shared > 0 and heads % shared):
                raise self._fault("heads_disagree", block=block, heads=heads, heads_kv=shared)
        most = max(header.head_count, default=0)
        if header.number("{arch}.attention.key_length") is None and most > header.embedding_length:
            raise self._fault("too_many_heads", heads=most, embedding_length=header.embedding_length)

    def experts(self) -> None:
        """The engine asserts each of these."""
        header = self._header
        if header.architecture.startswith("hunyuan"):
            return  # claims one expert where there is none
        self._within("expert_count", 0, MAX_EXPERTS)
        count = header.number("{arch}.expert_count") or 0
        used = header.number("{arch}.expert_used_count") or 0
        groups = header.number("{arch}.expert_group_count") or 0
        chosen = header.number("{arch}.expert_group_used_count") or 0
        ok = 0 < used <= count and 0 <= groups < count if count else used == groups == 0
        if groups > 1:
            ok = ok and count % groups == 0 and 0 < chosen < groups
        if not ok:
            raise self._fault("experts_disagree", count=count, used=used, groups=groups)

    def floats(self) -> None:
        """The engine asserts that the numbers added under a square root are not negative, and NaN is not either."""
        for name in ("layer_norm_rms_epsilon", "layer_norm_epsilon"):
            epsilon = self._header.metadata.get(f"{self._header.architecture}.attention.{name}")
            if isinstance(epsilon, float) and not (epsilon >= 0 and math.isfinite(epsilon)):
                raise self._fault("value_out_of_range", key=name, value=str(epsilon), low=0, high=1)

    def types(self) -> None:
        """Tensors have types that can be calculated with."""
        for tensor in self._header.tensors:
            usable = tensor.dtype not in _UNUSABLE if _MATRIX.fullmatch(tensor.name) else True
            if not usable or (_NORM.fullmatch(tensor.name) and tensor.dtype != "F32"):
                raise self._fault("unusable_tensor_type", tensor=tensor.name, type=tensor.dtype)

    def _within(self, name: str, low: int, high: int) -> None:
        key = f"{self._header.architecture}.{name}"
        value = self._header.metadata.get(key)
        if isinstance(value, int) and not low <= value <= high:
            raise self._fault("value_out_of_range", key=key, value=value, low=low, high=high)

    def _fault(self, fault: str, **about: object) -> CorruptFile:
        return corrupt(self._path, fault, **about)
