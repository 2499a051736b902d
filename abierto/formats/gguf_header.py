"""What the header of a GGUF file says, as data. It knows the meaning of keys, nothing of bytes.

Keys and their meaning: https://github.com/ggml-org/ggml/blob/master/docs/gguf.md
"""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from abierto.formats.ggml_types import FILE_TYPES

MAX_BLOCKS = 512  # LLAMA_MAX_LAYERS in llama.cpp
# In these architectures all blocks of a period but the last look back through the sliding window only. The engine
# knows the period where the header does not tell it (load_swa_pattern in llama.cpp's src/models).
SLIDING_PERIODS = {"cohere2": 4, "exaone4": 4, "gemma2": 2, "gemma3": 6, "gemma3n": 5, "gpt-oss": 2, "olmo2": 4}
SLIDING_PERIODS |= {"llama4": 4, "plamo3": 8}


@dataclass(frozen=True, slots=True)
class ArrayInfo:
    """An array that is too long to keep: the type of its items by name, and how many there are."""

    type: str
    length: int


Scalar = int | float | bool | str
Value = Scalar | tuple[Scalar, ...] | ArrayInfo


@dataclass(frozen=True, slots=True)
class TensorInfo:
    """One tensor. `shape`: the fastest dimension first, as ggml has it. `offset`: in bytes from the start
    of the data section. `size`: in bytes."""

    name: str
    shape: tuple[int, ...]
    dtype: str
    offset: int
    size: int

    @property
    def elements(self) -> int:
        """How many numbers the tensor holds."""
        return math.prod(self.shape)


