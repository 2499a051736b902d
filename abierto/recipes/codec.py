"""Who turns numbers into ggml's types and back. It knows no files and no models."""

from typing import Protocol


class NotFinite(ValueError):
    """Among the numbers are some that are none, or too large for the type."""


class Codec(Protocol):
    """Turns numbers into ggml's types and back; may be called from several threads at once.

    tool: its name and version, for the lineage of what it made.
    """

    @property
    def tool(self) -> str: ...

    def reads(self, dtype: str) -> bool:
        """Whether it can decode this type, by its name in `formats.ggml_types`."""
        ...

    def writes(self, dtype: str) -> bool:
        """Whether it can encode this type."""
        ...

    def decode(self, dtype: str, data: bytes) -> bytes:
        """Whole blocks of a type as 32-bit floats, little-endian."""
        ...

    def encode(self, dtype: str, floats: bytes, row: int) -> bytes:
        """32-bit floats in rows of `row` numbers, as a type whose blocks divide a row. Raises NotFinite."""
        ...
