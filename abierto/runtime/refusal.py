"""What engines' words about a model that none of them would load mean, where they mean something with a next step."""

import re
from collections.abc import Sequence
from importlib import metadata

from abierto import engines
from abierto.engines.session import LoadOptions
from abierto.errors import AbiertoError, LoadFailed, UnknownArchitecture
from abierto.runtime.resolve import Target

# As llama.cpp says it. It reads every GGUF file of an architecture that it knows, so that nothing else here knows more.
_UNKNOWN = re.compile(r"unknown model architecture: '([^'\n]*)'")


def explained(refusals: Sequence[tuple[LoadFailed, LoadOptions]], target: Target) -> AbiertoError:
    """One error for what engines said, each with the options that it was given; the first where none says more."""
    first, _ = refusals[0]
    # What another program calls its files is not what a person calls the model.
    model = target.name if target.owner else first.model
    for error, _ in refusals:
        if found := _UNKNOWN.search(error.detail):
            tried = dict.fromkeys(_engine(error.engine, options) for error, options in refusals)
            return UnknownArchitecture(model, found[1], list(tried))
    return LoadFailed(first.engine, model, first.detail)


def _engine(name: str, options: LoadOptions) -> str:
    """An engine with what it runs: a program that was named, or its package and version."""
    program = options.settings.get("llama_server") if name == "llamacpp" else None
    package = engines.PACKAGES[name]
    return f"{name} ({program or f'{package} {metadata.version(package)}'})"
