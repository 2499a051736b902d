"""Clients of OpenAI's dialect that nobody here wrote: openai in all its ways, langchain-openai, smolagents."""

import asyncio
import json
from collections.abc import Iterator
from typing import Any

import httpx2
import openai
import pytest
from langchain_core.messages import AIMessage, HumanMessage
from langchain_core.tools import tool
from langchain_openai import ChatOpenAI, OpenAI, OpenAIEmbeddings
from openai.types.chat import ChatCompletion, ChatCompletionChunk
from pydantic import BaseModel, SecretStr
from smolagents import CodeAgent, OpenAIModel, ToolCallingAgent

from tests.server.conftest import PATIENCE, Serve, Served

HELLO: Any = [{"role": "user", "content": "hello there you"}]
TOOLS: Any = [{"type": "function", "function": {"name": name}} for name in ("first", "second")]
CALLING: Any = [{"role": "user", "content": 'first and second with {"city": "Lima"}'}]
YES: Any = {"type": "object", "properties": {"answer": {"enum": ["yes"]}}, "required": ["answer"]}


class City(BaseModel):
    """Where it is."""

    city: str


class Yes(BaseModel):
    """What else."""

    answer: bool


@tool
def weather(city: str) -> str:
    """The weather of a city."""
    return city


@pytest.fixture(scope="module")
def client(server: Served) -> Iterator[openai.OpenAI]:
    strict: Any = {"_strict_response_validation": True}
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0, **strict) as client:
        yield client


@pytest.fixture
def here(server: Served) -> Iterator[dict[str, Any]]:
    """What leads langchain here. Its own connections stay open until the program ends, so it gets another client."""
    with httpx2.Client(timeout=PATIENCE) as http:
        yield {"base_url": f"{server.address}/v1", "api_key": SecretStr("none"), "http_client": http}


@pytest.fixture
def model(server: Served) -> Iterator[OpenAIModel]:
    """What smolagents ask."""
    with httpx2.Client(timeout=PATIENCE) as http:
        yield OpenAIModel("echo", f"{server.address}/v1", api_key="none", client_kwargs={"http_client": http})


@pytest.fixture
def chat(here: dict[str, Any]) -> ChatOpenAI:
    return ChatOpenAI(model="echo", **here)


async def _asked(address: str) -> tuple[ChatCompletion, list[ChatCompletionChunk]]:
    async with openai.AsyncOpenAI(base_url=f"{address}/v1", api_key="none", max_retries=0) as client:
        whole, stream = await asyncio.gather(
            client.chat.completions.create(model="echo", messages=HELLO),
            client.chat.completions.create(model="echo", messages=HELLO, n=2, stream=True),
        )
        return whole, [chunk async for chunk in stream]


def test_openai_for_programs_that_wait_for_many_things(server: Served) -> None:
    whole, chunks = asyncio.run(_asked(server.address))
    ChatCompletion.model_validate(whole.model_dump(), strict=True)
    assert whole.choices[0].message.content == "hello there you"
    words = ["", ""]
    for chunk in chunks:
        ChatCompletionChunk.model_validate(chunk.model_dump(), strict=True)
        words[chunk.choices[0].index] += chunk.choices[0].delta.content or ""
    assert words == ["hello there you"] * 2
    assert len({chunk.id for chunk in chunks}) == 1


def test_openai_puts_a_stream_of_calls_together(client: openai.OpenAI) -> None:
    with client.chat.completions.stream(model="echo", messages=CALLING, tools=TOOLS) as stream:
        answer = stream.get_final_completion()
    calls = answer.choices[0].message.tool_calls or []
    assert [(call.function.name, call.function.arguments) for call in calls] == [
        ("first", '{"city": "Lima"}'),
        ("second", '{"city": "Lima"}'),
    ]
    assert len({call.id for call in calls}) == 2
    assert answer.choices[0].finish_reason == "tool_calls"


@pytest.mark.parametrize(
    ("choice", "parallel", "called"),
    [
        ("none", True, []),
        ("auto", True, ["first", "second"]),
        ("auto", False, ["first"]),
        ("required", True, ["first", "second"]),
        ({"type": "function", "function": {"name": "second"}}, True, ["second"]),
        ({"type": "allowed_tools", "allowed_tools": {"mode": "auto", "tools": TOOLS[1:]}}, True, ["second"]),
    ],
    ids=str,
)
def test_every_choice_of_tools(client: openai.OpenAI, choice: Any, parallel: bool, called: list[str]) -> None:
    answer = client.chat.completions.create(
        model="echo", messages=CALLING, tools=TOOLS, tool_choice=choice, parallel_tool_calls=parallel
    )
    ChatCompletion.model_validate(answer.model_dump(), strict=True)
    calls = answer.choices[0].message.tool_calls or []
    assert [call.function.name for call in calls if call.type == "function"] == called
    assert bool(answer.choices[0].message.content) == (not called)


