"""What an engine's words about a model that it would not load mean, where they mean something that has a next step."""

import re
from importlib import metadata

from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, LoadFailed, UnknownArchitecture

# As llama.cpp says it. It reads every GGUF file of an architecture that it knows, so that nothing else here knows more.
_UNKNOWN = re.compile(r"unknown model architecture: '([^'\n]*)'")


def explained(error: LoadFailed, options: LoadOptions) -> AbiertoError:
    """The error, or another one in its place that says more."""
    found = _UNKNOWN.search(error.detail)
    if not found:
        return error
    return UnknownArchitecture(error.model, found[1], [_engine(error.engine, options)])


def _engine(name: str, options: LoadOptions) -> str:
    """An engine with what it runs: a program that was named, or its package and version."""
    program = options.settings.get(f"{name.removesuffix('cpp')}_server")
    package = engines.PACKAGES[name]
    return f"{name} ({program or f'{package} {metadata.version(package)}'})"
