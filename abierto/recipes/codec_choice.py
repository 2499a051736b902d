"""Which codec computes here: the fastest one that is installed."""

from abierto.errors import PackageMissing
from abierto.recipes import ggml_codec, numpy_codec
from abierto.recipes.codec import Codec


def find() -> Codec:
    """The codec to use. Raises PackageMissing."""
    found: Codec | None = ggml_codec.load() or numpy_codec.load()
    if found is None:
        raise PackageMissing("gguf", "gguf")
    return found
