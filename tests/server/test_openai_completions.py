"""OpenAI's completions, with OpenAI's own client, which checks every form by its own types."""

import asyncio
from collections.abc import Iterator
from typing import Any

import openai
import pytest
from openai.types import Completion

from abierto.server.openai.completions import logprobs_of
from tests.server.conftest import Served


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as client:
        yield client


def strictly(completion: Completion) -> Completion:
    """Checked by OpenAI's types; a choice that goes on has no reason for its end, which they forget."""
    body = completion.model_dump()
    for choice in body["choices"]:
        choice["finish_reason"] = choice["finish_reason"] or "stop"
    Completion.model_validate(body, strict=True)
    return completion


def test_a_whole_answer(client: openai.OpenAI) -> None:
    answer = strictly(client.completions.create(model="echo", prompt="one two three"))
    assert (answer.choices[0].text, answer.choices[0].finish_reason) == ("one two three", "stop")
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens, answer.usage.total_tokens) == (3, 3, 6)


def test_it_ends_after_sixteen_tokens_where_nobody_says_otherwise(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="echo", prompt="word " * 40)
    assert answer.choices[0].finish_reason == "length"
    assert answer.usage
    assert answer.usage.completion_tokens == 16


def test_several_prompts_with_several_answers_each(client: openai.OpenAI) -> None:
    answer = strictly(client.completions.create(model="echo", prompt=["a b", "c d e"], n=2, seed=1))
    assert [(one.index, one.text) for one in answer.choices] == [(0, "a b"), (1, "a b"), (2, "c d e"), (3, "c d e")]
    assert answer.usage
    assert (answer.usage.prompt_tokens, answer.usage.completion_tokens) == (5, 10)


def test_the_prompt_comes_first_where_that_is_asked_for(client: openai.OpenAI) -> None:
    answer = client.completions.create(model="echo", prompt=["a b", "c"], echo=True, max_tokens=1)
    assert [one.text for one in answer.choices] == ["a ba", "cc"]


def test_logprobs(client: openai.OpenAI) -> None:
    answer = strictly(client.completions.create(model="echo", prompt="one two", logprobs=1))
    told = answer.choices[0].logprobs
    assert told
    assert (told.tokens, told.token_logprobs, told.text_offset) == (["one", " two"], [0.0, 0.0], [0, 3])
    assert told.top_logprobs == [{"one": 0.0}, {" two": 0.0}]


def test_the_token_that_was_chosen_is_always_among_the_likeliest() -> None:
    other = {"token": "b", "bytes": [98], "logprob": -0.5}
    chosen = {"token": "a", "bytes": [97], "logprob": -1.0, "top": [other]}
    assert logprobs_of([chosen], 7) == {
        "tokens": ["a"],
        "token_logprobs": [-1.0],
        "top_logprobs": [{"b": -0.5, "a": -1.0}],
        "text_offset": [7],
    }


def test_a_stream(client: openai.OpenAI) -> None:
    chunks = list(
        client.completions.create(
            model="echo", prompt=["a b", "c"], echo=True, stream=True, stream_options={"include_usage": True}
        )
    )
    texts: list[str] = ["", ""]
    reasons: list[list[str]] = [[], []]
    for chunk in map(strictly, chunks[:-1]):
        assert chunk.usage is None
        [choice] = chunk.choices
        texts[choice.index] += choice.text
        reasons[choice.index] += filter(None, [choice.finish_reason])
    assert (texts, reasons) == (["a ba b", "cc"], [["stop"], ["stop"]])
    assert (chunks[-1].choices, len({chunk.id for chunk in chunks})) == ([], 1)
    assert chunks[-1].usage
    assert (chunks[-1].usage.prompt_tokens, chunks[-1].usage.completion_tokens) == (3, 3)


def test_a_stream_with_logprobs(client: openai.OpenAI) -> None:
    chunks = list(client.completions.create(model="echo", prompt="one two", logprobs=0, stream=True))
    told = [chunk.choices[0].logprobs for chunk in map(strictly, chunks) if chunk.choices[0].logprobs]
    assert [(one.tokens, one.text_offset) for one in told] == [(["one"], [0]), ([" two"], [3])]


async def _asked(address: str) -> tuple[str, str]:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        whole, stream = await asyncio.gather(
            client.completions.create(model="echo", prompt="one two"),
            client.completions.create(model="echo", prompt="three four", stream=True),
        )
        return whole.choices[0].text, "".join([chunk.choices[0].text async for chunk in stream])


def test_two_at_once(server: Served) -> None:
    assert asyncio.run(_asked(server.address)) == ("one two", "three four")


@pytest.mark.parametrize(
    ("body", "where"),
    [
        ({}, "$.prompt"),
        ({"prompt": ""}, "$.prompt"),
        ({"prompt": []}, "$.prompt"),
        ({"prompt": ["a", ""]}, "$.prompt[1]"),
        ({"prompt": [1, 2, 3]}, "$.prompt"),
        ({"prompt": [[1, 2], [3]]}, "$.prompt"),
        ({"prompt": {"a": 1}}, "$.prompt"),
        ({"prompt": ["a"] * 33}, "$.prompt"),
        ({"prompt": "a", "suffix": "b"}, "$.suffix"),
        ({"prompt": "a", "best_of": 3}, "$.best_of"),
        ({"prompt": "a", "echo": True, "logprobs": 1}, "$.logprobs"),
        ({"prompt": "a", "logprobs": 21}, "top_logprobs"),
        ({"prompt": "a", "max_tokens": 0}, "max_tokens"),
        ({"prompt": "a", "n": 10**9}, "n"),
        ({"prompt": ["a"] * 8, "n": 8}, "n"),
    ],
    ids=str,
)
def test_what_cannot_be_is_told_with_its_place(server: Served, body: dict[str, Any], where: str) -> None:
    with server.client() as client:
        answer = client.post("/v1/completions", json={"model": "echo", **body})
    assert (answer.status_code, answer.json()["error"]["param"]) == (400, where)
