"""Abierto: a workbench for open generative AI on your own computer.

    import abierto
    abierto.chat("Why is the sky blue?")
    abierto.draw("a red apple")

Names only: what a name needs is imported when the name is used, so that `import abierto` costs next to nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from abierto.errors import AbiertoError
    from abierto.runtime.ask import Answer, chat
    from abierto.runtime.kept import unload
    from abierto.runtime.picture import Picture, draw

__version__ = "0.1.0"
__all__ = ["AbiertoError", "Answer", "Picture", "__version__", "chat", "draw", "unload"]

_HOME = {
    "AbiertoError": "abierto.errors",
    "Answer": "abierto.runtime.ask",
    "Picture": "abierto.runtime.picture",
    "chat": "abierto.runtime.ask",
    "draw": "abierto.runtime.picture",
    "unload": "abierto.runtime.kept",
}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted(__all__)
