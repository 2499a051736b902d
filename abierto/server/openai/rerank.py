"""Reranking, which OpenAI does not have, in the form that Jina and Cohere share: the best documents first.

Forms: https://jina.ai/reranker and https://docs.cohere.com/reference/rerank. Pure functions.
"""

import secrets
from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from abierto.errors import InvalidRequest, OptionOutOfRange
from abierto.server.exchange import Call, Facts, Job, Route
from abierto.server.openai.embeddings import usage_of
from abierto.tasks.events import Event, Score
from abierto.tasks.rerank import RerankRequest

MOST_DOCUMENTS = 2048


class Document(Struct):
    """A document with a name for its text."""

    text: str


class RerankBody(Struct, kw_only=True):
    """The body."""

    query: str
    documents: list[str | Document]
    model: str = ""
    top_n: int | None = None
    return_documents: bool | None = False
    max_tokens_per_doc: int | None = None
    max_chunks_per_doc: int | None = None
    keep_alive: float | None = None


def rerank(call: Call) -> Job:
    """The job that a body asks for. Raises InvalidRequest, OptionOutOfRange."""
    body: RerankBody = call.body
    request = parse(body)
    top = len(request.documents) if body.top_n is None else body.top_n
    returned = request.documents if body.return_documents else ()
    return Job(
        body.model,
        (request,),
        lambda answers, facts: whole(answers[0], facts, top, returned),
        keep_alive=body.keep_alive,
    )


def parse(body: RerankBody) -> RerankRequest:
    """The request. Raises InvalidRequest, OptionOutOfRange."""
    if not body.query:
        raise InvalidRequest("the text is empty", "$.query")
    if not 1 <= len(body.documents) <= MOST_DOCUMENTS:
        detail = f"1 to {MOST_DOCUMENTS} documents are taken at once, not {len(body.documents)}"
        raise InvalidRequest(detail, "$.documents")
    if body.top_n is not None and body.top_n < 1:
        raise OptionOutOfRange("top_n", body.top_n, 1)
    for name in ("max_tokens_per_doc", "max_chunks_per_doc"):
        if getattr(body, name) is not None:
            raise InvalidRequest("documents are read whole here, or refused", f"$.{name}")
    documents = tuple(one if isinstance(one, str) else one.text for one in body.documents)
    return RerankRequest(body.query, documents)


def whole(events: Sequence[Event], facts: Facts, top: int, returned: Sequence[str]) -> Any:
    """The body of the answer. returned: the documents, where they are told with their scores."""
    scores = [event for event in events if isinstance(event, Score)]
    results: list[dict[str, Any]] = [
        {"index": score.index, "relevance_score": score.value}
        for score in sorted(scores, key=lambda score: (-score.value, score.index))[:top]
    ]
    for result in results if returned else ():
        result["document"] = {"text": returned[result["index"]]}
    name = f"rerank-{secrets.token_hex(12)}"
    return {"id": name, "object": "list", "model": facts.model, "results": results, "usage": usage_of(events)}


ROUTES = tuple(Route("POST", path, rerank, RerankBody) for path in ("/v1/rerank", "/v2/rerank", "/rerank"))
