"""What an engine's words about a model that it would not load mean, where they mean something that has a next step."""

import re
from importlib import metadata

from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, LoadFailed, UnknownArchitecture
from abierto.runtime.resolve import Target

# As llama.cpp says it. It reads every GGUF file of an architecture that it knows, so that nothing else here knows more.
_UNKNOWN = re.compile(r"unknown model architecture: '([^'\n]*)'")


def explained(error: LoadFailed, target: Target, options: LoadOptions) -> AbiertoError:
    """The error, or another one in its place that says more."""
    # What another program calls its files is not what a person calls the model.
    model = target.name if target.owner else error.model
    found = _UNKNOWN.search(error.detail)
    if found:
        return UnknownArchitecture(model, found[1], [_engine(error.engine, options)])
    return LoadFailed(error.engine, model, error.detail)


def _engine(name: str, options: LoadOptions) -> str:
    """An engine with what it runs: a program that was named, or its package and version."""
    program = options.settings.get(f"{name.removesuffix('cpp')}_server")
    package = engines.PACKAGES[name]
    return f"{name} ({program or f'{package} {metadata.version(package)}'})"
