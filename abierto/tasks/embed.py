"""The embedding task: texts go in, and for each of them a vector comes out, near those of texts that mean the same.

A session answers with one Embedding for each text, in order, then Usage and Finish. Vectors have the length 1.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class EmbedRequest:
    """The texts, one or more, none of them empty."""

    task: ClassVar[str] = "embed"
    needs: ClassVar[frozenset[str]] = frozenset()

    texts: tuple[str, ...]

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return asdict(self)

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "EmbedRequest":
        """The request that `to_wire` wrote."""
        return cls(tuple(body["texts"]))
