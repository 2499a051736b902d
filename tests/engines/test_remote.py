"""The remote engine against a stand-in, whose answers have the forms that each provider's own package states."""

from typing import Any

import pytest
from huggingface_hub import ChatCompletionStreamOutput
from openai.types.chat import ChatCompletionChunk

from abierto.engines.session import run
from abierto.errors import MissingFeature, RemoteGarbled
from abierto.tasks.chat import ChatRequest, Message, Sampling, Tool, ToolCall
from abierto.tasks.complete import CompleteRequest
from abierto.tasks.embed import EmbedRequest
from abierto.tasks.events import Embedding, Finish, Logprobs, Reasoning, Score, ToolCallDelta, Usage
from abierto.tasks.rerank import RerankRequest
from tests.engines.elsewhere import GROQ, HUGGINGFACE, KEY, STREAMS, USAGE, answered, chunk, said, session
from tests.engines.stand_in_provider import StandInProvider, stream, told
from tests.tiny_projector import png


@pytest.mark.parametrize("name", STREAMS)
def test_each_provider_s_stream(provider: StandInProvider, name: str) -> None:
    events = answered(provider, stream(*STREAMS[name]))
    assert said(events) == "Hé 你🙂"
    assert events[-1] == Finish("stop")
    usage = events[-2]
    assert isinstance(usage, Usage)
    assert (usage.prompt_tokens, usage.completion_tokens) == (12, 3)
    thoughts = [event.text for event in events if isinstance(event, Reasoning)]
    assert thoughts == (["Well. "] if name in ("groq", "openrouter") else [])


def test_the_forms_are_those_of_the_packages_that_are_here() -> None:
    for piece in HUGGINGFACE:
        assert ChatCompletionStreamOutput.parse_obj_as_instance(piece).choices
    for piece in (*GROQ, *HUGGINGFACE):
        assert ChatCompletionChunk.model_validate(piece, strict=True).choices


def test_what_is_sent(provider: StandInProvider) -> None:
    messages = (
        Message("system", "Be brief."),
        Message("user", "What is this?", (png(),)),
        Message("assistant", "", calls=(ToolCall("call_1", "look", "{}"),)),
        Message("tool", "A dot.", call_id="call_1"),
    )
    tool = Tool("look", "Look.", {"type": "object"})
    sampling = Sampling(max_tokens=9, temperature=0.5, seed=3, stop=("END",), logit_bias=((7, -100.0),))
    request = ChatRequest(
        messages, sampling, {"type": "object"}, (tool,), "look", parallel_calls=False, logprobs=2, reasoning=False
    )
    answered(provider, stream(*HUGGINGFACE), request=request)
    [asked] = provider.posted
    assert (asked.path, asked.headers["authorization"]) == ("/v1/chat/completions", f"Bearer {KEY}")
    body = asked.body
    assert [message["role"] for message in body["messages"]] == ["system", "user", "assistant", "tool"]
    image, words = body["messages"][1]["content"]
    assert image["image_url"]["url"].startswith("data:image/png;base64,")
    assert words == {"type": "text", "text": "What is this?"}
    assert body["messages"][2]["tool_calls"][0]["function"] == {"name": "look", "arguments": "{}"}
    assert body["messages"][3]["tool_call_id"] == "call_1"
    assert body["tools"][0]["function"]["parameters"] == {"type": "object"}
    assert body["tool_choice"] == {"type": "function", "function": {"name": "look"}}
    assert body["response_format"]["json_schema"]["schema"] == {"type": "object"}
    expected = {
        "model": "says", "stream": True, "max_tokens": 9, "temperature": 0.5, "seed": 3, "stop": ["END"],
        "logit_bias": {"7": -100.0}, "parallel_tool_calls": False, "logprobs": True, "top_logprobs": 2,
        "reasoning_effort": "none", "stream_options": {"include_usage": True},
    }  # fmt: skip
    assert expected.items() <= body.items()


def test_what_was_not_asked_for_is_not_sent(provider: StandInProvider) -> None:
    answered(provider, stream(*GROQ))
    assert set(provider.posted[0].body) == {"model", "messages", "stream", "stream_options"}


