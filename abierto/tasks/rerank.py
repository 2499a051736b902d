"""The reranking task: a query and documents go in, and how well each document answers the query comes out.

A session answers with one Score for each document, in order, then Usage and Finish. The pipeline tag of model cards is
`text-ranking`.
"""

from dataclasses import asdict, dataclass
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class RerankRequest:
    """The query and the documents, one or more."""

    task: ClassVar[str] = "rerank"
    needs: ClassVar[frozenset[str]] = frozenset()

    query: str
    documents: tuple[str, ...]

    def to_wire(self) -> dict[str, Any]:
        """The request as a JSON object."""
        return asdict(self)

    @classmethod
    def from_wire(cls, body: dict[str, Any]) -> "RerankRequest":
        """The request that `to_wire` wrote."""
        return cls(body["query"], tuple(body["documents"]))
