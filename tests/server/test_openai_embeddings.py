"""OpenAI's embeddings with OpenAI's own client, and reranking as Jina's and Cohere's clients ask for it."""

import asyncio
import base64
import struct
from collections.abc import Iterator
from math import isclose, sqrt
from typing import Any

import openai
import pytest
from openai.types import CreateEmbeddingResponse

from tests.server.conftest import Served

DOCUMENTS = ["nothing of it", "the red planet is Mars", "a planet"]


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as client:
        yield client


def test_a_vector_for_each_text(client: openai.OpenAI) -> None:
    strict = client.with_options(_extra_kwargs={"_strict_response_validation": True})
    answer = strict.embeddings.create(model="echo", input=["one two", "three"], encoding_format="float")
    CreateEmbeddingResponse.model_validate(answer.model_dump(), strict=True)
    assert [one.index for one in answer.data] == [0, 1]
    for one in answer.data:
        assert isclose(sqrt(sum(value * value for value in one.embedding)), 1.0, rel_tol=1e-6)
    assert (answer.usage.prompt_tokens, answer.usage.total_tokens) == (3, 3)


def test_both_encodings_are_the_same_numbers(client: openai.OpenAI) -> None:
    plain = client.embeddings.create(model="echo", input="one two", encoding_format="float")
    # Without a wish this client asks for base64, and decodes it.
    coded = client.embeddings.create(model="echo", input="one two")
    for one, other in zip(plain.data[0].embedding, coded.data[0].embedding, strict=True):
        assert isclose(one, other, rel_tol=1e-6)


def test_base64_holds_numbers_of_four_bytes_the_lowest_first(server: Served) -> None:
    with server.client() as plain:
        asked = {"model": "echo", "input": "one two"}
        numbers = plain.post("/v1/embeddings", json=asked).json()["data"][0]["embedding"]
        coded = plain.post("/v1/embeddings", json={**asked, "encoding_format": "base64"}).json()
    raw = base64.b64decode(coded["data"][0]["embedding"], validate=True)
    assert struct.unpack("<64f", raw) == pytest.approx(numbers)


def test_dimensions_are_those_of_the_model_or_refused(client: openai.OpenAI) -> None:
    assert len(client.embeddings.create(model="echo", input="one", dimensions=64).data[0].embedding) == 64
    with pytest.raises(openai.BadRequestError, match="64 numbers") as caught:
        client.embeddings.create(model="echo", input="one", dimensions=32)
    assert caught.value.param == "$.dimensions"


async def _asked(address: str) -> list[int]:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        answers = [client.embeddings.create(model="echo", input=["a"] * count) for count in (1, 2, 3)]
        return [len(answer.data) for answer in await asyncio.gather(*answers)]


def test_several_at_once(server: Served) -> None:
    assert asyncio.run(_asked(server.address)) == [1, 2, 3]


@pytest.mark.parametrize("path", ["/v1/rerank", "/v2/rerank", "/rerank"])
def test_the_best_documents_come_first(server: Served, path: str) -> None:
    with server.client() as client:
        asked = {"model": "echo", "query": "red planet", "documents": DOCUMENTS, "top_n": 2}
        answer = client.post(path, json=asked).json()
    assert answer["results"] == [{"index": 1, "relevance_score": 1.0}, {"index": 2, "relevance_score": 0.5}]
    assert answer["model"] == "echo"
    assert answer["usage"]["total_tokens"] == answer["usage"]["prompt_tokens"] > 0


def test_documents_come_back_where_that_is_asked_for(server: Served) -> None:
    documents = [DOCUMENTS[0], {"text": DOCUMENTS[1], "title": "Mars"}]
    with server.client() as client:
        asked = {"model": "echo", "query": "red planet", "documents": documents, "return_documents": True}
        results = client.post("/v1/rerank", json=asked).json()["results"]
    assert [(one["index"], one["document"]) for one in results] == [
        (1, {"text": DOCUMENTS[1]}),
        (0, {"text": DOCUMENTS[0]}),
    ]


@pytest.mark.parametrize(
    ("path", "body", "where"),
    [
        ("/v1/embeddings", {}, ""),
        ("/v1/embeddings", {"input": ""}, "$.input"),
        ("/v1/embeddings", {"input": []}, "$.input"),
        ("/v1/embeddings", {"input": [1, 2]}, "$.input"),
        ("/v1/embeddings", {"input": [[1], [2]]}, "$.input"),
        ("/v1/embeddings", {"input": ["a", ""]}, "$.input[1]"),
        ("/v1/embeddings", {"input": ["a"] * 2049}, "$.input"),
        ("/v1/embeddings", {"input": "a", "encoding_format": "hex"}, "$.encoding_format"),
        ("/v1/embeddings", {"input": "word " * 5000}, None),
        ("/v1/rerank", {"query": "a"}, ""),
        ("/v1/rerank", {"query": "", "documents": ["a"]}, "$.query"),
        ("/v1/rerank", {"query": "a", "documents": []}, "$.documents"),
        ("/v1/rerank", {"query": "a", "documents": ["a"], "top_n": 0}, "top_n"),
        ("/v1/rerank", {"query": "a", "documents": [{"title": "a"}]}, "$.documents[0]"),
        ("/v1/rerank", {"query": "a", "documents": ["a"], "max_tokens_per_doc": 5}, "$.max_tokens_per_doc"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_is_told_with_its_place(server: Served, path: str, body: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post(path, json={"model": "echo", **body})
    assert (answer.status_code, answer.json()["error"]["param"] or "") == (400, where or "")