@pytest.mark.parametrize("top", [0, 1])
def test_log_probabilities_come_with_their_tokens(client: openai.OpenAI, top: int) -> None:
    asked: Any = {"model": "echo", "messages": HELLO, "logprobs": True, "top_logprobs": top}
    whole = client.chat.completions.create(**asked)
    assert whole.choices[0].logprobs
    told = whole.choices[0].logprobs.content or []
    assert [one.token for one in told] == ["hello", " there", " you"]
    assert [len(one.top_logprobs) for one in told] == [top] * 3
    chunks: Any = list(client.chat.completions.create(**asked, stream=True))
    streamed = [one for chunk in chunks if chunk.choices[0].logprobs for one in chunk.choices[0].logprobs.content]
    assert [one.model_dump() for one in streamed] == [one.model_dump() for one in told]


def test_an_answer_that_must_be_an_object_is_one(client: openai.OpenAI) -> None:
    asked: Any = {"type": "json_object"}
    for wanted, said in ((openai.omit, "x{}"), (asked, "{}")):
        answer = client.chat.completions.create(model="object", messages=HELLO, response_format=wanted, temperature=0)
        assert answer.choices[0].message.content == said
        assert answer.choices[0].finish_reason == "stop"


def test_an_answer_follows_its_schema(client: openai.OpenAI) -> None:
    asked: Any = {"type": "json_schema", "json_schema": {"name": "yes", "strict": True, "schema": YES}}
    answer = client.chat.completions.create(model="random", messages=HELLO, response_format=asked)
    assert json.loads(answer.choices[0].message.content or "") == {"answer": "yes"}


def test_an_engine_that_dies_in_the_middle_of_a_stream_is_an_error_of_the_client(serve: Serve) -> None:
    server = serve()
    with openai.OpenAI(base_url=f"{server.address}/v1", api_key="none", max_retries=0) as client:
        stream = client.chat.completions.create(model="endless", messages=HELLO, stream=True)
        assert next(stream).choices
        for child in server.children():
            child.kill()
        with pytest.raises(openai.APIError, match=r"llamacpp|openvino") as caught:
            list(stream)
        assert caught.value.type == "server_error"
        # The next one gets another engine.
        again = client.chat.completions.create(model="endless", messages=HELLO, max_tokens=3)
        assert again.choices[0].finish_reason == "length"


def test_langchain_asks_and_streams(chat: ChatOpenAI) -> None:
    assert chat.invoke("hello there").content == "hello there"
    assert "".join(str(piece.content) for piece in chat.stream("hello there")) == "hello there"


async def _in_langchain(here: dict[str, Any]) -> tuple[AIMessage, list[float]]:
    async with httpx2.AsyncClient(timeout=PATIENCE) as http:
        chat = ChatOpenAI(model="echo", http_async_client=http, **here)
        embeddings = OpenAIEmbeddings(model="echo", http_async_client=http, check_embedding_ctx_length=False, **here)
        return await asyncio.gather(chat.ainvoke("hello there"), embeddings.aembed_query("one two"))


def test_langchain_waits_for_many_things(here: dict[str, Any]) -> None:
    answer, vector = asyncio.run(_in_langchain(here))
    assert (answer.content, len(vector)) == ("hello there", 64)
    assert answer.usage_metadata
    assert answer.usage_metadata["output_tokens"] == 2


def test_langchain_has_tools_called(chat: ChatOpenAI) -> None:
    answer = chat.bind_tools([weather]).invoke('weather for {"city": "Lima"}')
    [call] = answer.tool_calls
    assert (call["name"], call["args"]) == ("weather", {"city": "Lima"})
    turns = [HumanMessage("weather"), answer, weather.invoke(call)]
    assert chat.bind_tools([weather]).invoke(turns).content == "Lima"


def test_langchain_gets_structured_output(chat: ChatOpenAI) -> None:
    found = chat.with_structured_output(City, method="function_calling").invoke('It is {"city": "Lima"}')
    assert found == City(city="Lima")


def test_langchain_gets_structured_output_by_a_schema(here: dict[str, Any]) -> None:
    chat = ChatOpenAI(model="random", **here)
    found = chat.with_structured_output(Yes, method="json_schema", strict=True).invoke("Is it so?")
    assert isinstance(found, Yes)


def test_langchain_completes(here: dict[str, Any]) -> None:
    model = OpenAI(model="echo", **here)
    assert model.invoke("one two") == "one two"
    assert "".join(model.stream("one two")) == "one two"


def test_langchain_embeds(here: dict[str, Any]) -> None:
    model = OpenAIEmbeddings(model="echo", check_embedding_ctx_length=False, **here)
    vectors = model.embed_documents(["one two", "three"])
    assert [len(vector) for vector in vectors] == [64, 64]
    assert model.embed_query("one two") == vectors[0]


def test_smolagents_calls_tools_until_it_has_the_answer(model: OpenAIModel) -> None:
    agent = ToolCallingAgent(tools=[], model=model, max_steps=2, verbosity_level=0)
    assert agent.run('final_answer with {"answer": "Lima"}') == "Lima"


def test_smolagents_runs_code_that_a_model_wrote(model: OpenAIModel) -> None:
    agent = CodeAgent(tools=[], model=model, max_steps=2, verbosity_level=0, stream_outputs=True)
    assert agent.run("<code>\nfinal_answer(6 * 7)\n</code>") == 42