@dataclass(frozen=True)
class GGUFHeader:
    """The header of a GGUF file. Sizes and offsets in bytes.

    A property whose key the file does not have is None, or the value that the format defines in that case.
    """

    version: int
    metadata: Mapping[str, Value]
    tensors: tuple[TensorInfo, ...]
    data_offset: int
    alignment: int
    file_size: int

    @property
    def architecture(self) -> str:
        """Such as `llama` or `qwen3`; empty in a file that holds no network, such as a later part of a split one."""
        found = self.metadata.get("general.architecture")
        return found if isinstance(found, str) else ""

    @property
    def kind(self) -> str:
        """`model`, `adapter`, `mmproj`, `imatrix`, ..."""
        return self.text("general.type") or "model"

    @property
    def name(self) -> str | None:
        """As the makers call it."""
        return self.text("general.name")

    @property
    def size_label(self) -> str | None:
        """Such as `135M`."""
        return self.text("general.size_label")

    @property
    def license(self) -> str | None:
        """The SPDX expression that the file claims."""
        return self.text("general.license")

    @property
    def languages(self) -> tuple[str, ...]:
        """ISO 639 codes."""
        found = self.metadata.get("general.languages")
        return tuple(map(str, found)) if isinstance(found, tuple) else ()

    @property
    def file_type(self) -> int | None:
        """The number of the quantisation that most tensors have (`enum llama_ftype`)."""
        return self.number("general.file_type")

    @property
    def quantization(self) -> str:
        """How most numbers are kept, such as `Q4_K_M`: as the file says, else the type that most of them have."""
        said = FILE_TYPES.get(-1 if self.file_type is None else self.file_type)
        numbers: Counter[str] = Counter()
        for tensor in () if said else self.tensors:
            numbers[tensor.dtype] += tensor.elements
        return said or max(numbers, key=lambda dtype: numbers[dtype], default="")

    @property
    def pooling(self) -> int | None:
        """How the numbers of all tokens become one answer (`enum llama_pooling_type`): 1 to 3: a vector; 4: a score."""
        return self.number("{arch}.pooling_type")

    @property
    def tokenizer(self) -> str | None:
        """The kind of vocabulary, such as `gpt2` or `llama`; `no_vocab` or None for a model that reads no text."""
        return self.text("tokenizer.ggml.model")

    @property
    def chat_template(self) -> str | None:
        """The Jinja source."""
        return self.text("tokenizer.chat_template")

    @property
    def context_length(self) -> int | None:
        """The most tokens that the model was trained for."""
        return self.number("{arch}.context_length")

    @property
    def block_count(self) -> int:
        """Layers, each with attention, a feed-forward network, or both."""
        return self.number("{arch}.block_count") or 0

    @property
    def embedding_length(self) -> int:
        """Numbers that stand for one token between the blocks."""
        return self.number("{arch}.embedding_length") or 0

    @property
    def head_count(self) -> tuple[int, ...]:
        """Attention heads, one number for each block; 0 for a block without attention."""
        return self.per_block("{arch}.attention.head_count") or (0,) * self.block_count

    @property
    def head_count_kv(self) -> tuple[int, ...]:
        """Heads of keys and values, one number for each block. Without the key: as many as `head_count`."""
        return self.per_block("{arch}.attention.head_count_kv") or self.head_count

    @property
    def key_length(self) -> int:
        """The size of one key vector. Without the key: `embedding_length / head_count`."""
        return self.number("{arch}.attention.key_length") or self._head_size

    @property
    def value_length(self) -> int:
        """The size of one value vector. Without the key: `embedding_length / head_count`."""
        return self.number("{arch}.attention.value_length") or self._head_size

    @property
    def sliding_window(self) -> int | None:
        """How many tokens back the blocks with a sliding window look."""
        return self.number("{arch}.attention.sliding_window")

    @property
    def sliding_blocks(self) -> tuple[bool, ...]:
        """Which blocks look back through the sliding window only; all False where the header does not tell."""
        found = self._get("{arch}.attention.sliding_window_pattern")
        if isinstance(found, tuple) and len(found) >= self.block_count:
            return tuple(bool(item) for item in found[: self.block_count])
        period = found if type(found) is int else SLIDING_PERIODS.get(self.architecture, 1)
        # One block in each period sees everything: the last.
        return tuple(period > 1 and block % period < period - 1 for block in range(self.block_count))

    @property
    def causal(self) -> bool:
        """False for models that read a whole text at once (encoders, embeddings): they keep no cache."""
        return self.metadata.get(f"{self.architecture}.attention.causal") is not False

    @property
    def vocab_size(self) -> int | None:
        """How many tokens there are, from the vocabulary and else from the number that the header gives."""
        found = self.metadata.get("tokenizer.ggml.tokens")
        if isinstance(found, ArrayInfo):
            return found.length
        return len(found) if isinstance(found, tuple) else self.number("{arch}.vocab_size")

    @property
    def split_count(self) -> int:
        """How many files the model is split over. The tensors here are those of this file only."""
        return self.number("split.count") or 1

    @property
    def split_number(self) -> int:
        """Which of these files this is; 0 for the first, which holds the metadata."""
        return self.number("split.no") or 0

    @cached_property
    def parameter_count(self) -> int:
        """The sum of the elements of all tensors in this file."""
        return sum(tensor.elements for tensor in self.tensors)

    @cached_property
    def weights_size(self) -> int:
        """The sum of the sizes of all tensors in this file."""
        return sum(tensor.size for tensor in self.tensors)

    def text(self, key: str) -> str | None:
        """The value of a key if it is a string. `{arch}` stands for the architecture."""
        found = self._get(key)
        return found if isinstance(found, str) else None

    def number(self, key: str) -> int | None:
        """The value of a key if it is an integer. Of an array, which has one for each block, the largest."""
        found = self._get(key)
        if isinstance(found, tuple):
            return max((item for item in found if type(item) is int), default=None)
        return found if type(found) is int else None

    def per_block(self, key: str) -> tuple[int, ...] | None:
        """The value of a key for each block, whether the file has one number for all or an array."""
        found = self._get(key)
        if isinstance(found, tuple):
            return tuple(int(item) for item in found if isinstance(item, int))[: self.block_count]
        return (found,) * self.block_count if type(found) is int else None

    @property
    def _head_size(self) -> int:
        heads = max(self.head_count, default=0)
        return self.embedding_length // heads if heads else 0

    def _get(self, key: str) -> Value | None:
        return self.metadata.get(key.replace("{arch}", self.architecture))
