"""Abierto: a workbench for open generative AI on your own computer.

    import abierto
    abierto.chat("Why is the sky blue?")

Names only: what a name needs is imported when the name is used, so that `import abierto` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abierto.errors import AbiertoError
    from abierto.runtime.ask import Answer, chat, unload

__version__ = "0.1.0"
__all__ = ["AbiertoError", "Answer", "__version__", "chat", "unload"]

_HOME = {
    "AbiertoError": "abierto.errors",
    "Answer": "abierto.runtime.ask",
    "chat": "abierto.runtime.ask",
    "unload": "abierto.runtime.ask",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