def test_calls_of_tools(provider: StandInProvider) -> None:
    pieces = [
        chunk(
            {"tool_calls": [{"index": 0, "id": "a", "type": "function", "function": {"name": "f", "arguments": ""}}]}
        ),
        chunk({"tool_calls": [{"index": 0, "function": {"arguments": '{"x":'}}]}),
        chunk({"tool_calls": [{"index": 0, "id": "a", "function": {"name": "f", "arguments": "1}"}}]}),
        chunk({"tool_calls": [{"index": 1, "id": "b", "function": {"name": "g", "arguments": "{}"}}]}),
        chunk({}, "tool_calls", usage=USAGE),
    ]
    events = answered(provider, stream(*pieces))
    assert [event for event in events if isinstance(event, ToolCallDelta)] == [
        ToolCallDelta(0, "a", "f"),
        ToolCallDelta(0, arguments='{"x":'),
        ToolCallDelta(0, arguments="1}"),
        ToolCallDelta(1, "b", "g", "{}"),
    ]
    assert events[-1] == Finish("tool_calls")


def test_calls_without_an_index(provider: StandInProvider) -> None:
    """As types.chat_completions.ToolCalls of the package together has them."""
    calls = [{"id": name, "type": "function", "function": {"name": name, "arguments": "{}"}} for name in ("f", "g")]
    events = answered(provider, stream(chunk({"tool_calls": calls}), chunk({}, "stop")))
    found = [(event.index, event.name) for event in events if isinstance(event, ToolCallDelta)]
    assert found == [(0, "f"), (1, "g")]
    assert events[-1] == Finish("tool_calls")


@pytest.mark.parametrize("name", ["together", "sambanova"])
def test_logprobs(provider: StandInProvider, name: str) -> None:
    events = answered(provider, stream(*STREAMS[name]))
    first = next(event for event in events if isinstance(event, Logprobs))
    assert (first.tokens[0]["token"], first.tokens[0]["logprob"]) == ("Hé ", -0.25)
    assert bytes(first.tokens[0]["bytes"]).decode() == "Hé "
    assert [token["token"] for token in first.tokens[0]["top"]] == (["He "] if name == "sambanova" else [])


def test_an_answer_that_was_not_streamed(provider: StandInProvider) -> None:
    choice = {"index": 0, "message": {"role": "assistant", "content": "Hé"}, "finish_reason": "length"}
    events = answered(provider, told({"choices": [choice], "usage": USAGE}))
    assert said(events) == "Hé"
    assert events[-1] == Finish("length")


def test_a_completion(provider: StandInProvider) -> None:
    choice = {"index": 0, "text": " there", "finish_reason": "stop", "logprobs": {
        "tokens": [" there"], "token_logprobs": [-0.1], "top_logprobs": [{" there": -0.1, " world": -3.0}]
    }}  # fmt: skip
    provider.replies = [stream({"choices": [choice], "usage": USAGE})]
    events = list(session(provider).complete(CompleteRequest("hello", Sampling(max_tokens=4), logprobs=2)))
    assert said(events) == " there"
    assert provider.posted[0].path == "/v1/completions"
    assert provider.posted[0].body["prompt"] == "hello"
    [logprobs] = [event for event in events if isinstance(event, Logprobs)]
    assert [token["token"] for token in logprobs.tokens[0]["top"]] == [" there", " world"]


def test_embeddings_come_in_order_and_with_the_length_1(provider: StandInProvider) -> None:
    """As openai.types.CreateEmbeddingResponse, which all of them state."""
    data = [
        {"object": "embedding", "index": index, "embedding": values} for index, values in ((1, [0, 2]), (0, [3, 4]))
    ]
    provider.replies = [told({"object": "list", "data": data, "usage": {"prompt_tokens": 4, "total_tokens": 4}})]
    events = list(session(provider).embed(EmbedRequest(("a", "b"))))
    assert events == [Embedding(0, [0.6, 0.8]), Embedding(1, [0.0, 1.0]), Usage(4, 0), Finish("stop")]


def test_scores_come_in_order(provider: StandInProvider) -> None:
    """As types.rerank.RerankResponse of the package together."""
    results = [{"index": 1, "relevance_score": 0.9}, {"index": 0, "relevance_score": 0.1}]
    provider.replies = [told({"object": "rerank", "model": "says", "results": results})]
    events = list(session(provider).rerank(RerankRequest("q", ("a", "b"))))
    assert events[:2] == [Score(0, 0.1), Score(1, 0.9)]


@pytest.mark.parametrize("body", [{"data": []}, {"data": [{"index": 0}]}, [], {"results": 1}])
def test_fewer_vectors_than_texts_are_no_answer(provider: StandInProvider, body: Any) -> None:
    provider.replies = [told(body)]
    with pytest.raises(RemoteGarbled):
        list(session(provider).embed(EmbedRequest(("a", "b"))))


def test_what_the_provider_lacks_is_refused_before_anything_is_sent(provider: StandInProvider) -> None:
    with pytest.raises(MissingFeature):
        run(session(provider, features="chat"), RerankRequest("q", ("a",)))
    assert not provider.posted
